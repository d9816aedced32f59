"""The fields of the NIRS convention: words for "not known", optodes, coordinates, wavelengths, rates."""

from xml.etree import ElementTree as ET

import pytest

from models.errors import SignalError, StreamError
from realtime.channels.nirs_metadata import believed_rate, location, standard_fields
from realtime.sources.stream_checks import open_stream

PLACES = (("source", "S1", 0.0), ("detector", "D1", 30.0))


def info(*channels, places=PLACES):
    """A stream of light whose channels differ from S1-D1 by these fields."""
    answer = "".join(
        "<channel>"
        + "".join(
            f"<{tag}>{text}</{tag}>"
            for tag, text in {
                "label": f"row {row}",
                "type": "Intensity",
                "source": "S1",
                "detector": "D1",
                "wavelength": "760",
                **change,
            }.items()
        )
        + "</channel>"
        for row, change in enumerate(channels)
    )
    optodes = "".join(
        f"<optode><function>{function}</function><label>{label}</label>"
        f"<location><X>{x}</X><Y>0</Y><Z>0</Z></location></optode>"
        for function, label, x in places
    )
    header = f"<name>Cap</name><type>NIRS</type><channel_count>{len(channels)}</channel_count>"
    return ET.fromstring(
        f"<info>{header}<nominal_srate>10</nominal_srate><desc><channels>{answer}</channels>"
        f"<optodes>{optodes}</optodes></desc></info>"
    )


def fields(*channels, **more):
    return standard_fields(info(*channels, **more).find("desc"))[0]


@pytest.mark.parametrize("word", ["n/a", "unknown", "-"])
def test_an_optode_of_no_name_is_not_known(word):
    (channel,) = fields({"source": word}, places=(("source", word, 0.0), ("detector", "D1", 30.0)))
    assert (channel.source, channel.source_name, channel.distance) == (None, None, None)


@pytest.mark.parametrize("label", ["1", "s01", "Tx1"])
def test_an_optode_is_placed_however_its_name_is_written(label):
    (channel,) = fields({}, places=(("source", label, 0.0), ("detector", "D1", 30.0)))
    assert channel.distance == pytest.approx(0.03)


def test_an_optode_with_two_positions_is_refused():
    assert fields({}, places=(*PLACES, PLACES[0]))[0].distance == pytest.approx(0.03)
    with pytest.raises(SignalError, match="'S1': there are two positions of a source of that name"):
        fields({}, places=(*PLACES, ("source", "S1", 50.0)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"wavelength": "7600"},
            "channel 'row 1' has a wavelength of 7600; expected nanometres, 400 to 1400",
        ),
        ({"wavelength": "0.85"}, "channel 'row 1' has a wavelength of 0.85"),
        ({"wavelength_measured": "850"}, "sends 850 nm, where 760 nm is its nominal wavelength"),
    ],
)
def test_a_live_stream_of_light_that_cannot_be_is_refused(change, message):
    open_stream(info({}, {"wavelength": "850", "wavelength_measured": "851.2"}), None, local=0.0)
    with pytest.raises(StreamError, match=message):
        open_stream(info({}, change), None, local=0.0)


def coordinates(**children):
    return ET.fromstring(
        "<location>" + "".join(f"<{k}>{v}</{k}>" for k, v in children.items()) + "</location>"
    )


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ({"Z": "3", "X": "1", "Y": "2"}, (0.001, 0.002, 0.003)),
        ({"x": "1", "y": "2", "z": "3", "frame": "head"}, (0.001, 0.002, 0.003)),  # more than the three
        ({"a": "1", "b": "2", "c": "3", "d": "4"}, (0.001, 0.002, 0.003)),  # by order where not named
        ({"X": "0.1", "Y": "-0.7", "Z": "1e2"}, (0.0001, -0.0007, 0.1)),
        ({"X": "1", "Y": "2"}, None),
        ({"X": "1", "Y": "2", "Z": "n/a"}, None),
        ({}, None),
    ],
)
def test_coordinates_are_millimetres_by_name_or_in_order(children, expected):
    assert location(coordinates(**children), "Optode") == expected


def test_coordinates_that_are_no_numbers_are_refused():
    with pytest.raises(SignalError, match=r"Optode: location Y .*'2,5'"):
        location(coordinates(X="1", Y="2,5", Z="3"), "Optode")
    assert location(None, "Optode") is None


@pytest.mark.parametrize(
    ("declared", "rate"),
    [(0.001, 0.001), (1e6, 1e6), (0.00099, 0.0), (1.001e6, 0.0), (-10.0, 0.0), (0.0, 0.0)],
)
def test_a_rate_that_no_device_has_is_none(declared, rate):
    assert believed_rate(declared) == rate


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"label": ""}, "S1_D1 760"),
        ({"label": "", "source": ""}, "row 0"),
        ({"label": "", "detector": ""}, "row 0"),
        ({"label": "left"}, "left"),
    ],
)
def test_a_row_without_a_label_is_named_by_its_optodes(change, name):
    (channel,) = fields(change)
    assert channel.name == name
