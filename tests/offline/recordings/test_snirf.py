"""SNIRF: read as MNE reads it wherever MNE can, with true times, and nothing made up."""

import contextlib
import shutil
from dataclasses import replace

import h5py
import mne
import numpy as np
import pytest

from models.errors import RecordingError
from offline.recordings import read_recording
from offline.recordings.snirf_writer import write_snirf
from realtime.channels.match import match_channels
from realtime.channels.mne_info import spec_from_info
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Event, Recording

REST = "fnirs/rest/sub-01_task-rest_nirs.snirf"


@pytest.fixture
def rest(data_dir, tmp_path):
    """A copy of a real file that a test may change."""
    copy = tmp_path / "rest.snirf"
    shutil.copyfile(data_dir / REST, copy)
    return copy


@contextlib.contextmanager
def changed(path):
    with h5py.File(path, "r+") as file:
        yield file["nirs"]


def put(group, name, value):
    if name in group:
        del group[name]
    group[name] = value


def real_files(data_dir):
    return sorted((data_dir / "fnirs").rglob("*.snirf"))


def test_every_real_file_as_mne_reads_it(data_dir):
    files = real_files(data_dir)
    assert len(files) >= 16
    for file in files:
        unit = "cm" if "homer3" in str(file) else None
        recording = read_recording(file, length_unit=unit)
        raw = mne.io.read_raw_snirf(file, preload=True, verbose="error")
        np.testing.assert_array_equal(recording.data, raw.get_data())
        theirs = spec_from_info(raw.info)
        assert recording.spec.names == theirs.names
        assert recording.spec.rate == pytest.approx(theirs.rate, rel=1e-3)
        scale = 10 if unit else 1  # MNE believes the millimetres
        for a, b in zip(recording.spec.channels, theirs.channels, strict=True):
            assert (a.kind, a.wavelength, a.pair) == (b.kind, b.wavelength, b.pair)
            for field in ("position", "source_position", "detector_position"):
                np.testing.assert_allclose(getattr(a, field), scale * np.array(getattr(b, field)), atol=1e-12)
        assert recording.start_utc is None, "placeholders and wall clocks without a zone are no UTC"
        marked = {(round(note["onset"], 6), note["description"]) for note in raw.annotations}
        assert marked == {(round(event.onset, 6), event.label) for event in recording.events}


def test_the_same_run_as_nirs_and_as_snirf(data_dir):
    folder = data_dir / "fnirs/homer3_two_conditions"
    twins = sorted((folder / "snirf").rglob("*.snirf"))
    assert len(twins) == 6
    for file in twins:
        a = read_recording(file, length_unit="cm")
        b = read_recording(folder / "nirs" / file.parent.name / f"{file.stem}.nirs", length_unit="cm")
        unnamed = [replace(c, source_name=None, detector_name=None) for c in a.spec.channels]
        assert (tuple(unnamed), a.spec.rate) == (b.spec.channels, b.spec.rate), "only SNIRF names optodes"
        np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(a.times, b.times)
        assert match_channels(a.spec, b.spec) == tuple(range(len(a.spec)))
        marked = b.missing.all(axis=1) & ~a.missing.all(axis=1)
        assert marked.any() == (file.stem == "neuro_run01"), "only Homer's file marks channels, of this run"
        np.testing.assert_array_equal(a.missing[~marked], b.missing[~marked])
        assert [(e.onset, e.label) for e in a.events] == [(e.onset, e.label) for e in b.events]
        assert {event.duration for event in a.events} == {10.0}, "only SNIRF tells durations"


def test_centimetres_declared_as_millimetres(data_dir):
    file = data_dir / "fnirs/homer3_two_conditions/snirf/s1/neuro_run01.snirf"
    with pytest.raises(RecordingError, match=r"is 2 in the declared unit 'mm'.*say --length-unit cm"):
        read_recording(file)


def test_unequal_steps_are_kept_and_said(rest):
    with changed(rest) as nirs:
        times = nirs["data1/time"][()]
        times[100:] += 3.0
        put(nirs, "data1/time", times)
    recording = read_recording(rest)
    np.testing.assert_array_equal(recording.times, times)
    assert recording.spec.rate == pytest.approx(1 / 0.256)
    assert "0.256 to 3.256 s" in recording.notes["remarks"][0]


def test_start_and_step_instead_of_stamps(rest):
    with changed(rest) as nirs:
        put(nirs, "data1/time", np.array([0.5, 0.25]))
    recording = read_recording(rest)
    np.testing.assert_array_equal(recording.times, 0.5 + 0.25 * np.arange(242))


def test_milliseconds(rest):
    with changed(rest) as nirs:
        put(nirs, "metaDataTags/TimeUnit", "ms")
        put(nirs, "data1/time", nirs["data1/time"][()] * 1000)
        nirs["stim1/name"] = "tap"
        nirs["stim1/data"] = [[5.0, 2.0, 1.0]]
    recording = read_recording(rest)
    assert recording.times[1] == pytest.approx(0.256)
    assert recording.events == (Event(5.0, "tap", 2.0),), "always seconds (SNIRF specification)"


def test_dates(rest):
    def start(day, clock):
        with changed(rest) as nirs:
            put(nirs, "metaDataTags/MeasurementDate", day)
            put(nirs, "metaDataTags/MeasurementTime", clock)
        recording = read_recording(rest)
        return recording.start_utc, recording.notes.get("remarks", [])

    assert start("2026-01-02", "03:04:05.25Z") == (1767323045.25, [])
    assert start("2026-01-02", "03:04:05+01:00") == (1767323045 - 3600, [])
    seconds, remarks = start("2026-01-02", "03:04:05")
    assert seconds is None
    assert "no time zone" in remarks[0]
    assert read_recording(rest).notes["start_local"] == "2026-01-02T03:04:05"
    for placeholder in (
        ("2000-01-01", "00:00:00Z"),
        ("2000-01-01", "00:00:00+01:00"),
        ("1970-01-01", "00:10:00"),
    ):
        seconds, remarks = start(*placeholder)
        assert seconds is None
        assert "placeholder" in remarks[0]
    assert "cannot be" in start("0200-01-02", "03:04:05Z")[1][0]
    assert start("unknown", "unknown") == (None, [])
    assert "not understood" in start("yesterday", "noon")[1][0]


def test_values_that_are_none_are_missing(rest):
    with changed(rest) as nirs:
        data = nirs["data1/dataTimeSeries"]
        data[3, 0], data[4, 1], data[5, 2] = 0, -1, np.nan
    recording = read_recording(rest)
    assert np.argwhere(recording.missing).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_vendors_names_are_kept_beside_the_numbers(rest):
    with changed(rest) as nirs:
        labels = [f"Rx{i}" for i in range(1, 17)]
        put(nirs, "probe/sourceLabels", labels)
    channel = read_recording(rest).spec.channels[0]
    assert (channel.source, channel.source_name) == (1, "Rx1")
    assert (channel.detector, channel.detector_name) == (1, "D1")


def compacted(rest, **change):
    """The measurement list as one group of arrays."""
    fields = ("sourceIndex", "detectorIndex", "wavelengthIndex", "dataType", "dataTypeIndex")
    with changed(rest) as nirs:
        block = nirs["data1"]
        values = {field: [block[f"measurementList{i}/{field}"][()] for i in range(1, 71)] for field in fields}
        for number in range(1, 71):
            del block[f"measurementList{number}"]
        for field, value in (values | change).items():
            if value is not None:
                put(block, f"measurementLists/{field}", value)


def test_the_compact_measurement_lists_say_the_same(rest):
    before = read_recording(rest)
    compacted(rest)
    after = read_recording(rest)
    assert after.spec == before.spec
    np.testing.assert_array_equal(after.data, before.data)


def test_compact_measurement_lists_of_processed_data(rest):
    kinds = ["HbO", "HbR"] * 35
    compacted(rest, dataType=[99999] * 70, dataTypeLabel=kinds, dataUnit=["uM"] * 70, wavelengthIndex=None)
    recording = read_recording(rest)
    assert [channel.kind for channel in recording.spec.channels] == [Kind(kind.lower()) for kind in kinds]
    with h5py.File(rest) as file:
        np.testing.assert_array_equal(recording.data, file["nirs/data1/dataTimeSeries"][()].T * 1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sourceIndex": None}, "measurementLists/sourceIndex is absent"),
        ({"dataType": None}, "measurementLists/dataType is absent"),
        ({"detectorIndex": [1, 2, 3]}, "detectorIndex has 3 elements; expected 70"),
        ({"detectorIndex": np.zeros(0)}, "detectorIndex is empty; expected 70"),
        ({"wavelengthIndex": [0.5] * 70}, "expected whole numbers"),
        ({"wavelengthIndex": [3] * 70}, "column 1, has wavelengthIndex 3"),
        ({"dataUnit": ["V"]}, "dataUnit has 1 elements; expected 70"),
    ],
)
def test_compact_measurement_lists_that_are_wrong(rest, change, message):
    compacted(rest, **change)
    with pytest.raises(RecordingError, match=message):
        read_recording(rest)


def test_sources_with_a_label_for_each_wavelength(rest):
    with changed(rest) as nirs:
        n = len(nirs["probe/sourcePos3D"])
        put(nirs, "probe/sourceLabels", [[f"A{i}", f"B{i}"] for i in range(1, n + 1)])
    for channel in read_recording(rest).spec.channels:
        assert channel.source_name == f"A{channel.source}"


def test_processed_data_and_units(rest):
    with changed(rest) as nirs:
        for number in range(1, 71):
            group = nirs[f"data1/measurementList{number}"]
            put(group, "dataType", 99999)
            put(group, "dataTypeLabel", ("HbO", "HbT")[number % 2])
            put(group, "dataUnit", "uM")
    recording = read_recording(rest)
    assert recording.spec.kinds == (Kind.HBT, Kind.HBO)
    assert recording.spec.names[:2] == ("S1_D1 hbt", "S1_D1 hbo")
    with h5py.File(rest) as file:
        np.testing.assert_array_equal(recording.data, file["nirs/data1/dataTimeSeries"][()].T * 1e-6)


def test_columns_of_other_kinds_are_left_aside(rest):
    with changed(rest) as nirs:
        for number in (1, 2):
            put(nirs[f"data1/measurementList{number}"], "dataType", 201)
    recording = read_recording(rest)
    assert len(recording.spec) == 68
    assert "data type 201" in recording.notes["remarks"][0]
    with h5py.File(rest) as file:
        np.testing.assert_array_equal(recording.data[0], file["nirs/data1/dataTimeSeries"][:, 2])


def test_only_the_first_block_is_read_and_that_is_said(rest):
    with changed(rest) as nirs:
        nirs.copy("data1", "data2")
    with h5py.File(rest, "r+") as file:
        file.copy("nirs", "nirs2")
    recording = read_recording(rest)
    assert (
        "2 measurements (nirs, nirs2) and 2 data blocks in nirs; only nirs/data1 was read"
        in (recording.notes["remarks"][0])
    )


def test_measurements_and_blocks_can_be_reached(rest):
    with changed(rest) as nirs:
        nirs.copy("data1", "data2")
        nirs["data2/dataTimeSeries"][...] *= 2
    with h5py.File(rest, "r+") as file:
        file.copy("nirs", "nirs2")
        file["nirs2/data1/dataTimeSeries"][...] *= 4
        put(file["nirs2"], "stim1/name", "second")
        file["nirs2/stim1/data"] = [[1.0, 2.0, 1.0]]
    first = read_recording(rest)
    for stream, factor in (
        ("nirs", 1), ("1", 1), (1, 1), ("nirs/data1", 1), ("data2", 2), ("nirs/data2", 2),
        ("nirs2", 4), (2, 4), ("/nirs2", 4), ("nirs2/data1", 4), ("nirs2/data2", 2),
    ):  # fmt: skip
        recording = read_recording(rest, stream=stream)
        np.testing.assert_array_equal(recording.data, factor * first.data)
        assert [event.label for event in recording.events] == ["second"] * (
            str(stream).strip("/")[:5] in ("nirs2", "2")
        )
    for stream in ("nirs3", "3", "data3", "Photon Cap"):
        with pytest.raises(
            RecordingError, match=r"--stream is .*; the file holds (nirs, nirs2|data1, data2)"
        ):
            read_recording(rest, stream=stream)
    with h5py.File(rest, "r+") as file:
        del file["nirs2"]
    assert read_recording(rest, stream="Photon Cap").spec == first.spec, "one set of options serves a cohort"


def stimuli(rest, **fields):
    """What is read of one condition."""
    with changed(rest) as nirs:
        for name, value in {"name": "tap", **fields}.items():
            put(nirs, f"stim1/{name}", value)
    recording = read_recording(rest)
    return recording.events, recording.notes.get("remarks", [])


def test_rejected_onsets_are_left_aside(rest):
    kept = (Event(5.0, "tap", 2.0),)
    rows = [[5.0, 2.0, 1.0], [9.0, 2.0, -1.0], [12.0, 2.0, -2.0]]
    events, remarks = stimuli(rest, data=rows)
    assert events == kept
    assert "2 onsets are marked as rejected; ignored" in remarks
    rows = [[5.0, 2.0, 1.0], [9.0, 2.0, 1.0]]
    assert stimuli(rest, data=rows, states=[[5.0, 1.0], [9.0, -1.0]])[0] == kept, "Homer3's own field"
    assert len(stimuli(rest, data=rows, states=[[5.0, 1.0], [9.0, 0.0]])[0]) == 2
    assert len(stimuli(rest, data=[[5.0, 2.0], [9.0, 2.0]], states=[[0.0, 1.0]])[0]) == 2
    rows = [[5.0, 2.0, 1.0, 0.0], [9.0, 2.0, 1.0, 1.0]]
    labels = ["Onset", "Duration", "Amplitude", "Rejected"]
    assert stimuli(rest, data=rows, states=[[0.0, 1.0]], dataLabels=labels)[0] == kept
    rows = [[5.0, 2.0, -1.0], [9.0, 2.0, 1.0]]
    assert len(stimuli(rest, data=rows, dataLabels=["Onset", "Duration", "Valence"])[0]) == 2


def test_what_a_stimulus_does_not_tell(rest):
    rows = [[5.0, np.nan, 1.0], [6.0, -1.0, 1.0], [7.0, np.inf, 1.0], [np.nan, 2.0, 1.0]]
    events, remarks = stimuli(rest, data=rows, name=b"tap \r\n")
    assert events == (Event(5.0, "tap"), Event(6.0, "tap"), Event(7.0, "tap"))
    assert "1 events have no onset; ignored" in remarks
    assert [e.label for e in stimuli(rest, data=[[5.0, 1.0, 1.0]], name="")[0]] == ["stim1"]
    assert [e.label for e in stimuli(rest, data=[[5.0, 1.0, 1.0]], name="2.0")[0]] == ["2"]


def test_2d_positions(rest):
    with changed(rest) as nirs:
        for word in ("source", "detector"):
            places = nirs[f"probe/{word}Pos3D"][()]
            del nirs[f"probe/{word}Pos3D"]
            nirs[f"probe/{word}Pos2D"] = places[:, :2]
    assert read_recording(rest).spec.channels[0].distance == pytest.approx(0.03)


def test_positions_that_no_one_measured_are_not_known(rest):
    with changed(rest) as nirs:
        for word in ("source", "detector"):
            nirs[f"probe/{word}Pos3D"][...] = 0
    channel = read_recording(rest).spec.channels[0]
    assert channel.distance is None
    assert channel.source_position is None


def without(name):
    def change(nirs):
        del nirs[name]

    return change


def setting(name, value):
    return lambda nirs: put(nirs, name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("data1"), "no group 'data'"),
        (setting("data1/dataOffset", [1.0, 2.0]), "dataOffset has 2 elements; expected 70"),
        (setting("data1/dataOffset", np.zeros(70, "S1")), "dataOffset holds .S1; expected real numbers"),
        (setting("data1/dataOffset", h5py.ExternalLink("other.h5", "/")), "lies in another file, 'other.h5'"),
        (without("probe"), "no probe"),
        (without("data1/time"), "time is absent"),
        (without("data1/dataTimeSeries"), "dataTimeSeries is absent"),
        (without("data1/measurementList70"), r"shape \(242, 70\); expected samples by the 69"),
        (without("data1/measurementList3/sourceIndex"), "measurementList3/sourceIndex is absent"),
        (setting("data1/measurementList3/sourceIndex", "one"), "expected real numbers"),
        (setting("data1/measurementList3/sourceIndex", [1, 2]), "expected one whole number"),
        (setting("data1/measurementList3/wavelengthIndex", 3), "wavelengthIndex 3"),
        (setting("data1/measurementList1/sourceIndex", 9), "called|lack the wavelength"),
        (setting("data1/time", np.arange(7.0)), "7 time stamps for 242 samples"),
        (setting("data1/time", np.full(242, np.nan)), "242 time stamps that are no numbers"),
        (setting("metaDataTags/TimeUnit", "min"), "TimeUnit is 'min'"),
        (setting("metaDataTags/LengthUnit", "inch"), "unit of length 'inch'"),
        (setting("metaDataTags/LengthUnit", "mm"), "--length-unit m"),
    ],
)
def test_an_invalid_snirf_file_is_refused_with_the_field(rest, change, message):
    with changed(rest) as nirs:
        change(nirs)
    with pytest.raises(RecordingError, match=message) as raised:
        read_recording(rest)
    assert "rest.snirf" in str(raised.value)


def test_a_missing_wavelength_is_named(tmp_path):
    names = [(1, 1, 760), (1, 1, 850), (2, 1, 850)]
    spec = SignalSpec(
        tuple(
            Channel(
                name=f"{s}{d}{nm}", kind=Kind.INTENSITY, unit="V", source=s, detector=d, wavelength=float(nm)
            )
            for s, d, nm in names
        ),
        10.0,
    )
    recording = Recording("x", spec, np.ones((3, 5)), np.arange(5) / 10, np.zeros((3, 5), dtype=bool))
    with pytest.raises(RecordingError, match="source 2 and detector 1 lack the wavelength 760 nm"):
        read_recording(write_snirf(recording, tmp_path / "x.snirf"))


def test_no_hdf5_and_cut_off(rest):
    whole = rest.read_bytes()
    rng = np.random.default_rng(0)
    for content in (b"", b"no hdf5", rng.bytes(5000)):
        rest.write_bytes(content)
        with pytest.raises(RecordingError, match=r"rest\.snirf is damaged, cut off, or no SNIRF"):
            read_recording(rest)
    for length in range(0, len(whole), len(whole) // 60):
        rest.write_bytes(whole[:length])
        with pytest.raises(RecordingError, match=r"rest\.snirf"):
            read_recording(rest)


def test_names_that_are_no_text(rest):
    # Bytes changed at random can bring the HDF5 library itself down, so only this one is tried.
    whole = rest.read_bytes()
    assert b"measurementList7\x00" in whole
    rest.write_bytes(whole.replace(b"measurementList7\x00", b"\xffeasurementList7\x00"))
    with pytest.raises(RecordingError, match=r"rest\.snirf"):
        read_recording(rest)


def test_what_a_file_claims_is_not_believed(rest):
    with changed(rest) as nirs:
        del nirs["data1/dataTimeSeries"]
        nirs["data1"].create_dataset("dataTimeSeries", (2**40, 70), "f8", chunks=(64, 70))
    with pytest.raises(RecordingError, match=r"dataTimeSeries claims \d+ bytes, .* the file holds 0"):
        read_recording(rest)
