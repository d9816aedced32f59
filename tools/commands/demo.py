"""``hemostream demo``: everything at once, on this machine, in a few minutes."""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.messages import say
from tools.outputs import Out, refuse_existing

PEOPLE = 6
"""Simulated people that are trained on; one more is classified live."""
RECORDING_S = 240.0
"""Length of each recording, s; longer where more is to be streamed."""


@dataclass
class Phases:
    """How long each phase took, reported as it goes."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def phase(self, name: str, what: str) -> Iterator[None]:
        """Time what happens inside."""
        say(f"· {what} …")
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 1)
        say(f"  {self.seconds[name]:.1f} s")


def demo(
    *,
    seconds: float = 60.0,
    headless: bool = False,
    seed: int = 0,
    out: Out | None = None,
    overwrite: bool = False,
) -> None:
    """Run the whole chain: simulate people, train, stream an unseen one, classify live, publish, receive.

    The last line is one JSON object with what was measured. The people are simulated: the accuracy
    shows that the chain works, and says nothing about any patient.

    Parameters
    ----------
    seconds : float
        Seconds of live decisions, counted from the first possible one.
    headless : bool
        No live terminal view, and no page in a browser.
    seed : int
        Other people, for another seed.
    out : Path
        Folder to write recordings, bundle, journal and a plot to. By default none is kept.
    overwrite : bool
        Replace what an earlier demo wrote to that folder; its journal goes on.
    """
    from models.errors import HemostreamError
    from models.files.output_place import check_folder
    from offline.base.result_cache import new_folder
    from tools.lsl_config import stay_on_this_machine

    if not seconds > 0:
        raise HemostreamError(f"--seconds is {seconds:g}; expected seconds of live decisions, more than 0.")
    with contextlib.ExitStack() as stack:
        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hemostream-demo-")))
        else:
            # Absolute, for the replay runs in a process and a folder of its own.
            folder = out.resolve()
            check_folder(folder, "The demo")
            refuse_existing(folder, overwrite=overwrite)
            stack.enter_context(new_folder(folder))
        stay_on_this_machine(folder)
        summary = run(folder, seconds=seconds, headless=headless, seed=seed)
    if out is None:
        del summary["plot"]  # gone with the folder
    for line in in_words(summary):
        say(line)
    print(json.dumps(summary))


def in_words(summary: Mapping[str, Any]) -> list[str]:
    """The figures that matter, in sentences.

    Parameters
    ----------
    summary : mapping
        What was measured.
    """
    lines = [
        f"{summary['decisions']} windows decided, {summary['abstained']} abstained; {summary['labelled']} "
        "with a known label."
    ]
    if summary["accuracy"] is not None:
        lines.append(
            f"{summary['accuracy']:.1%} of these are right; always the most frequent label would be "
            f"{summary['majority_rate']:.1%}."
        )
    if summary["latency_ms_p50"] is not None:
        lines.append(
            f"From a window's last sample to the subscriber: {summary['latency_ms_p50']} ms (p50), "
            f"{summary['latency_ms_p99']} ms (p99)."
        )
    lines.append(f"The model: {summary['evaluation']}; {summary['labels']}.")
    lines.append("The people are simulated: this says nothing about any patient.")
    if "plot" in summary:
        lines.append(f"Plot: {summary['plot']}")
    return lines


def run(folder: Path, *, seconds: float, headless: bool, seed: int) -> dict[str, Any]:
    """The phases of the demo, one after another; see `demo`.

    Returns
    -------
    dict
        What was measured.
    """
    phases = Phases()
    # A stream long enough for warm-up and what was asked for, with something to spare.
    length = max(RECORDING_S, seconds + 120.0)
    with phases.phase("simulate", f"simulate {PEOPLE + 1} people, {length:.0f} s each"):
        cohort = simulate_people(folder / "cohort", length, seed)
    with phases.phase("train", f"train on {PEOPLE} of them, by replay through the live code"):
        from models.bundle import read_bundle
        from offline.base.cohort import read_cohort
        from offline.samples.recipe import load_recipe
        from offline.training import train as training
        from realtime.inference import one_thread

        one_thread()
        rows = read_cohort(cohort).rows
        unseen = rows[-1]
        recipe = load_recipe("demo")
        training.train(cohort, recipe, folder / "bundle", exclude_people=(unseen.person,))
        bundle = read_bundle(folder / "bundle")

    from tools.commands.demo_live import stream_and_classify

    with phases.phase(
        "live", f"stream the unseen one over LSL, classify live for {seconds:.0f} s, publish, receive"
    ):
        measured = stream_and_classify(
            bundle,
            recipe,
            unseen.recording,
            folder,
            seconds=seconds,
            view=not headless and sys.stdout.isatty(),
            page=not headless,
        )
    worth = {"evaluation": bundle.card.evaluation_line, "labels": bundle.card.labels_line}
    return {**measured, **worth, "simulated": True, "phases_s": phases.seconds}


def simulate_people(folder: Path, length: float, seed: int) -> Path:
    """Write the demo's cohort: a block task that everybody's brain responds to, well measured.

    Returns
    -------
    Path
        Its table.
    """
    from offline.simulation import Simulation, TaskBlocks, write_cohort

    task = TaskBlocks(lead_in_s=15.0, block_s=15.0, rest_s=18.0, jitter_s=2.0, size=0.6e-6, responding=0.5)
    settings = Simulation(
        seconds=length, n_pairs=8, n_short=0, task=task, bad_pairs=0.0, spikes_per_minute=0.5
    )
    return write_cohort(folder, settings, people=PEOPLE + 1, seed=seed)
