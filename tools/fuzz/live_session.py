"""A running session that is sent what is hostile, between good samples; accelerated, on a clock of its own.

Everything is real but liblsl's sockets and the time: the edges of the source, the gate that orders
samples, the session on its loop, core, network, publisher and journal.  What counts is that the session is
there at the end, decides as before on good data, has reported what it met, and that its journal gives the
same decisions again.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.bundle import Bundle
from realtime.core import Plan
from realtime.core.stream_guard import fault_text
from realtime.decision import Decision
from realtime.inference import Inference
from realtime.log import Entry
from realtime.rerun import predict_log
from realtime.session.interfaces import SessionSettings
from realtime.session.session import Session
from realtime.sinks.journal.journal import JournalWriter, read_decisions, read_journal_entries
from realtime.status import Status
from tools.fuzz.hostile_bed import CHUNK, FuzzedBed, Met

GOOD_S = 60.0
"""Good data at the beginning and the end, stream s."""


class Watch:
    """Sees decisions and status, as a terminal view does."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.statuses: list[Status] = []

    def decision(self, decision: Decision) -> None:
        """Take one."""
        self.decisions.append(decision)

    def status(self, status: Status) -> None:
        """Take one."""
        self.statuses.append(status)


class Feeding:
    """A source on the session's own loop: one thing after the other, the same at each run.

    Parameters
    ----------
    bed : Bed
        What is fed.
    inputs : int
        Hostile ones.
    progress : callable of int
        Told how many are done.
    """

    def __init__(self, bed: FuzzedBed, inputs: int, progress: Callable[[int], None]) -> None:
        self._bed, self._inputs, self._progress = bed, inputs, progress
        self.done: Callable[[], None] = lambda: None
        self.refusals = 0
        self.before_last = 0
        self.watch = Watch()

    def make(self, emit: Callable[[Entry], None], failed: Callable[[Exception], None]) -> "Feeding":
        """As `SourceFactory`."""
        self._bed.connect(emit)
        return self

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._feed())

    def refuse(self, reason: str) -> None:
        """Take note; the good stream comes back soon."""
        self.refusals += 1

    def close(self) -> None:
        """Nothing comes any more."""

    async def _feed(self) -> None:
        bed = self._bed
        await self._good()
        for number in range(self._inputs):
            bed.hostile()
            if bed.random.random() < 0.3:
                bed.good()
            await asyncio.sleep(0)
            if number % 1000 == 0:
                self._progress(number)
                await self._good()
        self.before_last = len(self.watch.decisions)
        await self._good(2)
        await asyncio.sleep(1.0)  # the journal's thread hands the last decisions over
        self.done()

    async def _good(self, times: int = 1) -> None:
        self._bed.open()
        for _ in range(int(times * GOOD_S * self._bed.spec.rate) // CHUNK):
            self._bed.good()
            await asyncio.sleep(0)


def run(
    bundle: Bundle, journal: Path, inputs: int, seed: int, progress: Callable[[int], None] = lambda done: None
) -> Met:
    """Run a session through so many hostile inputs.

    Parameters
    ----------
    bundle : Bundle
        Its classifier.
    journal : Path
        A new file.
    inputs : int
        How many.
    seed : int
        Which.
    progress : callable of int
        Told how many are done.
    """
    met = Met()
    inference = Inference(bundle, device="cpu")
    bed = FuzzedBed(Plan.from_card(bundle.card), np.random.default_rng(seed), met)
    feeding = Feeding(bed, inputs, progress)
    session = Session(
        bundle,
        inference=inference,
        make_source=feeding.make,
        settings=SessionSettings(session="bed-1", local_clock=lambda: bed.now + 0.01),
        journal=JournalWriter(journal, on_trouble=met.undeclared.append, queue_size=10**6),
        observer=feeding.watch,
    )

    async def main() -> None:
        feeding.done = session.stop
        await session.run()

    try:
        asyncio.run(main())
    except Exception as error:  # noqa: BLE001 - what ends a session is what is looked for
        met.ended = fault_text(error)
    statuses = feeding.watch.statuses
    met.faults, met.fault = session._feed.faults, session._feed.fault
    met.failures = {f"{part}: {why}" for status in statuses for part, why in status.failing.items()}
    met.status = statuses[-1] if statuses else None
    decisions = feeding.watch.decisions
    met.decisions = len(decisions)
    met.labelled = sum(not decision.abstained for decision in decisions)
    met.labelled_after = sum(not decision.abstained for decision in decisions[feeding.before_last :])
    kept = list(read_decisions(journal))
    again = predict_log(read_journal_entries(journal), bundle, inference)
    met.same = kept == [decision.to_json() for decision in again] and len(kept) == len(decisions)
    return met
