"""A recording becomes MNE's Raw and comes back; what Raw cannot hold is refused or reported."""

from dataclasses import replace

import numpy as np
import pytest

from models.errors import RecordingError, SignalError
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Event, Recording

SPEC = SignalSpec(
    tuple(
        Channel(
            name=f"S{pair}-D1 {nm}", kind=Kind.INTENSITY, unit="V", source=pair, detector=1, wavelength=nm,
            source_position=(0.0, 0.03 * pair, 0.0), detector_position=(0.0, 0.0, 0.0),
        )
        for pair in (1, 2) for nm in (760.0, 850.0)
    ),
    10.0,
)  # fmt: skip


def recording(n: int = 50, start: float = 100.0) -> Recording:
    data = np.random.default_rng(0).uniform(1.0, 2.0, (4, n))
    missing = np.zeros((4, n), dtype=bool)
    missing[1, 3:6] = True
    events = (Event(start + 1.0, "tap", 2.0), Event(start + 3.0, "rest"))
    return Recording("r", SPEC, data, start + np.arange(n) / 10, missing, events, start_utc=1.7e9)


def test_there_and_back() -> None:
    before = recording()
    raw = before.to_raw()
    assert raw.info["sfreq"] == 10.0
    assert np.isnan(raw.get_data()[1, 3:6]).all()
    assert raw.info["meas_date"].timestamp() == 1.7e9 + 100.0
    after = Recording.from_raw(raw, name="r")
    assert after.spec == before.spec
    np.testing.assert_array_equal(after.missing, before.missing)
    np.testing.assert_array_equal(after.data[~after.missing], before.data[~before.missing])
    np.testing.assert_allclose(after.times, before.times - 100.0)
    assert [(e.onset, e.label, e.duration) for e in after.events] == [(1.0, "tap", 2.0), (3.0, "rest", 0.0)]
    assert after.start_utc == 1.7e9 + 100.0


def test_a_cropped_raw_keeps_its_events_where_they_were() -> None:
    after = Recording.from_raw(recording().to_raw().crop(tmin=0.5, tmax=4.0))
    assert after.times[0] == 0.0
    assert [event.onset for event in after.events] == pytest.approx([0.5, 2.5])
    assert after.start_utc == pytest.approx(1.7e9 + 100.5)


def test_what_raw_marks_as_bad_is_missing() -> None:
    raw = recording().to_raw()
    raw.info["bads"] = [raw.ch_names[2]]
    raw.annotations.append(2.0, 1.0, "BAD_motion")
    after = Recording.from_raw(raw)
    assert after.missing[2].all()
    assert after.missing[0, 20:31].all()
    assert not after.missing[0, :20].any()
    assert "BAD_motion" in after.remarks[0]


def test_the_measured_rate_counts_where_the_declared_one_is_not_true() -> None:
    before = recording()
    raw = replace(before, times=100.0 + np.arange(50) / 8).to_raw()
    assert raw.info["sfreq"] == pytest.approx(8.0)


def test_a_gap_is_refused_and_so_is_a_raw_without_light() -> None:
    before = recording()
    times = before.times.copy()
    times[30:] += 5.0
    with pytest.raises(
        RecordingError, match=r"'r': sample \d+ lies .* s off a grid of .*one rate without gaps"
    ):
        replace(before, times=times).to_raw()
    with pytest.raises(RecordingError, match="has 1 samples; expected two or more"):
        recording(n=1).to_raw()
    mne = pytest.importorskip("mne")
    eeg = mne.io.RawArray(np.zeros((2, 10)), mne.create_info(2, 10.0, "eeg"), verbose="error")
    with pytest.raises(SignalError, match="expected"):
        Recording.from_raw(eeg)
