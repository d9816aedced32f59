"""Numbers that a file declares and that cannot be: refused, or reported."""

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from models.errors import RecordingError
from offline.recordings import read_recording
from tests.offline.recordings.test_homer import content

N = 60
PAIRS = [(1, 1, 1), (1, 1, 2), (2, 2, 1), (2, 2, 2)]
PLACES = {
    "sourcePos2D": [[0.0, 10.0], [0.0, 40.0]],
    "detectorPos2D": [[30.0, 10.0], [30.0, 40.0]],
}


@pytest.fixture
def write(tmp_path):
    def write(*, step=0.2, unit="s", pairs=PAIRS, waves=(760.0, 850.0), probe=PLACES, said=None, data=None):
        path = tmp_path / "a.snirf"
        with h5py.File(path, "w") as file:
            file["nirs/metaDataTags/LengthUnit"] = "mm"
            if unit is not None:
                file["nirs/metaDataTags/TimeUnit"] = unit
            file["nirs/data1/time"] = step * np.arange(N)
            light = np.random.default_rng(0).uniform(900, 1000, (N, len(pairs)))
            file["nirs/data1/dataTimeSeries"] = light if data is None else data
            for i, (source, detector, wave) in enumerate(pairs, 1):
                fields = {"sourceIndex": source, "detectorIndex": detector, "wavelengthIndex": wave}
                for name, value in {**fields, "dataType": 1, **(said or {})}.items():
                    file[f"nirs/data1/measurementList{i}/{name}"] = value
            for name, value in {"wavelengths": waves, **probe}.items():
                file[f"nirs/probe/{name}"] = value
        return path

    return write


def remarks(path):
    return " | ".join(read_recording(path).remarks)


def distances(path):
    return [c.distance and round(c.distance, 6) for c in read_recording(path).spec.channels[::2]]


@pytest.mark.parametrize(
    ("step", "unit", "fits"),
    [(200.0, "s", "ms"), (200.0, "unknown", "ms"), (0.2, "us", "s"), (0.2, "ms", "s")],
)
def test_stamps_whose_unit_cannot_be_are_refused(write, step, unit, fits):
    with pytest.raises(RecordingError, match=f"advance by .* Are they in {fits}"):
        read_recording(write(step=step, unit=unit))


def test_a_homer_file_in_milliseconds_is_refused(tmp_path):
    made = content()
    savemat(tmp_path / "a.nirs", {**made, "t": np.asarray(made["t"]) * 1000}, appendmat=False)
    with pytest.raises(RecordingError, match="Are they in ms"):
        read_recording(tmp_path / "a.nirs")


@pytest.mark.parametrize("unit", [None, "", "unknown", "n/a"])
def test_a_unit_of_time_that_no_one_says_is_taken_for_seconds_and_reported(write, unit):
    path = write(unit=unit)
    assert read_recording(path).times[-1] == pytest.approx(0.2 * (N - 1))
    assert "no TimeUnit is given" in remarks(path)
    assert "TimeUnit" not in remarks(write())


@pytest.mark.parametrize("waves", [(0.76, 0.85), (7.6e-7, 8.5e-7), (760.0, np.nan), (760.0, 8500.0)])
def test_wavelengths_that_are_no_nanometres_are_refused(write, waves):
    with pytest.raises(RecordingError, match=r"wavelength of .*; expected nanometres"):
        read_recording(write(waves=waves))


@pytest.mark.parametrize("pairs", [[(0, 1, 1), (0, 1, 2)], [(1, 0, 1), (1, 0, 2)], [(-1, 1, 1), (-1, 1, 2)]])
def test_rows_of_the_probe_count_from_one(write, pairs):
    with pytest.raises(RecordingError, match=r"Index (0|-1); expected 1 or more"):
        read_recording(write(pairs=pairs))


def test_an_optode_without_a_place_is_reported(write):
    path = write(pairs=[*PAIRS, (7, 1, 1), (7, 1, 2)])
    assert "no place for an optode of 2 of 6 channels: S7_D1 760, S7_D1 850" in remarks(path)
    assert "no place" not in remarks(write())


def test_a_side_that_was_filled_in_with_noughts_has_no_places(write):
    filled = {"sourcePos3D": np.zeros((2, 3)), "detectorPos3D": [[30.0, 0.0, 0.0], [32.0, 5.0, 0.0]]}
    assert distances(write(probe={**PLACES, **filled})) == [0.03, 0.03]
    assert distances(write(probe=filled)) == [None, None]
    one = {"sourcePos3D": np.zeros((1, 3)), "detectorPos3D": [[30.0, 0.0, 0.0]]}
    assert distances(write(pairs=PAIRS[:2], probe=one)) == [0.03], "one optode may be the origin"


DEEP = {name.replace("2D", "3D"): [[*place, 1.0] for place in places] for name, places in PLACES.items()}
THREE = {name: [*places, [15.0, 70.0]] for name, places in PLACES.items()}


@pytest.mark.parametrize("upright", [DEEP, THREE])
def test_places_that_lie_on_their_side_are_refused(write, upright):
    turned = {name: np.transpose(places) for name, places in upright.items()}
    with pytest.raises(RecordingError, match="Do its rows stand for x and y"):
        read_recording(write(probe=turned))


def test_flat_places_with_a_column_of_noughts_are_places(write):
    flat = {name: [[*place, 0.0] for place in places] for name, places in PLACES.items()}
    assert distances(write(probe=flat)) == [0.03, 0.03]


def test_labels_that_lie_in_a_row_are_all_taken(write):
    labels = {"sourceLabels": [["S1", "S3"]], "detectorLabels": [["D2", "D5"]]}
    channels = read_recording(write(probe={**PLACES, **labels})).spec.channels
    assert [(c.source_name, c.detector_name) for c in channels[::2]] == [("S1", "D2"), ("S3", "D5")]


def test_labels_that_are_no_utf8_stay_different(write):
    labels = {"sourceLabels": np.array([b"A\xfc", b"A\xe4"]), "detectorLabels": np.array([b"D1\0", b"D2\0"])}
    channels = read_recording(write(probe={**PLACES, **labels})).spec.channels
    assert [c.source_name for c in channels[::2]] == ["Aü", "Aä"]


@pytest.mark.parametrize(("level", "reported"), [(1.0, True), (1e-6, False)])
def test_declared_concentrations_that_tissue_does_not_hold_are_reported(write, level, reported):
    said = {"dataType": 99999, "dataTypeLabel": "HbO", "dataUnit": "mol/L"}
    data = level * np.random.default_rng(0).normal(size=(N, 2))
    path = write(pairs=[(1, 1, 1), (2, 2, 1)], said=said, data=data)
    assert ("tissue holds at most" in remarks(path)) is reported
