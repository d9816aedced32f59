"""A bed, wired: a source that is handed in, a real journal, a network that was never trained."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.bundle import Bundle, read_bundle, write_bundle
from models.cards.window_card import CardEvidence, WindowCard
from models.errors import JournalError, SignalError, StreamError
from models.networks.registry import make_model
from realtime.decision import Decision
from realtime.inference import Inference
from realtime.log import (
    ClockMeasured,
    Entry,
    EventReceived,
    Origin,
    OriginKind,
    Received,
    SessionStarted,
    StreamLost,
    StreamOpened,
    StreamReset,
)
from realtime.rerun import predict_log
from realtime.session.interfaces import SessionSettings
from realtime.session.session import Session
from realtime.signal import SignalSpec
from realtime.sinks.journal.journal import JournalWriter, read_decisions, read_journal_entries
from realtime.status import State, Status
from tests.realtime.support import FAST, RATE, intensities, intensity_spec

SPEC = intensity_spec()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    torch.manual_seed(0)
    shape: dict[str, int] = {"n_chans": 4, "n_times": 70, "n_outputs": 2}
    card = WindowCard(
        model={"kind": "cgrnn", "params": {}, **shape},
        input=SPEC.to_json(),
        pipeline=[dict(stage) for stage in FAST],
        rate=RATE,
        window={"length_s": 7.0, "step_s": 1.0},
        labels=["rest", "task"],
        policy={"min_coverage": 0.9, "max_gap_s": 1.0, "max_age_s": 1e4, "min_confidence": 0.0},
        evidence={"memory_s": 20.0},
    )
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write_bundle(folder, card, make_model("cgrnn", {}, **shape))
    return read_bundle(folder)


class HandedIn:
    """A source that gives these entries from a thread of its own, then an error or nothing."""

    def __init__(self, entries: Iterable[Entry], error: Exception | None = None) -> None:
        self.entries, self.error = entries, error
        self.done: Callable[[], None] = lambda: None
        self.refusals: list[str] = []

    def make(self, emit: Callable[[Entry], None], failed: Callable[[Exception], None]) -> "HandedIn":
        def run() -> None:
            for entry in self.entries:
                emit(entry)
            if self.error is not None:
                failed(self.error)
            else:
                self.done()

        self.thread = threading.Thread(target=run)
        return self

    def start(self) -> None:
        self.thread.start()

    def refuse(self, reason: str) -> None:
        self.refusals.append(reason)

    def close(self) -> None:
        self.thread.join()


class Listener:
    """Notes what it is given: a sink and an observer in one."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.ends: list[float] = []
        self.decisions: list[Decision] = []
        self.states: list[Status] = []

    def publish(self, text: str, window_end: float) -> None:
        self.texts.append(text)
        self.ends.append(window_end)

    def decision(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def status(self, status: Status) -> None:
        self.states.append(status)


def entries(seconds: float = 60.0, spec: SignalSpec = SPEC, chunk: int = 3) -> list[Entry]:
    n = int(seconds * RATE)
    times, data = 100 + np.arange(n) / RATE, intensities(spec, n)
    log: list[Entry] = [
        StreamOpened(100.0, spec, Origin(), "device", "id", measured=True),
        ClockMeasured(100.0, 0.0, 1.7e9),
    ]
    for at in range(0, n, chunk):
        part = slice(at, at + chunk)
        log.append(Received(float(times[part][-1]), times[part], data[:, part]))
    return log


def run_session(
    bundle: Bundle,
    source: HandedIn,
    *,
    journal: Path | None = None,
    inference: Any = None,
    clock: Callable[[], float] | None = None,
    seconds: float | None = None,
    listener: Listener | None = None,
    run: int = 1,
) -> tuple[Session, Listener]:
    listener = listener or Listener()
    writer = JournalWriter(journal, on_trouble=lambda _: None) if journal else None
    # The source is as fast as it can be: a clock that steps at each reading will do.
    readings = itertools.count(100.0, 0.01)
    session = Session(
        bundle,
        inference=inference or Inference(bundle, device="cpu"),
        make_source=source.make,
        settings=SessionSettings(
            session="bed-7", run=run, local_clock=clock or readings.__next__, seconds=seconds
        ),
        sinks=[listener],
        journal=writer,
        observer=listener,
    )

    async def main() -> None:
        loop = asyncio.get_running_loop()
        source.done = lambda: loop.call_soon_threadsafe(session.stop)
        await session.run()

    asyncio.run(main())
    return session, listener


def test_the_journal_holds_what_was_published_and_its_log_gives_it_again(
    bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "bed.hemostream"
    session, heard = run_session(bundle, HandedIn(entries()), journal=path)
    assert session.decisions == 54
    assert [d.sequence for d in heard.decisions] == list(range(54))
    assert any(not d.abstained for d in heard.decisions)
    assert heard.texts == [d.to_json() for d in heard.decisions] == list(read_decisions(path))
    again = predict_log(read_journal_entries(path), bundle, Inference(bundle, device="cpu"))
    assert [d.to_json() for d in again] == heard.texts


def served_as(bundle: Bundle, **changes: Any) -> Bundle:
    """The bundle with other sections of its card."""
    return replace(bundle, card=bundle.card.model_copy(update=changes))


def test_undecided_windows_and_evidence_of_blocks_are_had_again_from_the_journal(
    bundle: Bundle, tmp_path: Path
) -> None:
    """Events come now before, now after the samples of their time; a law, a block and a threshold."""
    law = {"centre": 0.0, "mu": 1.0, "between": 0.5, "within": 1.0, "tau": 5.0}
    block = {"events": ["go"], "first_s": 0.0, "last_s": 12.0}
    rule = {"upper": 0.01, "lower": -0.01}
    evidence = CardEvidence.model_validate({"law": law, "block": block, "rule": rule, "memory_s": 20.0})
    _, before = run_session(bundle, HandedIn(entries()))
    least = float(np.median([max(d.probabilities.values()) for d in before.decisions if d.probabilities]))
    policy = {**bundle.card.policy, "min_confidence": least}
    its = served_as(bundle, evidence=evidence, policy=policy)
    log = entries()
    for at, stamp in ((80, 122.0), (100, 131.0), (140, 138.5)):
        log.insert(at, EventReceived(log[at].local, stamp, "go"))
    path = tmp_path / "bed.hemostream"
    _, heard = run_session(its, HandedIn(log), journal=path)
    again = predict_log(read_journal_entries(path), its, Inference(its, device="cpu"))
    assert [d.to_json() for d in again] == heard.texts
    usable = [d for d in heard.decisions if d.predicted]
    assert {d.reasons for d in usable} == {(), ("undecided",)}
    assert all((max((d.probabilities or {}).values()) >= least) == (not d.abstained) for d in usable)
    told = [d.evidence for d in heard.decisions]
    assert {each.effective_windows is None for each in told} == {True, False}
    assert any(each.stopped for each in told)
    begun = [i for i in range(1, len(told)) if told[i].windows < told[i - 1].windows]
    assert [heard.decisions[i].window_start for i in begun] == pytest.approx([122.0, 131.0, 139.0])


def test_a_model_that_was_never_evaluated_is_live_and_shows_no_label(bundle: Bundle) -> None:
    its = served_as(bundle, policy={"max_age_s": 1e4})
    _, heard = run_session(its, HandedIn(entries(30.0)))
    assert State.LIVE in {status.state for status in heard.states}
    assert {status.evaluation for status in heard.states} == {"never evaluated on unseen people"}
    assert all(status.labels.startswith("no label is shown") for status in heard.states)
    assert all(d.abstained for d in heard.decisions)
    undecided = [d for d in heard.decisions if d.reasons == ("undecided",)]
    assert undecided
    assert all(d.probabilities is not None for d in undecided)
    assert heard.decisions[-1].evidence.windows == len(undecided)


def test_runs_that_share_a_journal_are_predicted_again_each_by_itself(bundle: Bundle, tmp_path: Path) -> None:
    """A run that ends with windows undecided leaves nothing behind for the next one."""
    path = tmp_path / "bed.hemostream"
    run_session(bundle, HandedIn(entries(30.0)), journal=path)
    cut = entries(9.0)
    with JournalWriter(path, on_trouble=lambda _: None) as writer:  # killed before it decided
        writer.append(SessionStarted(100.0, "bed-7", 2, bundle.card.hash))
        for entry in cut:
            writer.append(entry)
    readings = itertools.count(100.0, 0.01)
    run_session(bundle, HandedIn(entries(25.0)), journal=path, run=3, clock=readings.__next__)
    again = [
        d.to_json() for d in predict_log(read_journal_entries(path), bundle, Inference(bundle, device="cpu"))
    ]
    assert again == list(read_decisions(path))
    assert {Decision.from_json(text).run for text in again} == {1, 3}
    assert len({Decision.from_json(text).identity for text in again}) == len(again) == 24 + 19


class Doubting(Listener):
    """Looks into the journal whenever a decision is published."""

    def __init__(self, journal: Path) -> None:
        super().__init__()
        self.journal = journal
        self.absent: list[str] = []

    def publish(self, text: str, window_end: float) -> None:
        super().publish(text, window_end)
        if text not in read_decisions(self.journal):
            self.absent.append(text)


def test_what_is_published_is_already_committed(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    _, heard = run_session(bundle, HandedIn(entries(30.0)), journal=path, listener=Doubting(path))
    assert isinstance(heard, Doubting)
    assert len(heard.texts) == 24
    assert heard.absent == []


def test_a_burst_is_predicted_in_one_batch_and_again_the_same(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    _, heard = run_session(bundle, HandedIn(entries(chunk=200)), journal=path)
    again = predict_log(read_journal_entries(path), bundle, Inference(bundle, device="cpu"))
    assert [d.to_json() for d in again] == heard.texts


def test_sinks_are_reported_the_local_time_of_a_replay_from_another_machine(bundle: Bundle) -> None:
    """Its anchor is stamped on the other machine's clock: 1000 s ahead, at four times real time."""
    log = entries(30.0)
    log[0] = replace(log[0], origin=Origin(OriginKind.REPLAYED, 4.0, 100.0))
    log[1] = ClockMeasured(100.0, -1000.0, 1.7e9)
    _, heard = run_session(bundle, HandedIn(log))
    assert len(heard.ends) == 24
    for end, decision in zip(heard.ends, heard.decisions, strict=True):
        assert end == pytest.approx(-900 + (decision.window_end + 900) / 4)
        assert decision.window_end_utc is not None
        utc = datetime.fromisoformat(decision.window_end_utc).timestamp()
        assert utc == pytest.approx(1.7e9 + end, abs=1e-3)


def test_the_states_it_goes_through_are_reported(bundle: Bundle) -> None:
    _, heard = run_session(bundle, HandedIn(entries()))
    states = list(dict.fromkeys(status.state for status in heard.states))
    assert states[0] is State.WAITING
    assert states[1] is State.BASELINE
    assert states[-1] is State.OFFLINE
    assert heard.states[-1].reason == "session ended"
    assert heard.states[-1].journal is None


def test_an_end_in_time_is_counted_from_the_first_possible_window(bundle: Bundle) -> None:
    _, heard = run_session(bundle, HandedIn(entries(90.0, chunk=1)), seconds=10.0)
    warm = [d for d in heard.decisions if "warming up" not in d.reasons]
    assert len(warm) >= 11
    assert warm[10].window_end - warm[0].window_end == pytest.approx(10.0)


class Failing:
    """Inference on a device that is lost."""

    device_name, sizes, on_cpu = "cuda (lost)", (1,), True

    def logits(self, windows: np.ndarray, **how: Any) -> tuple[np.ndarray, np.ndarray]:
        raise RuntimeError("CUDA error: device lost")


def test_inference_that_raises_abstains_and_is_reported(bundle: Bundle) -> None:
    _, heard = run_session(bundle, HandedIn(entries()), inference=Failing())
    predicted = [d for d in heard.decisions if "warming up" not in d.reasons]
    assert predicted
    assert {d.reasons for d in predicted} == {("inference failed",)}
    assert "device lost" in heard.states[-1].reason


class OffLoop:
    """Inference that says it is not on the CPU, and notes in which threads it runs."""

    device_name, sizes, on_cpu = "elsewhere", (1, 8, 64), False

    def __init__(self, bundle: Bundle, threads: set[str]) -> None:
        self._inference, self._threads = Inference(bundle, device="cpu"), threads

    def logits(self, windows: np.ndarray, **how: Any) -> Any:
        self._threads.add(threading.current_thread().name)
        return self._inference.logits(windows, **how)


def test_on_a_device_inference_runs_off_the_loop_with_the_same_result(bundle: Bundle) -> None:
    """The path that a GPU takes: an executor instead of the loop."""
    _, straight = run_session(bundle, HandedIn(entries()))
    threads: set[str] = set()
    _, other = run_session(bundle, HandedIn(entries()), inference=OffLoop(bundle, threads))
    assert [d.probabilities for d in straight.decisions] == [d.probabilities for d in other.decisions]
    assert threads
    assert "MainThread" not in threads


def test_a_source_that_fails_ends_the_session_with_a_whole_journal(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    with pytest.raises(StreamError, match="2 streams match"):
        run_session(bundle, HandedIn(entries(20.0), StreamError("2 streams match")), journal=path)
    received = [e for e in read_journal_entries(path) if isinstance(e, Received)]
    assert sum(len(e.stamps) for e in received) == 200


def test_a_stream_without_the_channels_is_refused_by_name(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    with pytest.raises(SignalError, match="S2_D2 850"):
        run_session(bundle, HandedIn(entries(10.0, SPEC.pick([0, 1, 2]))), journal=path)
    assert any(isinstance(e, StreamOpened) for e in read_journal_entries(path))


def test_a_log_of_another_model_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    run_session(bundle, HandedIn(entries(10.0)), journal=path)
    other = replace(bundle, card=bundle.card.model_copy(update={"hash": "f" * 64}))
    with pytest.raises(JournalError, match="give the bundle of the session"):
        list(predict_log(read_journal_entries(path), other, Inference(bundle, device="cpu")))


def test_an_end_inside_a_burst_keeps_the_order(bundle: Bundle) -> None:
    """The decision that ends the session is one of many that one entry completes."""
    _, heard = run_session(bundle, HandedIn(entries(90.0, chunk=300)), seconds=5.0)
    assert [d.sequence for d in heard.decisions] == list(range(len(heard.decisions)))
    assert heard.states[-1].state is State.OFFLINE


def test_gaps_and_dropped_samples_are_reported(bundle: Bundle) -> None:
    log = entries(60.0)
    lost = [e for i, e in enumerate(log) if not 100 < i < 110]
    repeated = [*lost[:150], lost[149], *lost[150:]]
    _, heard = run_session(bundle, HandedIn(repeated))
    assert heard.states[-1].clock.gaps == 1
    assert heard.states[-1].clock.dropped == 3


def shifted(log: Iterable[Entry], seconds: float) -> list[Entry]:
    """The same, later."""
    return [
        replace(e, local=e.local + seconds, stamps=e.stamps + seconds)
        if isinstance(e, Received)
        else replace(e, local=e.local + seconds)
        for e in log
    ]


def told_states(heard: Listener) -> list[State]:
    """States in the order in which they were published, each change once."""
    return [state for state, _ in itertools.groupby(status.state for status in heard.states)]


def again(path: Path, bundle: Bundle) -> list[str]:
    log = read_journal_entries(path)
    return [d.to_json() for d in predict_log(log, bundle, Inference(bundle, device="cpu"))]


def test_a_stream_that_is_lost_and_comes_back_is_reported_and_predicted_again_the_same(
    bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "bed.hemostream"
    order = [3, 1, 0, 2]
    back = shifted(entries(40.0, SPEC.pick(order)), 50.0)
    log = [*entries(40.0), StreamLost(141.0, "the outlet closed"), *back]
    _, heard = run_session(bundle, HandedIn(log), journal=path, clock=lambda: 190.0)
    states = told_states(heard)
    gone = states.index(State.LOST)
    before, after = states[:gone], states[gone + 1 :]
    assert before[:3] == [State.WAITING, State.BASELINE, State.LIVE]
    assert after[:2] == [State.RECOVERING, State.LIVE]
    assert after[-1] is State.OFFLINE
    # On a busy machine the session itself may fall behind for a moment, and says so.
    assert {*before[3:], *after[2:-1]} <= {State.STALLED, State.RECOVERING, State.LIVE}
    lost = next(s for s in heard.states if s.state is State.LOST)
    assert lost.reason == "the outlet closed"
    assert lost.since_utc == datetime.fromtimestamp(1.7e9 + 141.0, UTC).isoformat(timespec="seconds")
    assert again(path, bundle) == heard.texts
    # The right rows, by name: the same values in another order give the same answers.
    _, plain = run_session(bundle, HandedIn(shifted(entries(40.0), 50.0)))
    _, other = run_session(
        bundle,
        HandedIn(
            [
                replace(e, data=e.data[order])
                if isinstance(e, Received)
                else replace(e, spec=SPEC.pick(order))
                if isinstance(e, StreamOpened)
                else e
                for e in shifted(entries(40.0), 50.0)
            ]
        ),
    )
    assert [d.probabilities for d in plain.decisions] == [d.probabilities for d in other.decisions]


def test_a_replacement_that_cannot_be_used_ends_no_session(bundle: Bundle, tmp_path: Path) -> None:
    """One that lacks channels, then one that is far too slow, then the right one."""
    path = tmp_path / "bed.hemostream"
    slow = SignalSpec(SPEC.channels, 4.0)
    n = 200
    times, data = 240 + np.arange(n) / 4.0, intensities(slow, n)
    log: list[Entry] = [
        *entries(30.0),
        *shifted(entries(10.0, SPEC.pick([0, 1])), 100.0),
        StreamOpened(240.0, slow, Origin(), "device", "id"),
        *(Received(float(t), times[i : i + 1], data[:, i : i + 1]) for i, t in enumerate(times)),
        *shifted(entries(30.0), 300.0),
    ]
    source = HandedIn(log)
    _, heard = run_session(bundle, source, journal=path)
    assert len(source.refusals) == 2
    assert "S2_D2 850" in source.refusals[0]
    assert "the model needs 10 Hz" in source.refusals[1]
    lost = [s.reason for s in heard.states if s.state is State.LOST]
    assert "2 of the 4 channels that the model needs are lacking" in lost[0]
    assert heard.states[-1].reason == "session ended"
    assert any(d.window_start >= 400.0 and not d.abstained for d in heard.decisions)
    assert not any(200.0 <= d.window_end < 240.0 for d in heard.decisions)
    # What was refused stands in the journal too, and moves no decision there either.
    assert len([e for e in read_journal_entries(path) if isinstance(e, Received)]) == 100 + 34 + 200 + 100
    assert again(path, bundle) == heard.texts


def test_what_arrives_while_it_ends_is_kept(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"

    class Late(HandedIn):
        def close(self) -> None:
            super().close()
            for entry in shifted(entries(2.0)[2:], 30.0):
                self.emit(entry)

        def make(self, emit: Callable[[Entry], None], failed: Callable[[Exception], None]) -> "Late":
            self.emit = emit
            super().make(emit, failed)
            return self

    _, heard = run_session(bundle, Late(entries(30.0)), journal=path)
    received = [e for e in read_journal_entries(path) if isinstance(e, Received)]
    assert sum(len(e.stamps) for e in received) == 320
    assert len(heard.texts) == 24
    assert again(path, bundle) == heard.texts


def test_a_wall_clock_that_is_set_moves_no_window_and_is_reported(bundle: Bundle) -> None:
    """By an hour, in the middle: the stream's clock is another one."""
    log = entries(60.0, chunk=1)
    plain = run_session(bundle, HandedIn(log), clock=lambda: 130.0)[1]
    at = next(i for i, e in enumerate(log) if e.local > 130.05)
    moved = [*log[:at], ClockMeasured(130.05, 0.0, 1.7e9 + 3600.0), *log[at:]]
    heard = run_session(bundle, HandedIn(moved), clock=lambda: 130.0)[1]
    assert [(d.sequence, d.window_start, d.window_end, d.probabilities) for d in heard.decisions] == [
        (d.sequence, d.window_start, d.window_end, d.probabilities) for d in plain.decisions
    ]
    assert plain.states[-1].wall_clock_steps == 0
    assert heard.states[-1].wall_clock_steps == 1
    assert any("wall clock was set by +3600.0 s" in s.reason for s in heard.states)
    # All times of a decision are on one mapping: before, or after, never both.
    offsets = []
    for d in heard.decisions:
        assert d.window_start_utc is not None
        assert d.window_end_utc is not None
        assert d.produced_at_utc is not None
        start, end, produced = (
            datetime.fromisoformat(text).timestamp()
            for text in (d.window_start_utc, d.window_end_utc, d.produced_at_utc)
        )
        assert end - start == pytest.approx(7.0, abs=1e-4)
        assert produced - end == pytest.approx(d.age_s, abs=1e-4)
        offsets.append(round(end - d.window_end - 1.7e9))
    assert offsets == sorted(offsets)
    assert set(offsets) == {0, 3600}


def test_a_clock_that_was_reset_starts_over_and_is_reported(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    log = [
        *entries(40.0),
        StreamReset(140.0, "clock"),
        ClockMeasured(140.0, -1000.0, 1.7e9),
        *shifted(entries(40.0)[2:], 1040.0),
    ]
    _, heard = run_session(bundle, HandedIn(log), journal=path, clock=lambda: 190.0)
    assert State.RECOVERING in told_states(heard)
    ends = [d.window_end for d in heard.decisions]
    assert ends == sorted(ends)
    assert max(ends) == pytest.approx(180.0, abs=1.0)
    assert again(path, bundle) == heard.texts


def test_a_clock_that_went_back_without_a_word_is_reported_before_the_next_window(
    bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "bed.hemostream"
    back = [replace(entry, local=entry.local + 60.0) for entry in shifted(entries(40.0)[2:], -20.0)]
    log = [*entries(40.0), *back]
    _, heard = run_session(bundle, HandedIn(log), journal=path, clock=lambda: 190.0)
    assert any(s.state is State.RECOVERING and "clock was set" in s.reason for s in heard.states)
    assert again(path, bundle) == heard.texts
