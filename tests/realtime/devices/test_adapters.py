"""What each vendor's stream looks like by its XML, and the message where it is wrong or incomplete."""

import json
import math
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from models.errors import StreamError
from realtime.channels.montage import read_layout
from realtime.channels.side_file import OF_BUNDLE, read_side_file, side_file_of
from realtime.devices import ADAPTERS, VENDORS, companion_of, layout_of, look, needed, recognise, usual
from realtime.signal import Kind


def stream(name="Cap", content="NIRS", rows=0, rate=10.0, channels=(), source_id="", **desc):
    info = ET.Element("info")
    for tag, value in (
        ("name", name),
        ("type", content),
        ("channel_count", rows or len(channels)),
        ("nominal_srate", rate),
        ("source_id", source_id),
    ):
        ET.SubElement(info, tag).text = str(value)
    root = ET.SubElement(info, "desc")
    if channels:
        parent = ET.SubElement(root, "channels")
        for channel in channels:
            node = ET.SubElement(parent, "channel")
            for tag, text in channel.items():
                ET.SubElement(node, tag).text = text
    if "montage" in desc:
        optodes = ET.SubElement(ET.SubElement(root, "montage"), "optodes")
        for which, places in desc["montage"].items():
            parent = ET.SubElement(optodes, f"{which}s")
            for axes in places:
                location = ET.SubElement(ET.SubElement(parent, which), "location")
                for axis, value in axes.items():
                    ET.SubElement(location, axis).text = str(value)
    return info


def place(x, y, z):
    return {"x": x, "y": y, "z": z}


MONTAGE = {"source": [place(0, 0, 0), place(0, 0, 60)], "detector": [place(0, 30, 0)]}


def aurora_channels(pairs=("S1-D1", "S2-D1"), light=("760", "850")):
    channels = [{"label": "Frame"}]
    channels += [{"custom_name": pair, "wavelength": nm} for nm in light for pair in pairs]
    channels += [{"custom_name": pair} for _ in range(2) for pair in pairs]
    return channels


def aurora_stream(channels=None, **more):
    return stream(**{"name": "Aurora", "channels": channels or aurora_channels(), "montage": MONTAGE, **more})


# ---------------------------------------------------------------------- Aurora


@pytest.mark.parametrize("content", ["NIRS", "NIRSx"])
def test_aurora_by_its_name_and_shape(content):
    recognition = recognise(aurora_stream(content=content))
    layout = recognition.layout
    assert recognition.device == layout.device == "aurora"
    assert "4 x 2 + 1 rows" in recognition.why
    assert layout.frame_row == 0
    assert layout.rows == tuple(range(1, 9))
    assert layout.spec.names[:3] == ("S1_D1 760", "S2_D1 760", "S1_D1 850")
    assert layout.spec.names[4:] == ("S1_D1 hbo", "S2_D1 hbo", "S1_D1 hbr", "S2_D1 hbr")
    assert [channel.distance for channel in layout.spec.channels[:2]] == [0.03, pytest.approx(0.0670820)]
    values = layout.take(np.ones((9, 2), dtype=np.float32))
    np.testing.assert_allclose(values, np.repeat([[1.0], [1e-6]], 4, axis=0) * np.ones((8, 2)))


def test_aurora_under_another_name_is_known_by_its_shape():
    assert recognise(aurora_stream(name="bed 4")).device == "aurora"


def test_of_aurora_the_light_is_taken_by_default():
    layout = usual(layout_of(aurora_stream()))
    assert set(layout.spec.kinds) == {Kind.INTENSITY}
    assert layout.rows == (1, 2, 3, 4)
    assert layout.frame_row == 0


def test_long_before_short_is_no_matter():
    layout = layout_of(aurora_stream(aurora_channels(light=("850", "760"))))
    assert [channel.wavelength for channel in layout.spec.channels[:4]] == [850.0, 850.0, 760.0, 760.0]


def test_aurora_without_places_says_that_distances_are_lacking():
    recognition = recognise(aurora_stream(montage={"source": [], "detector": []}))
    assert recognition.layout is not None
    assert "distance is not known" in recognition.lacks


def test_the_accelerometer_is_not_taken():
    info = stream("Aurora_accelerometer", rows=12)
    assert companion_of(info) == "accelerometer"
    with pytest.raises(StreamError, match="accelerometer, not its signal"):
        recognise(info)


def changed(row, **fields):
    channels = [dict(channel) for channel in aurora_channels()]
    for tag, text in fields.items():
        channels[row].pop(tag, None)
        if text is not None:
            channels[row][tag] = text
    return channels


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (aurora_stream(changed(2, wavelength=None)), r"Row 2 \('S2-D1'\) has the wavelength ''"),
        (aurora_stream(changed(3, wavelength="red")), r"Row 3 .*'red'; expected nanometres"),
        (aurora_stream(changed(4, custom_name="S1-D1")), r"Row 4 .*'S1-D1' where 'S2-D1' was expected"),
        (aurora_stream(changed(1, custom_name="left")), r"Row 1 .*'left'; expected source and detector"),
        (aurora_stream(changed(6, type="Intensity")), r"Row 6 says that it is intensity; expected hbo"),
        (aurora_stream(aurora_channels()[:7]), r"7 rows, describes 7 and names 6; expected 4N \+ 1"),
        (aurora_stream(rows=13), r"13 rows, describes 9"),
        (aurora_stream(aurora_channels(pairs=("S1-D1", "S1-D1"))), r"Two channels are called 'S1_D1 760'"),
        (stream("Aurora", rows=9), "does not describe its channels"),
    ],
)
def test_a_wrong_aurora_is_reported_plainly(info, message):
    with pytest.raises(StreamError, match=message):
        layout_of(info)


# --------------------------------------------------------------------- OxySoft


def oxysoft_stream(labels, name="OxySoft", **more):
    return stream(name, channels=[{"label": label} for label in labels], **more)


OXY = ("[1] Rx4b-Tx5 [860nm]", "ADC 1", "[2] Rx4b-Tx5 [757nm]", "[3] Rx4a-Tx5 [860nm]", "HEADING", "")


def test_oxysoft_by_its_labels(tmp_path):
    info = oxysoft_stream(OXY)
    recognition = recognise(info)
    layout = recognition.layout
    assert (recognition.device, layout.rows) == ("oxysoft", (0, 2, 3))
    assert "no distances" in recognition.lacks
    assert "3 auxiliary or unused rows" in " ".join(recognition.remarks)
    a, b, c = layout.spec.channels
    assert (a.source, a.source_name, a.detector, a.detector_name) == (5, "Tx5", 1, "Rx4b")
    assert (b.wavelength, b.pair) == (757.0, a.pair)
    assert (c.detector, c.detector_name) == (2, "Rx4a"), "4 would be both"
    # An intensity of a hundredth is an optical density of 2 there and of ln 100 here.
    np.testing.assert_allclose(layout.take(np.full((6, 1), 2.0)), math.log(100))

    side = tmp_path / "brite.json"
    side.write_text(json.dumps({"SourceDetectorSeparation": {"Tx5-Rx4b": "3.5 cm", "Rx4a-Tx5": "9 mm"}}))
    known = layout_of(info, read_side_file(side))
    assert [channel.distance for channel in known.spec.channels] == [0.035, 0.035, 0.009]
    assert known.device == "oxysoft"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((*OXY, "[9] Rx1-Tx1"), r"'\[9\] Rx1-Tx1' has no wavelength"),
        ((*OXY, "[9] Rx4b-Tx5 [757nm]"), "Two rows are the same channel"),
        (("left", "right"), r"None of its 2 rows .*'left', 'right'"),
    ],
)
def test_a_wrong_oxysoft_is_reported_plainly(labels, message):
    with pytest.raises(StreamError, match=message):
        layout_of(oxysoft_stream(labels))


def test_oxysoft_with_fewer_labels_than_rows():
    with pytest.raises(StreamError, match="8 rows and labels 6"):
        layout_of(oxysoft_stream(OXY, rows=8))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"SourceDetectorSeparation": {"Tx5-Rx4b": "35 mm"}}, r"no distance to 1 of the 3 .*Tx5-Rx4a"),
        ({"SourceDetectorSeparation": {"Tx5": "35 mm"}}, "'Tx5'; expected two optodes"),
        ({"SourceDetectorSeparation": "35"}, "'35'; expected a length"),
        ({"Optodes": {"Tx5": [1, 2]}}, r"'Tx5' at \[1, 2\]; expected three numbers"),
        ({"Optodes": [1]}, "expected positions by name"),
        ({"Optodes": {}, "OptodeUnit": "inch"}, "'inch'; expected m, cm, mm"),
        ({"channels": 3}, "expected 'ChMontage'"),
    ],
)
def test_a_wrong_geometry_is_reported_plainly(tmp_path, values, message):
    side = tmp_path / "side.json"
    side.write_text(json.dumps(values))
    with pytest.raises(StreamError, match=message):
        layout_of(oxysoft_stream(OXY), read_side_file(side))


def test_places_give_distances_and_one_length_may_hold_for_all(tmp_path):
    side = tmp_path / "side.json"
    side.write_text(
        json.dumps({"Optodes": {"Tx5": [0, 0, 0], "Rx4b": [3, 0, 0], "Rx4a": [0, 4, 0]}, "OptodeUnit": "cm"})
    )
    channels = layout_of(oxysoft_stream(OXY), read_side_file(side)).spec.channels
    assert [channel.distance for channel in channels] == pytest.approx([0.03, 0.03, 0.04])
    assert channels[0].position == pytest.approx((0.015, 0.0, 0.0))
    side.write_text(json.dumps({"SourceDetectorSeparation": "30 mm"}))
    channels = layout_of(oxysoft_stream(OXY), read_side_file(side)).spec.channels
    assert {channel.distance for channel in channels} == {0.03}


def test_a_geometry_does_not_describe_what_the_rows_are(tmp_path):
    side = tmp_path / "side.json"
    side.write_text(json.dumps({"SourceDetectorSeparation": "30 mm"}))
    with pytest.raises(StreamError, match="does not describe its 42 channels"):
        layout_of(stream(rows=42), read_side_file(side))


# ------------------------------------------------------------------ Cortivision


def test_the_real_photon_cap_and_its_side_file(data_dir):
    import pyxdf

    from realtime.channels.lsl_description import element_of

    folder = data_dir / "fnirs/lsl_tapping_xdf"
    found, _ = pyxdf.load_xdf(folder / "sub-001_task-fingertapping_recording.xdf")
    infos = {one["info"]["name"][0]: element_of("info", one["info"]) for one in found}
    raw, statistics = infos["Photon_Cap_C2022044_RAW"], infos["Photon_Cap_C2022044_STATS"]
    recognition = recognise(raw)
    assert (recognition.device, recognition.layout) == ("cortivision", None)
    with pytest.raises(StreamError, match=r"Photon Cap .*does not describe its 42 channels; a layout file"):
        layout_of(raw)
    layout = layout_of(raw, read_layout(folder / "sub-001_task-fingertapping_nirs.json"))
    assert (layout.device, len(layout.spec), layout.rows[-1]) == ("cortivision", 36, 35)
    assert layout.spec.rate == pytest.approx(7.8837, abs=1e-4), (
        "the stream's word goes before the side file's"
    )
    assert companion_of(raw) == ""
    assert companion_of(statistics)
    with pytest.raises(StreamError, match="statistics, not its signal: take 'Photon_Cap_C2022044_RAW'"):
        layout_of(statistics)


# -------------------------------------------------------------------- ninjaNIRS


def test_ninjanirs_says_in_which_order_its_rows_come():
    info = stream("ninjaNIRS", "fNIRS", rows=27)
    recognition = recognise(info)
    assert recognition.device == "ninjanirs"
    with pytest.raises(StreamError, match=r"27 channels; a layout file.*measurement list.*row 26"):
        layout_of(info)


# ------------------------------------------------------------- the XDF convention

LIGHT = {"type": "Intensity", "unit": "V", "source": "S1", "detector": "D1"}


def test_half_declared_wavelengths_are_an_error_and_none_at_all_is_silence():
    reported, silent = {**LIGHT, "label": "a", "wavelength": "760"}, {**LIGHT, "label": "b"}
    with pytest.raises(StreamError, match="1 of 2 channels of light have no wavelength, the first is 'b'"):
        layout_of(stream(channels=[reported, silent]))
    assert layout_of(stream(channels=[silent])).spec.channels[0].wavelength is None


def test_a_name_that_occurs_twice_is_an_error():
    channel = {**LIGHT, "label": "a", "wavelength": "760"}
    with pytest.raises(StreamError, match="Two channels are called 'a'"):
        layout_of(stream(channels=[channel, channel]))


def test_another_number_of_channels_than_rows_is_an_error():
    with pytest.raises(StreamError, match="3 channels and describes 1"):
        layout_of(stream(rows=3, channels=[{**LIGHT, "label": "a", "wavelength": "760"}]))


# ------------------------------------------------------------------- all together


def test_nothing_recognised_lists_what_was_tried():
    with pytest.raises(StreamError) as error:
        layout_of(stream("Muse", "EEG", rows=5))
    for adapter in ADAPTERS.values():
        assert f"{adapter.TITLE}:" in str(error.value)


def test_two_vendors_that_claim_one_stream_are_an_error_that_names_both():
    info = oxysoft_stream(OXY, name="Aurora")
    assert {one.device for one in look(info).recognised} == {"aurora", "oxysoft"}
    with pytest.raises(StreamError, match=r"looks like 2 devices \(NIRx Aurora: .*Artinis OxySoft: "):
        layout_of(info)


def test_a_side_file_for_more_rows_than_there_are(data_dir):
    side = read_layout(data_dir / "fnirs/lsl_tapping_xdf/sub-001_task-fingertapping_nirs.json")
    with pytest.raises(StreamError, match=r"row 35 .* has 4 rows; .*another device"):
        layout_of(stream(rows=4), side)


def test_the_side_file_of_a_training_is_taken_only_where_a_stream_does_not_describe_itself():
    row = {"channel_idx": 0, "source": "S1", "detector": "D1", "wavelength": 760}
    montage = side_file_of({"ChMontage": [row]}, OF_BUNDLE)
    geometry = side_file_of({"Optodes": {"S1": [0, 0, 0]}}, OF_BUNDLE)
    described = stream(channels=[{**LIGHT, "label": "a", "wavelength": "760"}])
    assert needed(stream(rows=2), montage) is montage
    assert needed(described, montage) is None
    assert needed(described, geometry) is geometry, "it tells no distance"
    assert needed(stream(rows=2), geometry) is None
    assert needed(stream(rows=2), None) is None


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_says_no_in_words_to_what_is_nothing(name):
    answer = ADAPTERS[name].recognise(ET.Element("info"))
    assert answer.device == name
    assert answer.why


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_say_no_to_each_other(name):
    streams = {
        "aurora": aurora_stream(),
        "oxysoft": oxysoft_stream(OXY),
        "cortivision": stream("Photon_Cap_C1_RAW", rows=42),
        "ninjanirs": stream("ninjaNIRS", "fNIRS", rows=9),
        "mne": stream(channels=[{"label": "S1_D1 760", "type": "fnirs_cw_amplitude", "unit": "0"}]),
    }
    assert [one.device for one in look(streams[name]).recognised] == [name]
