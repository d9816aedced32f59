"""Markers over real LSL: a session journals of them what a reader finds in a file of the same streams."""

import time
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pylsl
import pytest

from realtime.log import EventReceived, Origin, Received
from realtime.sources.lsl.source import LslSource, StreamChoice
from realtime.sources.lsl.stream_info import stream_info
from realtime.sources.markers import Marks
from tests.realtime.support import intensity_spec

DEADLINE_S = 60.0
SPEC = intensity_spec(1)


class Heard:
    """A session's source with a signal of ours, and the events that it gives."""

    def __init__(self, markers: pylsl.StreamInfo) -> None:
        name = f"cap-{uuid.uuid4().hex[:8]}"
        self.signal = pylsl.StreamOutlet(stream_info(SPEC, name=name, source_id=name, origin=Origin()))
        self.markers = pylsl.StreamOutlet(markers)
        self.log: list[object] = []
        self.errors: list[Exception] = []
        choice = StreamChoice(
            predicate=f"name='{name}'", wait_s=DEADLINE_S, events=f"source_id='{markers.source_id()}'"
        )
        self.source = LslSource(choice, emit=self.log.append, failed=self.errors.append)

    def wait(self, holds: Callable[[], object], why: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, f"waited in vain for {why}"
            self.signal.push_sample([1.0] * len(SPEC))
            time.sleep(0.02)

    def events(self) -> list[tuple[float, str]]:
        return [(e.stamp, e.label) for e in list(self.log) if isinstance(e, EventReceived)]


@pytest.fixture
def hear() -> Iterator[Callable[[pylsl.StreamInfo], Heard]]:
    started: list[Heard] = []

    def begin(markers: pylsl.StreamInfo) -> Heard:
        heard = Heard(markers)
        started.append(heard)
        heard.source.start()
        heard.wait(lambda: any(isinstance(e, Received) for e in list(heard.log)), "samples")
        heard.wait(heard.markers.have_consumers, "a listener to the markers")
        return heard

    yield begin
    for heard in started:
        heard.source.close()
        assert not heard.errors


def info(rate: float, form: str, channels: int = 1) -> pylsl.StreamInfo:
    return pylsl.StreamInfo("marks", "Markers", channels, rate, form, uuid.uuid4().hex)


@pytest.mark.parametrize("form", ["int32", "float32"])
def test_a_held_trigger_line_is_an_event_where_it_rises(
    hear: Callable[[pylsl.StreamInfo], Heard], form: str
) -> None:
    heard = hear(info(10.0, form))
    line = np.repeat([0, 1, 0, -1, 0, 3, 1, 0, 9], [5, 20, 5, 5, 5, 20, 5, 5, 1])[:, None]
    stamps = pylsl.local_clock() + np.arange(len(line)) / 10
    for row, stamp in zip(line.tolist(), stamps.tolist(), strict=True):
        heard.markers.push_sample(row, stamp)
    heard.wait(lambda: "9" in [label for _, label in heard.events()], "the last event")
    assert [label for _, label in heard.events()] == ["1", "3", "9"]
    of_a_file = Marks(10.0).take(line, stamps)
    for (onset, label), (expected, same) in zip(heard.events(), of_a_file, strict=True):
        assert label == same
        assert onset == pytest.approx(expected, abs=0.05)  # but for the offset between one clock and itself


def test_labels_hold_all_values_and_no_line_ends(hear: Callable[[pylsl.StreamInfo], Heard]) -> None:
    heard = hear(info(0.0, "string", 2))
    for sample in (["trial", "left\r\n"], ["trial ", "right"], [" ", "\n"], ["1.0", ""], ["end", ""]):
        heard.markers.push_sample(sample)
    heard.wait(lambda: "end" in [label for _, label in heard.events()], "the last event")
    assert [label for _, label in heard.events()] == ["trial left", "trial right", "1", "end"]
