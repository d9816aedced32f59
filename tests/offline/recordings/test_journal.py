"""Journals read back as recordings."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import JournalError, RecordingError
from offline.recordings import read_recording
from offline.recordings.journal import read_journal
from realtime.log import (
    ClockMeasured,
    Entry,
    EventReceived,
    Origin,
    OriginKind,
    Produced,
    Received,
    SessionStarted,
    StreamOpened,
    StreamReset,
)
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sinks.journal.journal import JournalWriter, next_run
from realtime.sources.recording import Event

SPEC = SignalSpec(
    tuple(
        Channel(
            name=f"S1-D{d} {nm}", kind=Kind.INTENSITY, unit="V", source=1, detector=d, wavelength=float(nm)
        )
        for d in (1, 2)
        for nm in (760, 850)
    ),
    10.0,
)
STARTED = SessionStarted(0.0, "bed-1", 1, "", {})
OPENED = StreamOpened(1.0, SPEC, Origin(), "Aurora")


def write(path: Path, entries: list[Entry]) -> Path:
    def trouble(message: str) -> None:
        raise AssertionError(message)

    with JournalWriter(path, on_trouble=trouble) as journal:
        for entry in entries:
            journal.append(entry)
    return path


def received(stamps: list[float], rows: int = 4, first: float = 1.0) -> Received:
    values = first + np.arange(rows * len(stamps), dtype=np.float32).reshape(rows, len(stamps))
    return Received(stamps[-1] + 0.01, np.array(stamps), values)


def test_samples_stamps_events_and_date_come_back(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bed.hemostream",
        [
            STARTED,
            OPENED,
            ClockMeasured(1.1, 1000.0, 1.7e9),
            received([2.0, 2.1]),
            EventReceived(2.15, 1002.15, "task"),
            Produced(2.2, 0, 1),
            ClockMeasured(2.2, 1000.001, 1.7e9 + 0.002),
            received([2.2], first=100.0),
            EventReceived(2.3, 1002.05, "rest"),
        ],
    )
    recording = read_journal(path)
    assert recording.name == "bed"
    assert recording.spec == SPEC
    assert recording.times.tolist() == [1002.0, 1002.1, 2.2 + 1000.001]
    assert recording.data.dtype == np.float64
    assert recording.data.tolist() == [[1, 2, 100], [3, 4, 101], [5, 6, 102], [7, 8, 103]]
    assert recording.events == (Event(1002.05, "rest"), Event(1002.15, "task"))
    assert recording.start_utc == pytest.approx(1.7e9, abs=1e-6)
    assert recording.notes["session"] == "bed-1"
    assert recording.notes["run"] == 1
    assert recording.notes["lost"] == []
    assert read_recording(path).times.tolist() == recording.times.tolist()


def test_labels_of_earlier_sessions_are_read_as_all_others(tmp_path: Path) -> None:
    events = [
        EventReceived(2.0, 2.0, "left\r\n"),
        EventReceived(2.1, 2.1, "1.0"),
        EventReceived(2.2, 2.2, " "),
    ]
    recording = read_journal(write(tmp_path / "j", [STARTED, OPENED, received([2.0]), *events]))
    assert recording.events == (Event(2.0, "left"), Event(2.1, "1"))


def test_a_clock_that_was_never_set_gives_no_date(tmp_path: Path) -> None:
    path = write(tmp_path / "j.sqlite", [STARTED, OPENED, ClockMeasured(1.0, 0.0, 300.0), received([1.0])])
    recording = read_recording(path)
    assert recording.start_utc is None
    assert "placeholder" in recording.notes["remarks"][0]


def test_markers_on_another_clock_are_reported(tmp_path: Path) -> None:
    far = EventReceived(2.0, 1.7e9, "task")
    recording = read_recording(write(tmp_path / "j.sqlite", [STARTED, OPENED, received([1.0, 2.0]), far]))
    assert "1 of 1 events lie outside the recording (1 to 2 s" in recording.notes["remarks"][0]


def test_only_the_understood_rows_are_channels(tmp_path: Path) -> None:
    opened = StreamOpened(1.0, SPEC, Origin(), "Aurora", rows=(5, 0, 2, 3))
    recording = read_journal(write(tmp_path / "j.sqlite", [STARTED, opened, received([1.0], rows=6)]))
    assert recording.data[:, 0].tolist() == [6.0, 1.0, 3.0, 4.0]
    too_few = write(tmp_path / "k.sqlite", [STARTED, opened, received([1.0], rows=5)])
    with pytest.raises(RecordingError, match=r"5 rows .* names row 5"):
        read_journal(too_few)


def test_what_was_not_measured_is_missing(tmp_path: Path) -> None:
    data = np.array([[1.0], [0.0], [np.nan], [-2.0]])
    recording = read_journal(write(tmp_path / "j", [STARTED, OPENED, Received(1.0, np.array([1.0]), data)]))
    assert recording.missing[:, 0].tolist() == [False, True, True, True]


@settings(max_examples=20)
@given(speed=st.floats(0.5, 50.0), anchor=st.floats(0, 1e5), offset=st.floats(-1e4, 1e4))
def test_a_replays_first_sample_has_the_utc_at_which_it_was_sent(
    tmp_path_factory: pytest.TempPathFactory, speed: float, anchor: float, offset: float
) -> None:
    origin = Origin(OriginKind.REPLAYED, speed, anchor)  # on the sender's clock
    sent = anchor + 3.0  # three seconds after the replay began, by the sender's clock
    stamp = origin.stream_time(sent)
    path = write(
        tmp_path_factory.mktemp("j") / "j",
        [
            STARTED,
            StreamOpened(1.0, SPEC, origin, "replay"),
            ClockMeasured(1.1, offset, 1.7e9),
            received([stamp, stamp + 0.1]),
        ],
    )
    recording = read_journal(path)
    assert recording.times[0] == pytest.approx(stamp + offset)
    assert recording.start_utc is not None
    assert recording.start_utc + recording.times[0] == pytest.approx(sent + offset + 1.7e9, abs=1e-5)
    assert (recording.notes["origin"], recording.notes["speed"]) == ("replayed", speed)


def test_without_a_date_none_is_made_up(tmp_path: Path) -> None:
    undated = [STARTED, OPENED, ClockMeasured(1.1, 0.0, None), received([1.0])]
    assert read_journal(write(tmp_path / "j", undated)).start_utc is None


def test_a_stream_that_came_back_is_the_same_recording(tmp_path: Path) -> None:
    again = StreamOpened(9.0, SPEC, Origin(), "Aurora", source_id="another outlet")
    log = [STARTED, OPENED, received([1.0]), StreamReset(8.0, "stream"), again, received([9.0])]
    recording = read_journal(write(tmp_path / "j", log))
    assert recording.times.tolist() == [1.0, 9.0]
    assert recording.notes["resets"] == 1


@pytest.mark.parametrize(
    "other",
    [
        StreamOpened(9.0, SPEC.pick([0, 1]), Origin(), "OxySoft"),
        StreamOpened(9.0, SPEC, Origin(OriginKind.REPLAYED, 2.0), "OxySoft"),
    ],
    ids=["other channels", "other clock"],
)
def test_another_stream_is_another_recording(tmp_path: Path, other: StreamOpened) -> None:
    path = write(tmp_path / "j", [STARTED, OPENED, received([1.0]), other])
    with pytest.raises(RecordingError, match=r"'Aurora'.*followed by 'OxySoft'"):
        read_journal(path)


def test_of_several_runs_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    for run in (1, 2):
        assert next_run(path, "bed-1") == run
        write(path, [SessionStarted(0.0, "bed-1", run, "", {}), OPENED, received([float(run)])])
    with pytest.raises(RecordingError, match=r"2 runs: 1, 2\. Say which with --run"):
        read_journal(path)
    recording = read_journal(path, run=2)
    assert (recording.times.tolist(), recording.name) == ([2.0], "bed-run2")
    with pytest.raises(JournalError, match="no run 3"):
        read_journal(path, run=3)


@pytest.mark.parametrize(
    "log", [[STARTED], [STARTED, OPENED], []], ids=["no stream", "no samples", "nothing"]
)
def test_a_journal_without_samples_says_so(tmp_path: Path, log: list[Entry]) -> None:
    with pytest.raises(RecordingError, match="holds no samples"):
        read_journal(write(tmp_path / "j", log))


def test_samples_without_a_stream_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="before any stream"):
        read_journal(write(tmp_path / "j", [STARTED, received([1.0])]))


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("recording\tperson\n")
    with pytest.raises(JournalError, match="cannot be read as a journal"):
        read_journal(tmp_path / "j")
