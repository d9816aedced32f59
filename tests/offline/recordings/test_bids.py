"""Tables beside a SNIRF file that people made or changed by hand."""

import h5py
import numpy as np
import pytest

from models.errors import RecordingError
from offline.recordings import read_recording

N = 600


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "sub-01_task-tap_nirs.snirf"
    with h5py.File(path, "w") as file:
        file["nirs/metaDataTags/LengthUnit"] = "mm"
        file["nirs/metaDataTags/TimeUnit"] = "s"
        file["nirs/data1/time"] = np.arange(N) / 5
        file["nirs/data1/dataTimeSeries"] = np.random.default_rng(0).uniform(900, 1000, (N, 2))
        for wave in (1, 2):
            fields = {"sourceIndex": 1, "detectorIndex": 1, "wavelengthIndex": wave, "dataType": 1}
            for name, value in fields.items():
                file[f"nirs/data1/measurementList{wave}/{name}"] = value
        file["nirs/probe/wavelengths"] = [760.0, 850.0]

    def read(kind, *lines):
        rows = [line.replace(" ", "\t").replace("~", " ") for line in lines]
        (tmp_path / f"sub-01_task-tap_{kind}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        return read_recording(path)

    return read


def events(recording):
    return [(event.onset, event.label) for event in recording.events]


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("value", "1", "-1"),
        ("amplitude", "1", "-2"),
        ("status", "good", "bad"),
        ("rejected", "0", "1"),
        ("state", "1", "-1"),
    ],
)
def test_onsets_are_rejected_in_whichever_column_says_so(read, column, good, bad):
    found = read(
        "events", f"onset duration trial_type {column}", f"5 1 a {bad}", f"9 1 b {good}", "12 1 c n/a"
    )
    assert events(found) == [(9.0, "b"), (12.0, "c")]
    assert "1 onsets are marked as rejected; ignored" in found.remarks


@pytest.mark.parametrize("column", ["height", "response", "angle"])
def test_a_column_that_means_something_else_may_be_negative(read, column):
    found = read("events", f"onset duration trial_type {column}", "5 1 a -1")
    assert events(found) == [(5.0, "a")]


def test_columns_are_known_in_capitals_and_any_order(read):
    assert events(read("events", "Trial_Type Duration Onset", "a n/a 5")) == [(5.0, "a")]
    assert read("channels", "Status Name", "BAD S1_D1~850").missing.all(axis=1).tolist() == [False, True]


@pytest.mark.parametrize("name", ["S1_D1~850.0", "S1-D1~850", "S1-D1_850~nm"])
def test_a_name_that_tells_the_wavelength_marks_no_other(read, name):
    found = read("channels", "name status", f"{name} bad")
    assert found.missing.all(axis=1).tolist() == [False, True]


def test_a_column_that_stands_twice_is_refused(read):
    with pytest.raises(RecordingError, match="has column 'onset' twice"):
        read("events", "onset onset duration trial_type", "5 9 1 a")


@pytest.mark.parametrize("lines", [[], ["name,type,status", "S1_D1~760,NIRSCWAMPLITUDE,bad"]])
def test_a_table_without_the_columns_of_one_is_not_read_and_that_is_said(read, lines):
    assert "has no column 'name'; its marks were not read" in " ".join(read("channels", *lines).remarks)
    assert "its events were not read" in " ".join(read("events", *lines).remarks)
