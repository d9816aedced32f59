"""A log fed back: the decisions of a recording, or of a session that was journaled.

`predict_log` follows a journal's log: the clock readings, batch sizes and chunk boundaries in it
are used again, so its decisions are those of the live session, byte for byte (on the CPU, with the
same versions and threads).  `predict_journal` does so for each run of a journal with this bundle, as
far as the journal is whole: what it lacks by its own account is not guessed.  `predict_recording` has no
session to follow: it predicts a file as a session would have that was never late.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, takewhile
from pathlib import Path

import numpy as np

from models.bundle import Bundle
from models.errors import JournalError
from realtime.core import Core, Plan
from realtime.core.stream_guard import StreamGuard
from realtime.decision import Decision
from realtime.inference import Inference, predict
from realtime.log import Entry, Produced, SessionStarted
from realtime.sinks.journal.format import Loss
from realtime.sinks.journal.reader import journal_runs, read_journal_entries, read_losses
from realtime.sources.recording import Recording, entries
from realtime.windows import Window

BLOCK = 64
"""Windows of a file that are computed together."""


def predict_recording(
    recording: Recording, bundle: Bundle, inference: Inference, *, session: str, chunk_samples: int = 256
) -> Iterator[Decision]:
    """Predict a recording by the live path.

    Parameters
    ----------
    recording : Recording
        As read.
    bundle : Bundle
        The classifier.
    inference : Inference
        Where it is computed.
    session : str
        Name for the decisions' identity.
    chunk_samples : int
        Samples handed over at once; changes nothing but speed.

    Yields
    ------
    Decision
        In order of the grid.  A decision counts as made at its window's end, so its age is 0.
    """
    core = Core(Plan.from_card(bundle.card))
    core.feed(SessionStarted(0.0, session, 1, bundle.card.hash))
    waiting: list[Window] = []
    for entry in entries(recording, chunk_samples=chunk_samples):
        waiting += core.feed(entry)
        if len(waiting) >= BLOCK:
            yield from _decide(waiting, core, inference)
            waiting = []
    yield from _decide(waiting, core, inference)


def _decide(windows: Sequence[Window], core: Core, inference: Inference) -> Iterator[Decision]:
    for window, (logits, batch) in zip(windows, predict(windows, inference), strict=True):
        yield core.decide(window, logits, Produced(window.end, window.sequence, batch))


def predict_journal(
    path: Path, bundle: Bundle, inference: Inference, *, report: Callable[[str], None]
) -> Iterator[Decision]:
    """Predict the runs of a journal again.

    A session may have gone on with another bundle: its runs with others are left out, and reported.  Of a run
    that lacks entries (the journal says so itself) only what came before them is predicted: filters and
    statistics remember what is lost, so what follows would be other decisions than those that were made.

    Parameters
    ----------
    path : path
        The journal.
    bundle : Bundle
        The classifier.
    inference : Inference
        Where it is computed.
    report : callable of str
        Takes what is left out, and why.

    Yields
    ------
    Decision
        Those that were made live, in their order.

    Raises
    ------
    JournalError
        It cannot be read, no run used this bundle (the message lists the runs), or as `predict_log`.
    """
    others: list[str] = []
    predicted = False
    for run in journal_runs(path):
        log = read_journal_entries(path, run.run)
        first = next(log, None)
        if first is None:
            continue
        if isinstance(first, SessionStarted) and first.model_hash != bundle.card.hash:
            others.append(f"run {run.run} by {first.model_hash[:12]}")
            continue
        predicted = True
        losses = read_losses(path, run.run)
        if losses:
            report(_what_is_lost(path, run.run, losses))
            log = _until(losses[0].first, log)
        yield from predict_log(chain((first,), log), bundle, inference)
    if others and not predicted:
        raise JournalError(
            f"{path} was predicted by other models ({', '.join(others)}), this bundle is "
            f"{bundle.card.hash[:12]}; give the bundle of the session."
        )
    if others:
        report(f"{path} was predicted by other models too ({', '.join(others)}): these runs are left out.")


def _until(local: float, log: Iterator[Entry]) -> Iterator[Entry]:
    return takewhile(lambda entry: entry.local < local, log)


def _what_is_lost(path: Path, run: int, losses: Sequence[Loss]) -> str:
    missing = sum(loss.missing for loss in losses)
    return (
        f"{path} lacks {missing} entries and decisions of run {run} that could not be kept (the first of "
        f"them when its local clock read {losses[0].first:.1f} s). What follows in that run cannot be had "
        "again and is left out."
    )


def predict_log(log: Iterable[Entry], bundle: Bundle, inference: Inference) -> Iterator[Decision]:
    """Predict a session again from its log.

    Parameters
    ----------
    log : iterable of Entry
        As journaled, one run or several.
    bundle : Bundle
        The classifier; must be the one of the session.
    inference : Inference
        Where it is computed.

    Yields
    ------
    Decision
        Those that were made live, in their order.

    Raises
    ------
    JournalError
        The log does not follow from this bundle: another model, or a decision for a window that the
        log does not give.
    """
    core: Core | None = None
    waiting: deque[Window] = deque()
    for entry in log:
        if isinstance(entry, SessionStarted):
            if entry.model_hash != bundle.card.hash:
                raise JournalError(
                    f"The session was predicted by model {entry.model_hash[:12]}, this bundle is "
                    f"{bundle.card.hash[:12]}; give the bundle of the session."
                )
            core = Core(Plan.from_card(bundle.card))
            guard = StreamGuard(core)
            waiting.clear()
        if core is None:
            raise JournalError("The log does not begin with the start of a session; is the journal whole?")
        if not isinstance(entry, Produced):
            waiting += guard.feed(entry)
            continue
        window = waiting.popleft() if waiting else None
        if window is None or window.sequence != entry.sequence:
            given = "none" if window is None else str(window.sequence)
            raise JournalError(
                f"The log has a decision for window {entry.sequence}, but what precedes it gives "
                f"{given}; it was written by another version, or is not whole."
            )
        logits = None
        if entry.batch and window.data is not None:
            rows, _ = inference.logits(window.data[np.newaxis], size=entry.batch, montage=window.montage)
            logits = rows[0]
        decision = guard.decide(window, logits, entry)
        if decision is not None:
            yield decision
