"""SNIRF: names, places, units, light and bad marks as the file means them."""

import h5py
import numpy as np
import pytest

from models.errors import RecipeError, RecordingError, SignalError
from offline.recordings import read_recording
from offline.samples.channels import choose_channels
from offline.samples.recipe import load_recipe
from realtime.channels.match import match_channels

N = 40
PAIRS = [(s, 1, w) for s in (1, 2, 3) for w in (1, 2)]

RECIPE = load_recipe("tapping")


@pytest.fixture
def write(tmp_path):
    def write(name="a", pairs=PAIRS, *, fields=None, places=None, labels=None, data=None, extra=None):
        path = tmp_path / f"{name}.snirf"
        with h5py.File(path, "w") as file:
            file["formatVersion"] = "1.1"
            for tag, text in {"LengthUnit": "mm", "TimeUnit": "s"}.items():
                file[f"nirs/metaDataTags/{tag}"] = text
            file["nirs/data1/time"] = np.arange(N) / 5
            light = np.random.default_rng(0).uniform(900, 1000, (N, len(pairs)))
            file["nirs/data1/dataTimeSeries"] = light if data is None else data
            for i, (s, d, w) in enumerate(pairs, 1):
                group = file.create_group(f"nirs/data1/measurementList{i}")
                said = {"sourceIndex": s, "detectorIndex": d, "wavelengthIndex": w, "dataType": 1}
                for field, value in {**said, **(fields(s, d, w) if fields else {})}.items():
                    group[field] = value
            probe = file.create_group("nirs/probe")
            probe["wavelengths"] = [760.0, 850.0]
            for field, value in {**(places or {}), **(labels or {}), **(extra or {})}.items():
                (file["nirs"] if "/" in field else probe)[field] = value
        return path

    return write


def named(sources):
    return {"sourceLabels": sources, "detectorLabels": ["D1"]}


def at(**places):
    sources = [[*place, 1.0] for name, place in places.items() if name != "D1"]
    return {"sourcePos3D": sources, "detectorPos3D": [[*places.get("D1", (0.0, 30.0)), 1.0]]}


CAP = {"S1": (0.0, 0.0), "S2": (40.0, 30.0), "S3": (0.0, 60.0)}


def test_an_index_is_a_row_and_a_label_a_name(write):
    without = at(S1=CAP["S1"], S3=CAP["S3"])
    a = read_recording(write("a", PAIRS[:4], places=without, labels=named(["S1", "S3"])))
    b = read_recording(write("b", places=at(**CAP), labels=named(["S1", "S2", "S3"])))
    assert [(c.source, c.source_name) for c in a.spec.channels[::2]] == [(1, "S1"), (3, "S3")]
    assert a.spec.names[2] == "S3_D1 760"
    matched = [b.spec.channels[i].source_name for i in match_channels(a.spec, b.spec)]
    assert matched == ["S1", "S1", "S3", "S3"]
    spec, _ = choose_channels([("b", b.spec), ("a", a.spec)], RECIPE.input, RECIPE.kinds)
    assert [c.source_name for c in spec.channels] == ["S1", "S1", "S3", "S3"]


def test_rows_that_no_one_names_are_refused_where_their_places_contradict(write):
    a = read_recording(write("a", PAIRS[:4], places=at(S1=CAP["S1"], S3=CAP["S3"])))
    b = read_recording(write("b", places=at(**CAP)))
    with pytest.raises(SignalError, match="S2 is 50 mm away"):
        match_channels(a.spec, b.spec)
    with pytest.raises(RecipeError, match=r"Recordings a and b cannot be joined: .*S2 is 50 mm away"):
        choose_channels([("a", a.spec), ("b", b.spec)], RECIPE.input, RECIPE.kinds)


def test_words_as_labels_and_labels_that_name_two(write):
    words = read_recording(write(labels=named(["AF7", "Fpz", "AF8"])))
    assert [(c.source, c.source_name) for c in words.spec.channels[::2]] == [
        (1, "AF7"),
        (2, "Fpz"),
        (3, "AF8"),
    ]
    twice = read_recording(write(labels=named(["S1", "S1", "S3"])))
    assert [(c.source, c.source_name) for c in twice.spec.channels[::2]] == [(1, None), (2, None), (3, None)]
    assert "sourceLabels call two optodes the same ('S1')" in twice.notes["remarks"][0]
    assert read_recording(write(labels=named(["n/a", "", "S9"]))).spec.channels[0].source_name is None


@pytest.mark.parametrize(
    "places",
    [
        {"sourcePos2D": [[30.0, 0], [35, 0], [40, 0]], "detectorPos2D": [[0.0, 0]]},
        {"sourcePos3D": [[30.0, 0, 0], [35, 0, 0], [40, 0, 0]], "detectorPos3D": [[0.0, 0, 0]]},
        {
            "sourcePos2D": [[30.0, 1], [35, 1], [40, 1]],
            "detectorPos2D": [[0.0, 1]],
            "sourcePos3D": np.zeros((3, 3)),
            "detectorPos3D": np.full((1, 3), np.nan),
        },
        {
            "sourcePos2D": [[30.0, 1], [35, 1], [40, 1]],
            "detectorPos2D": [[0.0, 1]],
            "sourcePos3D": [[1.0, 2, 3], [4, 5, 6], [7, 8, 9]],
        },
    ],
)
def test_the_origin_is_a_place_and_noughts_are_none(write, places):
    distances = [c.distance for c in read_recording(write(places=places)).spec.channels]
    assert distances == pytest.approx([0.03, 0.03, 0.035, 0.035, 0.04, 0.04])


def test_the_light_that_was_sent(write):
    def actual(s, d, w):
        return {"wavelengthActual": (760.0, 850.0)[w - 1] + s / 4 if s < 3 else (0.0, np.nan)[w - 1]}

    channels = read_recording(write(fields=actual)).spec.channels
    assert [c.wavelength for c in channels] == [760.25, 850.25, 760.5, 850.5, 760.0, 850.0]
    assert [c.name for c in channels[:2]] == ["S1_D1 760", "S1_D1 850"]
    assert {c.colour for c in channels} == {760.0, 850.0}
    with pytest.raises(RecordingError, match="wavelengthActual 850 nm, where 760 nm"):
        read_recording(write(fields=lambda s, d, w: {"wavelengthActual": 850.0}))


def processed(unit):
    def fields(s, d, w):
        said = {"dataType": 99999, "dataTypeLabel": ("HbO", "HbR")[w - 1]}
        return said if unit is None else {**said, "dataUnit": unit}

    return fields


@pytest.mark.parametrize(("unit", "scale"), [("umol/L", 0.4), ("mmol/L", 8e-3), ("nmol/L", 300.0)])
def test_haemoglobin_that_cannot_be_moles_is_asked_about(write, unit, scale):
    data = np.random.default_rng(1).normal(0, scale, (N, 6))
    for declared in (None, "", "n/a"):
        path = write(fields=processed(declared), data=data)
        with pytest.raises(RecordingError, match=r"cannot be mol/L.*--haemoglobin-unit \w+mol/L") as error:
            read_recording(path)
        assert 'haemoglobin_unit = "' in str(error.value)
        factor = {"mmol/L": 1e-3, "umol/L": 1e-6, "nmol/L": 1e-9}[unit]
        given = read_recording(path, haemoglobin_unit=unit)
        np.testing.assert_array_equal(given.data, data.T * factor)
    with pytest.raises(RecordingError, match="Unit of hbo is 'furlong'"):
        read_recording(path, haemoglobin_unit="furlong")


def test_haemoglobin_that_can_be_moles_is_taken_for_them(write):
    data = np.random.default_rng(1).normal(0, 6e-7, (N, 6))
    data[5] = 3e-3  # a movement
    np.testing.assert_array_equal(read_recording(write(fields=processed(None), data=data)).data, data.T)


def test_bad_marks_are_obeyed_and_said(write):
    good = np.ones(N)
    good[10:20] = 0
    marks = {"data1/MeasListAct": [1, 1, 0, 0, 1, 1], "data1/tIncMan": good}
    recording = read_recording(write(extra=marks))
    assert recording.missing[2:4].all()
    assert recording.missing[:, 10:20].all()
    assert not recording.missing[[0, 1, 4, 5]][:, :10].any()
    remarks = " | ".join(recording.notes["remarks"])
    assert "MeasListAct marks 2 channels as bad, they are missing: S2_D1 760, S2_D1 850" in remarks
    assert "tIncMan marks 25 % of the time as bad" in remarks


@pytest.mark.parametrize(
    ("flags", "why"), [([1, 0], "has shape"), ([0] * 6, "marks all channels as bad"), ([1] * 6, "")]
)
def test_marks_that_cannot_be_meant_are_only_said(write, flags, why):
    recording = read_recording(write(extra={"data1/MeasListAct": flags}))
    assert not recording.missing.any()
    assert why in " ".join(recording.notes.get("remarks", []))


EVENTS = "onset\tduration\ttrial_type\n4.0\t2\ttapping\n1.0\tn/a\t1.0\n"
CHANNELS = (
    "name\ttype\tsource\tdetector\twavelength_nominal\tstatus\n"
    "S1-D1-760\tNIRSCWAMPLITUDE\tS1\tD1\t760\tgood\nS2-D1-760\tNIRSCWAMPLITUDE\tS2\tD1\t760\tbad\n"
    "x\tACCEL\tn/a\tn/a\tn/a\tbad\n"
)


def test_tables_of_bids_go_before_the_file(write):
    stim = {"stim1/name": "1", "stim1/data": [[2.0, 1.0, 1.0]]}
    path = write("sub-01_task-tap_nirs", extra=stim)
    assert [e.label for e in read_recording(path).events] == ["1"]
    (path.parent / "sub-01_task-tap_events.tsv").write_text(EVENTS)
    (path.parent / "sub-01_task-tap_channels.tsv").write_text(CHANNELS)
    recording = read_recording(path)
    assert [(e.onset, e.label, e.duration) for e in recording.events] == [
        (1.0, "1", 0.0),
        (4.0, "tapping", 2.0),
    ]
    assert np.flatnonzero(recording.missing.all(axis=1)).tolist() == [2]
    assert recording.notes["remarks"] == [
        "sub-01_task-tap_channels.tsv marks 1 channels as bad, they are missing: S2_D1 760",
        "the 2 events are those of sub-01_task-tap_events.tsv, and the 1 in the file itself were ignored",
    ]


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("events", "onset\tduration\ttrial_type\n4,0\t2\ttap\n", "line 2: onset is '4,0'"),
        ("events", "onset\tduration\ttrial_type\n4\t2\n", "line 2: 2 cells, but 3 columns"),
        ("channels", "name\tstatus\nS1_D1 760\tso-so\n", "line 2: status is 'so-so'; expected good, bad"),
    ],
)
def test_tables_of_bids_that_are_wrong(write, table, text, message):
    path = write("x_nirs")
    (path.parent / f"x_{table}.tsv").write_text(text)
    with pytest.raises(RecordingError, match=message):
        read_recording(path)


def test_tables_of_bids_that_say_nothing_of_use(write):
    path = write("x_nirs")
    (path.parent / "x_events.tsv").write_text("onset\tduration\n4\t2\n")
    (path.parent / "x_channels.tsv").write_text("name\tstatus\nS9_D1 760\tbad\n")
    remarks = " | ".join(read_recording(path).notes["remarks"])
    assert "x_events.tsv has no columns 'onset' and 'trial_type'" in remarks
    assert "x_channels.tsv marks S9_D1 760 as bad, which the file does not have" in remarks
