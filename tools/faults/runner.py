"""``hemostream`` in a world that goes wrong from inside: the wall clock is stepped, the network raises.

``python -m tools.faults.runner [--wall-step AT BY] [--raise FROM TO] -- COMMAND ...``; times are local
seconds from the first decision on: how long a start takes is the machine's affair.  It stands
in for what cannot be done to a real machine from a test: none may set its clock, and no device can be
made to fail at will.
"""

import sys
import time
from collections.abc import Callable
from typing import Any


def since_first_window() -> Callable[[], float]:
    """A clock (s) that starts with the first decision, with a label or not; before, it shows less than 0."""
    from realtime.core import Core

    true, begun = Core.decide, [float("inf")]

    def decide(self: Core, *words: Any, **options: Any) -> Any:
        begun[0] = min(begun[0], time.monotonic())
        return true(self, *words, **options)

    Core.decide = decide  # type: ignore[method-assign]
    return lambda: time.monotonic() - begun[0]


def step_the_wall_clock(since: Callable[[], float], at: float, by: float) -> None:
    """From ``at`` seconds on, let ``time.time`` be ``by`` seconds ahead."""
    true = time.time
    time.time = lambda: true() + (by if since() >= at else 0.0)


def raise_in_inference(since: Callable[[], float], begin: float, end: float) -> None:
    """Between two moments let every computation fail, as a device does that runs out of memory."""
    from realtime.inference import Inference

    true = Inference.logits

    def logits(self: Inference, *words: Any, **options: Any) -> Any:
        if begin <= since() < end:
            raise RuntimeError("CUDA error: out of memory (made up by the fault runner)")
        return true(self, *words, **options)

    Inference.logits = logits  # type: ignore[method-assign]


def main() -> None:
    """Take the options, do the harm, run the command."""
    words = sys.argv[1:]
    cut = words.index("--")
    options, command = words[:cut], words[cut + 1 :]
    since = since_first_window()
    while options:
        name, first, second, *options = options
        {"--wall-step": step_the_wall_clock, "--raise": raise_in_inference}[name](
            since, float(first), float(second)
        )
    from tools.cli import main as hemostream

    hemostream(command)


if __name__ == "__main__":
    main()
