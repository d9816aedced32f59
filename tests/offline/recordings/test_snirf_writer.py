"""What is written as SNIRF is read back the same by us, and read by MNE."""

from dataclasses import replace
from itertools import pairwise

import mne
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import RecordingError
from offline.recordings import read_recording
from offline.recordings.snirf import read_snirf
from offline.recordings.snirf_writer import segments, write_segments, write_snirf
from realtime.channels.optodes import standard_name
from realtime.signal import CONFOUNDS, UNITS, Channel, Kind, SignalSpec
from realtime.sources.markers import label_of
from realtime.sources.recording import Event, Recording

LIGHT = (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
metres = st.floats(-0.3, 0.3, allow_subnormal=False)
places = st.tuples(metres, metres, metres)
words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12)


def maybe(strategy):
    return st.none() | strategy


@st.composite
def recordings(draw):
    """Anything that SNIRF has a place for, gaps, missing cells and clocks of any origin included."""
    kinds = draw(
        st.lists(
            st.sampled_from([k for k in Kind if k not in (Kind.BOLD, *CONFOUNDS)]), min_size=1, max_size=3
        )
    )
    wavelengths = draw(
        st.lists(st.floats(600, 1000), min_size=2, max_size=3, unique_by=lambda nm: round(nm, 3))
    )
    whole = {nm: float(round(nm, -1)) for nm in wavelengths if nm != round(nm, -1)}
    apart = len({*whole.values(), *(set(wavelengths) - whole.keys())}) == len(wavelengths)
    nominal = whole if apart and draw(st.booleans()) else {}
    pairs = draw(
        st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=3, unique=True)
    )
    channels = [
        Channel(
            name=f"{draw(words)}:{kind}:{s}:{d}:{nm}",
            kind=kind,
            unit=draw(st.sampled_from(UNITS[kind])),
            source=s,
            detector=d,
            source_name=draw(maybe(words)),
            detector_name=draw(maybe(words)),
            wavelength=nm,
            nominal_wavelength=nominal.get(nm),
            # The optodes' places decide over the unit of length; ours are not places on a head.
            distance=draw(maybe(st.floats(0.01, 0.05))),
            position=draw(maybe(places)),
        )
        for kind in dict.fromkeys(kinds)
        for s, d in pairs
        for nm in (wavelengths if kind in LIGHT else [None])
    ]
    channels = draw(st.permutations(channels))
    spec = SignalSpec(tuple(channels), draw(st.floats(0, 100)))
    n = draw(st.integers(1, 12))
    steps = draw(st.lists(st.floats(1e-3, 100), min_size=n, max_size=n))
    times = draw(st.floats(0, 1e6)) + np.cumsum(steps)
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    missing = seed.random((len(spec), n)) < 0.2
    data = np.where(missing, np.nan, seed.lognormal(size=(len(spec), n)))
    events = draw(
        st.lists(
            st.builds(Event, st.floats(0, 2e6), words, st.floats(0, 100)),
            max_size=5,
            unique_by=lambda e: e.onset,
        )
    )
    # Onsets travel as differences to the first stamp, like every time in SNIRF.
    events = sorted(events, key=lambda event: event.onset)
    start = draw(maybe(st.floats(1e9, 4e9)))  # a date that can be
    notes = draw(st.dictionaries(words, words | st.integers(-9, 9), max_size=2))
    notes = {k: v for k, v in notes.items() if k not in ("format", "length_unit", "remarks")}
    return Recording("x", spec, data, times, missing, tuple(events), start, notes)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(recording=recordings())
def test_our_reader_gives_back_what_was_written(tmp_path, recording):
    again = read_recording(write_snirf(recording, tmp_path / "x.snirf"))
    assert again.spec == recording.spec
    np.testing.assert_array_equal(again.data, recording.data)
    np.testing.assert_array_equal(again.times, recording.times)
    np.testing.assert_array_equal(again.missing, recording.missing)
    assert [event.label for event in again.events] == [label_of([event.label]) for event in recording.events]
    for a, b in zip(again.events, recording.events, strict=True):
        assert a.onset == pytest.approx(b.onset, rel=1e-15, abs=1e-9)
        assert a.duration == b.duration
    assert again.start_utc == recording.start_utc
    assert {key: again.notes[key] for key in recording.notes} == recording.notes


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(recording=recordings(), gap=st.floats(1e-3, 200))
def test_segments_lose_nothing_and_hold_no_gap(recording, gap):
    parts = segments(recording, gap)
    np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), recording.times)
    np.testing.assert_array_equal(np.concatenate([part.data for part in parts], axis=1), recording.data)
    assert sorted(event for part in parts for event in map(repr, part.events)) == sorted(
        map(repr, recording.events)
    )
    assert all((np.diff(part.times) <= gap).all() for part in parts)
    for before, after in pairwise(parts):
        assert after.times[0] - before.times[-1] > gap


def cap(kinds=(Kind.INTENSITY,), n=100, start=600000.125):
    channels = []
    for kind in kinds:
        for s in (1, 2):
            for nm in (760.0, 850.0) if kind in LIGHT else (None,):
                channels.append(
                    Channel(
                        name=standard_name(s, 1, kind, nm),
                        kind=kind,
                        unit=UNITS[kind][0],
                        source=s,
                        detector=1,
                        wavelength=nm,
                        distance=0.03,
                        source_position=(0.03, 0.0, 0.0) if s == 1 else (0.0, 0.0, 0.03),
                        detector_position=(0.0, 0.0, 0.0),
                        position=(0.015, 0.0, 0.0) if s == 1 else (0.0, 0.0, 0.015),
                    )
                )
    rng = np.random.default_rng(0)
    data = rng.uniform(0.5, 1, (len(channels), n)) * (1e-6 if kinds[0] in (Kind.HBO, Kind.HBR) else 1)
    times = start + np.arange(n) / 10
    missing = np.zeros(data.shape, dtype=bool)
    missing[1, 3:5] = True
    events = (Event(times[20], "tap", 5.0), Event(times[70], "rest"))
    spec = SignalSpec(tuple(channels), 10.0)
    return Recording("cap", spec, data, times, missing, events, 1.7e9)


@pytest.mark.parametrize("kinds", [(Kind.INTENSITY,), (Kind.OPTICAL_DENSITY,), (Kind.HBO, Kind.HBR)])
def test_mne_reads_what_we_write(tmp_path, kinds):
    recording = cap(kinds)
    file = write_snirf(recording, tmp_path / "x.snirf")
    raw = mne.io.read_raw_snirf(file, preload=True, verbose="error")
    assert tuple(raw.ch_names) == recording.spec.names
    np.testing.assert_array_equal(raw.get_data(), np.where(recording.missing, np.nan, recording.data))
    assert raw.info["sfreq"] == pytest.approx(10)
    reported = [(note["onset"], note["duration"], note["description"]) for note in raw.annotations]
    assert reported == [(pytest.approx(2), 5, "tap"), (pytest.approx(7), 0, "rest")]
    # To the microsecond, which is all that MNE holds; ours is exact.
    assert raw.info["meas_date"].timestamp() == pytest.approx(1.7e9 + 600000.125, abs=1e-6)
    distances = mne.preprocessing.nirs.source_detector_distances(raw.info)
    np.testing.assert_allclose(distances, 0.03)


def test_mne_reads_a_montage_without_positions_and_an_unknown_start(tmp_path):
    recording = cap()
    bare = tuple(
        replace(c, position=None, source_position=None, detector_position=None)
        for c in recording.spec.channels
    )
    recording = replace(recording, spec=SignalSpec(bare, 10.0), start_utc=None)
    file = write_snirf(recording, tmp_path / "x.snirf")
    raw = mne.io.read_raw_snirf(file, verbose="error")
    assert tuple(raw.ch_names) == recording.spec.names
    again = read_recording(file)
    assert again.spec == recording.spec
    assert again.start_utc is None


def test_each_stretch_becomes_a_file_of_true_times(tmp_path):
    recording = cap()
    times = recording.times.copy()
    times[40:] += 7.0
    times[80:] -= 100.0
    recording = replace(recording, times=times)
    files = write_segments(recording, tmp_path / "x.snirf")
    assert [file.name for file in files] == ["x_001.snirf", "x_002.snirf", "x_003.snirf"]
    parts = [read_recording(file) for file in files]
    np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), times)
    assert {part.start_utc for part in parts} == {1.7e9}
    for file, part in zip(files, parts, strict=True):
        raw = mne.io.read_raw_snirf(file, verbose="error")
        assert raw.info["meas_date"].timestamp() == pytest.approx(1.7e9 + part.times[0], abs=1e-6)
        np.testing.assert_allclose(raw.times, part.times - part.times[0], atol=1e-9)


def test_without_gap_there_is_one_file(tmp_path):
    assert write_segments(cap(), tmp_path / "x.snirf") == (tmp_path / "x.snirf",)


def test_real_recordings_survive(data_dir, tmp_path):
    folder = data_dir / "fnirs"
    side = folder / "lsl_tapping_xdf/sub-001_task-fingertapping_nirs.json"
    options = {
        "lsl_tapping_xdf/sub-001_task-fingertapping_recording.xdf": {"layout": side, "stream": "raw"},
        "homer3_tapping/subj1/Fingertapping_08192013.nirs": {},
        "homer3_two_conditions/nirs/s1/neuro_run01.nirs": {"length_unit": "cm"},
        "rest/sub-01_task-rest_nirs.snirf": {},
    }
    for name, how in options.items():
        recording = read_recording(folder / name, **how)
        again = read_recording(write_snirf(recording, tmp_path / "x.snirf"))
        assert again.spec == recording.spec
        assert again.events == recording.events
        assert again.start_utc == recording.start_utc
        kept = ~recording.missing
        np.testing.assert_array_equal(again.data[kept], recording.data[kept])
        np.testing.assert_array_equal(again.times, recording.times)


def test_a_file_that_somebody_changed_is_read_as_it_stands(tmp_path):
    import h5py

    recording = cap()
    renamed = tuple(replace(c, name=f"my {c.name}") for c in recording.spec.channels)
    file = write_snirf(replace(recording, spec=SignalSpec(renamed, 10.0)), tmp_path / "x.snirf")
    assert read_snirf(file).spec.names[0] == "my S1_D1 760"
    with h5py.File(file, "r+") as content:
        for number in (1, 2):
            content[f"nirs/data1/measurementList{number}/detectorIndex"][()] = 1
            content[f"nirs/data1/measurementList{number}/sourceIndex"][()] = 2
        for number in (3, 4):
            content[f"nirs/data1/measurementList{number}/sourceIndex"][()] = 1
    again = read_snirf(file)
    assert again.spec.names[0] == "S2_D1 760"
    assert "was changed" in again.notes["remarks"][0]


def test_what_snirf_has_no_place_for_is_said(tmp_path):
    def one(**change):
        channel = replace(cap().spec.channels[0], **change)
        zeros = np.zeros((1, 2), dtype=bool)
        return Recording("x", SignalSpec((channel,), 10.0), np.ones((1, 2)), np.arange(2.0), zeros)

    path = tmp_path / "x.snirf"
    for kind in (Kind.BOLD, Kind.DISPLACEMENT):
        with pytest.raises(RecordingError, match=f"of kind {kind}; SNIRF has no place"):
            write_snirf(one(kind=kind, unit=UNITS[kind][-1]), path)
    with pytest.raises(RecordingError, match="has source None"):
        write_snirf(one(source=None), path)
    with pytest.raises(RecordingError, match="has detector 0"):
        write_snirf(one(detector=0), path)
    with pytest.raises(RecordingError, match="no wavelength"):
        write_snirf(one(wavelength=None), path)
    empty = replace(one(), data=np.ones((1, 0)), times=np.empty(0), missing=np.zeros((1, 0), dtype=bool))
    with pytest.raises(RecordingError, match="holds nothing"):
        write_snirf(empty, path)
    assert not list(tmp_path.iterdir())


def test_a_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    recording = cap()
    path = write_snirf(recording, tmp_path / "x.snirf")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("offline.recordings.snirf_writer._write_events", full)
    with pytest.raises(RecordingError, match="No space left"):
        write_snirf(recording, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.snirf"]
    with pytest.raises(RecordingError, match="cannot be written"):
        write_snirf(recording, tmp_path / "absent" / "x.snirf")
