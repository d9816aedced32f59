"""A replay over real LSL: everything arrives, stamped by the rule, and says that it is a replay."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pylsl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import write_bundle
from models.cards.window_card import CardRecording, WindowCard
from models.errors import RecordingError, StreamError
from models.networks.registry import make_model
from offline.recordings import read_recording
from realtime.log import Origin, OriginKind
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.lsl.stream_info import layout_from_info, origin_from_info
from realtime.sources.recording import Event, Recording
from tests.realtime.support import bold_spec
from tools.commands import replay as command
from tools.commands.replay import Replay, ReplayReport, replay, replay_recording
from tools.commands.simulate import simulate
from tools.replay.schedule import schedule

DEADLINE_S = 30.0


def make_recording(times: list[float], events: tuple[Event, ...] = (), n_channels: int = 4) -> Recording:
    channels = tuple(
        Channel(
            name=f"S{i // 2 + 1}_D1 {w:g}",
            kind=Kind.INTENSITY,
            unit="V",
            source=i // 2 + 1,
            detector=1,
            wavelength=w,
            distance=0.03,
        )
        for i, w in zip(range(n_channels), (760.0, 850.0) * n_channels, strict=False)
    )
    rng = np.random.default_rng(len(times))
    data = rng.uniform(0.1, 1.0, (n_channels, len(times)))
    missing = rng.uniform(size=data.shape) < 0.05
    return Recording("walk", SignalSpec(channels, 10.0), data, np.array(times), missing, events)


@contextmanager
def running(outlets: Replay) -> Iterator[Callable[[], ReplayReport]]:
    """Run a replay in a thread; what is given waits for its end."""
    results: list[ReplayReport] = []
    thread = threading.Thread(target=lambda: results.append(outlets.run()))
    thread.start()

    def finish() -> ReplayReport:
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
        return results[0]

    try:
        yield finish
    finally:
        outlets.stop()
        thread.join(DEADLINE_S)
        outlets.close()


def open_inlet(source_id: str) -> pylsl.StreamInlet:
    found = pylsl.resolve_byprop("source_id", source_id, minimum=1, timeout=DEADLINE_S)
    assert len(found) == 1
    return pylsl.StreamInlet(found[0], processing_flags=pylsl.proc_none)


def collect(inlet: pylsl.StreamInlet, n: int) -> tuple[list[list[float]], list[float], list[float]]:
    values, stamps, arrivals = [], [], []
    until = time.monotonic() + DEADLINE_S
    while len(stamps) < n and time.monotonic() < until:
        value, stamp = inlet.pull_sample(timeout=1.0)
        if stamp is not None:
            arrivals.append(pylsl.local_clock())
            values.append(value)
            stamps.append(stamp)
    return values, stamps, arrivals


def test_everything_arrives_exactly_and_the_stream_says_what_it_is() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(np.r_[100.0, rng.uniform(0.02, 0.25, 299)]).tolist()
    events = (Event(99.0, "before"), Event(times[50], "LEFT", 5.0), Event(times[200] + 0.01, "RIGHT"))
    recording = make_recording(times, events)
    with Replay(recording, speed=50.0, linger_s=5.0) as outlets, running(outlets) as finish:
        signal, markers = open_inlet(outlets.source_id), open_inlet(outlets.source_id + "-events")
        markers.open_stream(DEADLINE_S)
        info, markers_info = signal.info(DEADLINE_S), markers.info(DEADLINE_S)
        values, stamps, arrivals = collect(signal, len(times))
        labels, marks, _ = collect(markers, len(events))
        signal.close_stream()
        result = finish()

    assert layout_from_info(info).spec == recording.spec
    origin = origin_from_info(info)
    assert origin == result.origin == Origin(OriginKind.REPLAYED, 50.0, origin.anchor)
    assert origin_from_info(markers_info) == origin
    assert (markers_info.type(), markers_info.name()) == ("Markers", "walk-events")

    expected = np.where(recording.missing, np.nan, recording.data)
    np.testing.assert_array_equal(np.array(values).T, expected)
    np.testing.assert_array_equal(stamps, result.first_stamp + (recording.times - recording.times[0]))
    assert result.samples == len(times)

    assert [label for (label,) in labels] == ["before", "LEFT", "RIGHT"]
    onsets = np.array([event.onset for event in events])
    np.testing.assert_array_equal(marks, result.first_stamp + (onsets - recording.times[0]))

    # By the declared mapping, samples arrive when their stamps say, but for the way.
    late = np.array([origin.stream_time(at) for at in arrivals]) - stamps
    assert late.min() > -1e-6 * origin.speed
    assert np.median(late) / origin.speed < 0.05


def test_at_speed_one_stamps_are_local_time() -> None:
    recording = make_recording([0.0, 0.1, 0.2, 0.3])
    with Replay(recording) as outlets, running(outlets) as finish:
        inlet = open_inlet(outlets.source_id)
        _, stamps, arrivals = collect(inlet, 4)
        inlet.close_stream()
        result = finish()
    assert result.first_stamp == result.first_local
    assert np.diff(stamps) == pytest.approx(0.1, abs=1e-6)
    assert 0 <= arrivals[0] - stamps[0] < 1.0


def test_a_bare_stream_describes_no_channel_but_says_that_it_is_replayed() -> None:
    recording = make_recording([0.0, 0.1])
    kind = OriginKind.SIMULATED
    with Replay(recording, layout="bare", speed=10.0, kind=kind) as outlets, running(outlets):
        inlet = open_inlet(outlets.source_id)
        info = inlet.info(DEADLINE_S)
        values, _, _ = collect(inlet, 2)
    assert len(values) == 2
    assert info.desc().child("channels").empty()
    assert (info.channel_count(), info.nominal_srate(), info.type()) == (4, 10.0, "NIRS")
    assert origin_from_info(info) == outlets.origin
    assert outlets.origin.kind is OriginKind.SIMULATED
    with pytest.raises(StreamError, match="layout"):
        layout_from_info(info)


def test_no_sample_is_sent_before_somebody_listens_and_waiting_ends() -> None:
    with pytest.raises(StreamError, match=r"Nobody connected to stream 'walk'.*0\.3 s"):
        replay_recording(make_recording([0.0, 0.1]), wait_s=0.3)


def test_a_closed_replay_says_so() -> None:
    outlets = Replay(make_recording([0.0]))
    outlets.close()
    with pytest.raises(StreamError, match="make a new one"):
        outlets.run()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_speed_must_be_a_number_above_zero(speed: float) -> None:
    with pytest.raises(StreamError, match="Speed is"):
        Replay(make_recording([0.0]), speed=speed)


def test_a_layout_that_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(StreamError, match=r"'aurara'.*mean 'aurora'.*bare.*full"):
        Replay(make_recording([0.0]), layout="aurara")


class FakeTime:
    """A clock that moves when somebody sleeps, and stands still for one hiccup."""

    def __init__(self, hiccup_at: float, hiccup_s: float) -> None:
        self.now = 1000.0
        self._hiccup_at = hiccup_at
        self._hiccup_s = hiccup_s

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= 1000.0 + self._hiccup_at and self._hiccup_s:
            self.now += self._hiccup_s
            self._hiccup_s = 0.0


def test_lateness_is_made_up_for_and_stamps_do_not_move() -> None:
    fake = FakeTime(hiccup_at=2.0, hiccup_s=0.55)
    recording = make_recording((np.arange(100) / 10.0).tolist())
    source_id = uuid.uuid4().hex
    with (
        Replay(recording, source_id=source_id, clock=fake.clock, sleep=fake.sleep, linger_s=0.0) as outlets,
        running(outlets) as finish,
    ):
        inlet = open_inlet(source_id)
        _, stamps, _ = collect(inlet, 100)
        result = finish()
    assert result.first_local == 1000.0
    np.testing.assert_array_equal(stamps, 1000.0 + recording.times)
    late = result.lateness > 1e-9
    # Sample 20 was due when the clock jumped; 5 more became due meanwhile; then all is in time.
    assert np.flatnonzero(late).tolist() == list(range(20, 26))
    assert result.lateness[25] == pytest.approx(0.05)
    assert fake.now == pytest.approx(1009.9)


@given(
    steps=st.lists(st.floats(-0.5, 2.0), min_size=1, max_size=40),
    onsets=st.lists(st.floats(-5.0, 60.0), max_size=6),
)
def test_a_schedule_keeps_the_order_and_loses_nothing(steps: list[float], onsets: list[float]) -> None:
    times = np.cumsum(steps).tolist()
    events = tuple(Event(onset, f"e{i}") for i, onset in enumerate(sorted(onsets)))
    recording = make_recording(times, events)
    whole = schedule(recording)
    due = [item.due for item in whole]
    assert due == sorted(due)
    assert [item.event for item in whole if item.event] == list(events)
    samples = [item for item in whole if item.event is None]
    assert [item.sample for item in samples] == list(range(len(times)))
    assert [item.after for item in samples] == [t - times[0] for t in times]
    assert all(item.due >= item.after for item in whole)


def test_a_stretch_has_the_samples_and_events_within_it() -> None:
    events = tuple(Event(float(t), str(t)) for t in range(10))
    recording = make_recording((np.arange(100) / 10.0).tolist(), events)
    items = schedule(recording, start=2.0, seconds=3.0)
    assert [item.event.label for item in items if item.event] == ["2", "3", "4"]
    assert [item.sample for item in items if item.event is None] == list(range(20, 50))
    assert items[0].due == 0.0


@pytest.mark.parametrize(("start", "seconds"), [(-1.0, None), (0.0, 0.0), (float("nan"), None), (50.0, None)])
def test_an_impossible_stretch_is_refused(start: float, seconds: float | None) -> None:
    with pytest.raises(RecordingError):
        schedule(make_recording([0.0, 0.1]), start, seconds)


def test_a_recording_without_samples_is_refused() -> None:
    empty = replace(
        make_recording([0.0]), data=np.empty((4, 0)), times=np.empty(0), missing=np.empty((4, 0), bool)
    )
    with pytest.raises(RecordingError, match="0 samples"):
        schedule(empty)


def test_the_command_reads_a_file_and_keeps_that_it_was_simulated(tmp_path: Path) -> None:
    simulate(tmp_path, people=1, seconds=30.0, pairs=2, short_pairs=0)
    source_id = uuid.uuid4().hex
    printed: list[str] = []
    path = tmp_path / "person-001_session-1.snirf"

    def run() -> None:
        printed.append(replay(path, speed=50.0, source_id=source_id, start=10.0, wait=DEADLINE_S))

    thread = threading.Thread(target=run)
    thread.start()
    inlet = open_inlet(source_id)
    info = inlet.info(DEADLINE_S)
    values, stamps, _ = collect(inlet, 200)
    inlet.close_stream()
    thread.join(DEADLINE_S)

    recording = read_recording(path)
    np.testing.assert_array_equal(np.array(values).T, recording.data[:, 100:])
    assert np.array(stamps) - stamps[0] == pytest.approx(
        recording.times[100:] - recording.times[100], abs=1e-6
    )
    assert origin_from_info(info).kind is OriginKind.SIMULATED
    assert layout_from_info(info).spec == recording.spec
    assert printed[0].startswith(
        "Sent 200 samples and 1 events of person-001_session-1, 20.0 s of signal at 50x, at most"
    )


def test_a_recording_is_sent_as_the_model_was_trained_unless_options_say_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A series that does not hold its repetition time is sent at that of the bundle."""
    path = tmp_path / "p.1D"
    np.savetxt(path, np.random.default_rng(0).normal(size=(30, 3)))
    shape: dict[str, int] = {"n_chans": 3, "n_times": 20, "n_outputs": 2}
    card = WindowCard(
        model={"kind": "lstm", "params": {}, **shape},
        input=bold_spec().to_json(),
        pipeline=[],
        rate=0.5,
        window={"length_s": 40.0, "step_s": 2.0},
        labels=["a", "b"],
        policy={"min_confidence": 0.0},
        recording=CardRecording(repetition_time=2.0),
    )
    write_bundle(tmp_path / "bundle", card, make_model("lstm", {}, **shape))
    sent: list[Recording] = []
    done = ReplayReport(Origin(OriginKind.REPLAYED), 0.0, 0.0, np.zeros(30), 0)
    monkeypatch.setattr(command, "replay_recording", lambda found, **_: sent.append(found) or done)
    replay(path, model=tmp_path / "bundle")
    replay(path, model=tmp_path / "bundle", repetition_time=3.0)
    assert [np.diff(found.times).tolist() for found in sent] == [[2.0] * 29, [3.0] * 29]
    with pytest.raises(RecordingError, match="repetition time"):
        replay(path)


def test_the_command_refuses_before_it_reads(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="Speed is"):
        replay(tmp_path / "absent.snirf", speed=0.0)
    with pytest.raises(RecordingError, match="There is no recording"):
        replay(tmp_path / "absent.snirf")
