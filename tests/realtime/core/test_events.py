"""Events reach the stages at their own time, at whatever speed a stream is replayed."""

from dataclasses import replace

import numpy as np
import pytest

from models.cards.window_card import CardEvidence, EvidenceBlock
from models.evidence.accumulation import Law
from realtime.core import Core, Plan
from realtime.log import Origin, OriginKind, StreamOpened
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Event, Recording, entries
from realtime.windows import Window

RATE = 10.0
SPEC = SignalSpec(
    tuple(Channel(name=f"S{i}_D{i} hbo", kind=Kind.HBO, unit="mol/L", source=i, detector=i) for i in (1, 2)),
    RATE,
)
PIPELINE = [
    {"stage": "resample", "rate": RATE, "measure_s": 2.0},
    {"stage": "cue_reference", "before_s": 4.0},
]


BLOCKS = CardEvidence(
    law=Law(centre=0.0, mu=1.0, between=0.5, within=1.0, tau=5.0),
    block=EvidenceBlock(events=["go"], first_s=0.0, last_s=9.0),
)


def _windows(*onsets: float, speed: float = 1.0, chunk_samples: int = 256) -> list[Window]:
    n = 900
    data = np.random.default_rng(0).standard_normal((2, n)).cumsum(axis=1) * 1e-7
    recording = Recording(
        name="walk",
        spec=SPEC,
        data=data,
        times=50.0 + np.arange(n) / RATE,
        missing=np.zeros((2, n), dtype=bool),
        events=tuple(Event(onset, "go") for onset in onsets),
    )
    core = Core(Plan(SPEC, PIPELINE, length_s=3.0, step_s=1.0, evidence=BLOCKS))
    given: list[Window] = []
    for entry in entries(recording, chunk_samples=chunk_samples):
        if isinstance(entry, StreamOpened):
            entry = replace(entry, origin=Origin(OriginKind.REPLAYED, speed, 50.0))
        given += core.feed(entry)
    return given


def _data(windows: list[Window]) -> np.ndarray:
    return np.stack([window.data for window in windows if window.data is not None])


@pytest.mark.parametrize("speed", [0.5, 8.0, 60.0])
def test_a_replays_events_are_on_its_clock_as_its_samples_are(speed: float) -> None:
    expected = _data(_windows(70.03, 101.52))
    assert not np.array_equal(expected, _data(_windows()))
    np.testing.assert_allclose(_data(_windows(70.03, 101.52, speed=speed)), expected, atol=1e-12)


@pytest.mark.parametrize("chunk_samples", [1, 7, 900])
def test_chunks_do_not_matter_to_events(chunk_samples: int) -> None:
    onsets = [61.0 + 1.7 * i for i in range(40)]
    expected = _data(_windows(*onsets))
    np.testing.assert_allclose(_data(_windows(*onsets, chunk_samples=chunk_samples)), expected, atol=1e-12)


@pytest.mark.parametrize("chunk_samples", [1, 7, 900])
@pytest.mark.parametrize("speed", [1.0, 8.0])
def test_a_window_knows_the_last_event_before_it_began(chunk_samples: int, speed: float) -> None:
    onsets = [61.0, 64.0, 64.05, 90.0]  # also at the very edge of a window
    windows = _windows(*onsets, speed=speed, chunk_samples=chunk_samples)
    assert {window.cue for window in windows} == {None, 61.0, 64.0, 64.05, 90.0}
    for window in windows:
        past = [onset for onset in onsets if onset <= window.start]
        assert window.cue == (max(past) if past else None)
