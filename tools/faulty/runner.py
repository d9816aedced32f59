"""``hemostream`` in a world that goes wrong from inside: the wall clock is stepped, the network raises.

``python -m tools.faulty.runner [--wall-step AT BY] [--raise FROM TO] -- COMMAND ...``; times are local
seconds from the start.  It stands in for what cannot be done to a real machine from a test: nobody may
set its clock, and no device can be made to fail at will.
"""

import sys
import time
from typing import Any


def step_the_wall_clock(at: float, by: float) -> None:
    """From ``at`` seconds on, let ``time.time`` be ``by`` seconds ahead."""
    true, begun = time.time, time.monotonic()
    time.time = lambda: true() + (by if time.monotonic() - begun >= at else 0.0)


def raise_in_inference(begin: float, end: float) -> None:
    """Between two moments let every computation fail, as a device does that runs out of memory."""
    from realtime.inference import Inference

    true, begun = Inference.logits, time.monotonic()

    def logits(self: Inference, *words: Any, **options: Any) -> Any:
        if begin <= time.monotonic() - begun < end:
            raise RuntimeError("CUDA error: out of memory (made up by the fault runner)")
        return true(self, *words, **options)

    Inference.logits = logits  # type: ignore[method-assign]


def main() -> None:
    """Take the options, do the harm, run the command."""
    words = sys.argv[1:]
    cut = words.index("--")
    options, command = words[:cut], words[cut + 1 :]
    while options:
        name, first, second, *options = options
        {"--wall-step": step_the_wall_clock, "--raise": raise_in_inference}[name](float(first), float(second))
    from tools.cli import main as hemostream

    hemostream(command)


if __name__ == "__main__":
    main()
