"""The edge at which markers come in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.outside import LONGEST_LABEL
from realtime.log import Entry, EventReceived, SourceTrouble
from realtime.sources.lsl.events import MOST_A_SECOND, Markers
from realtime.sources.lsl.trouble import Troubles


def taken(values: np.ndarray, stamps: np.ndarray, local: float = 100.0) -> tuple[list[EventReceived], int]:
    log: list[Entry] = []
    troubles = Troubles(log.append, clock=lambda: local)
    Markers(log.append, troubles).take(values, stamps, local)
    troubles.report(all_of_it=True)
    events = [entry for entry in log if isinstance(entry, EventReceived)]
    return events, sum(entry.count for entry in log if isinstance(entry, SourceTrouble))


def texts(*raw: bytes) -> np.ndarray:
    values = np.empty((len(raw), 1), dtype=object)
    values[:, 0] = raw
    return values


@given(st.lists(st.binary(max_size=30) | st.binary(min_size=1100, max_size=1200), max_size=5))
def test_any_bytes_are_a_label_that_can_be_shown(raw: list[bytes]) -> None:
    events, _ = taken(texts(*raw), np.full(len(raw), 99.0))
    assert len(events) <= len(raw)
    assert len(events) >= sum(any(byte > 0x20 and byte < 0x7F for byte in one) for one in raw)
    for event in events:
        assert len(event.label) <= LONGEST_LABEL
        assert all(character >= " " for character in event.label)


def test_what_is_no_utf8_is_kept_as_latin_1() -> None:
    events, troubles = taken(texts("Übung".encode(), "Übung".encode("latin-1")), np.full(2, 99.0))
    assert [event.label for event in events] == ["Übung", "Übung"]
    assert not troubles


def test_numbers_are_written_as_they_always_were() -> None:
    assert taken(np.array([[7]], dtype=np.int32), np.array([1.0]))[0][0].label == "7"
    assert taken(np.array([[1.5]], dtype=np.float32), np.array([1.0]))[0][0].label == "1.5"


@pytest.mark.parametrize("stamp", [np.nan, np.inf, 1e19, -1e12])
def test_a_stamp_that_no_clock_gives_is_reported(stamp: float) -> None:
    assert taken(texts(b"a", b"b"), np.array([stamp, 99.0])) == ([EventReceived(100.0, 99.0, "b")], 1)


def test_what_a_sender_marks_as_rejected_and_what_began_before_is_reported_with_its_count() -> None:
    log: list[Entry] = []
    troubles = Troubles(log.append, clock=lambda: 100.0)
    line = Markers(log.append, troubles, 10.0)
    for first, codes in ((0, [3, 3, 0, -1, -1]), (5, [0, -2, 0, -1, 2])):
        line.take(np.array(codes)[:, None], 90.0 + (first + np.arange(5)) / 10, 100.0)
    troubles.report(all_of_it=True)
    reported = [(entry.reason, entry.count) for entry in log if isinstance(entry, SourceTrouble)]
    assert reported == [
        ("'3' at the first sample; when that began is not known", 1),
        ("below 0, marked as rejected", 3),
    ]
    assert [entry for entry in log if isinstance(entry, EventReceived)] == [EventReceived(100.0, 90.9, "2")]


def test_a_flood_is_cut_and_reported() -> None:
    n = MOST_A_SECOND + 300
    events, troubles = taken(texts(*[b"x"] * n), np.full(n, 99.0))
    assert (len(events), troubles) == (MOST_A_SECOND, 300)


def test_a_flood_is_counted_anew_each_second() -> None:
    log: list[Entry] = []
    markers = Markers(log.append, Troubles(log.append, clock=lambda: 0.0))
    for local, n, taken_then in (
        (0.2, MOST_A_SECOND - 1, MOST_A_SECOND - 1),
        (0.9, 10, 1),
        (1.0, MOST_A_SECOND, MOST_A_SECOND),
        (1.9, 1, 0),
        (7.0, 2, 2),
    ):
        before = sum(isinstance(entry, EventReceived) for entry in log)
        markers.take(texts(*[b"x"] * n), np.full(n, local), local)
        assert sum(isinstance(entry, EventReceived) for entry in log) - before == taken_then, local


@pytest.mark.parametrize(("length", "reported"), [(LONGEST_LABEL, 0), (LONGEST_LABEL + 1, 1)])
def test_a_label_that_is_shortened_is_reported(length: int, reported: int) -> None:
    (event,), troubles = taken(texts(b"x" * length), np.array([99.0]))
    assert len(event.label) <= LONGEST_LABEL
    assert troubles == reported


@pytest.mark.parametrize(("stamp", "reported"), [(1100.0, 1), (-300.0, 1), (109.0, 0), (-200.0, 0)])
@pytest.mark.parametrize("live", [True, False])
def test_a_marker_of_another_clock_is_kept_and_reported(stamp: float, reported: int, live: bool) -> None:
    log: list[Entry] = []
    markers = Markers(log.append, Troubles(log.append, clock=lambda: 100.0), live=live)
    markers.take(texts(b"go"), np.array([stamp]), 100.0)
    assert [entry.stamp for entry in log if isinstance(entry, EventReceived)] == [stamp]
    message = [entry.reason for entry in log if isinstance(entry, SourceTrouble)]
    assert len(message) == (reported if live else 0)
    assert all("from when it came, by a clock that the signal does not share" in reason for reason in message)


def test_what_waits_to_be_reported_is_reported_with_the_next_marker() -> None:
    log: list[Entry] = []
    now = [100.0]
    markers = Markers(log.append, Troubles(log.append, clock=lambda: now[0]))
    for now[0], stamp in ((100.0, np.nan), (100.1, np.nan), (102.0, 99.0)):
        markers.take(texts(b"a"), np.array([stamp]), now[0])
    assert [entry.count for entry in log if isinstance(entry, SourceTrouble)] == [1, 1]


def test_what_is_met_is_reported_once_a_second_with_its_count() -> None:
    log: list[Entry] = []
    now = [100.0]
    troubles = Troubles(log.append, clock=lambda: now[0])
    for _ in range(1000):
        now[0] += 0.0025
        troubles.rejected("markers", "\x1b[31m no")
    troubles.report(all_of_it=True)
    assert 3 <= len(log) <= 4
    assert sum(entry.count for entry in log if isinstance(entry, SourceTrouble)) == 1000
    assert all("\x1b" not in entry.reason for entry in log if isinstance(entry, SourceTrouble))


def test_a_part_that_fails_is_reported_once_and_when_it_works_again() -> None:
    log: list[Entry] = []
    troubles = Troubles(log.append, clock=lambda: 1.0)
    troubles.works("markers")
    for _ in range(3):
        troubles.failed("markers", ValueError("x"))
    troubles.works("markers")
    troubles.works("markers")
    assert log == [
        SourceTrouble(1.0, "markers", "ValueError: x", 0, failing=True),
        SourceTrouble(1.0, "markers", "", 0),
    ]
