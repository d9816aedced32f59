"""A model's channels are found by what they are, never by where they stand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SignalError
from realtime.matching import match_channels, merged
from realtime.signal import Channel, Kind, SignalSpec


def light(source, detector, wavelength, **more):
    name = more.pop("name", f"S{source}_D{detector} {wavelength:g}")
    return Channel(
        name=name,
        kind=Kind.INTENSITY,
        unit="V",
        source=source,
        detector=detector,
        wavelength=wavelength,
        **more,
    )


NEEDED = SignalSpec(tuple(light(s, 1, w) for s in (1, 2) for w in (760.0, 850.0)), 10.0)


@given(st.permutations(range(4)))
def test_any_order_is_put_right(order):
    found = NEEDED.pick(order)
    assert [found.channels[i] for i in match_channels(NEEDED, found)] == list(NEEDED.channels)


@given(st.permutations(range(4)), st.floats(-0.9, 0.9))
def test_a_rounded_wavelength_is_the_same_light(order, off):
    renamed = tuple(
        replace(c, name=f"row {i}", wavelength=c.wavelength + off) for i, c in enumerate(NEEDED.channels)
    )
    found = SignalSpec(renamed, 10.0).pick(order)
    indices = match_channels(NEEDED, found)
    assert [order[i] for i in indices] == [0, 1, 2, 3]
    assert merged(NEEDED, found, indices).names == NEEDED.names


def test_the_nearest_of_two_is_meant():
    found = SignalSpec((light(1, 1, 760.9, name="a"), light(1, 1, 760.1, name="b")), 10.0)
    assert match_channels(NEEDED.pick([0]), found) == (1,)


def test_light_of_no_known_colour_is_not_guessed():
    needed = SignalSpec((light(1, 1, 760.0, name="x"),), 10.0)
    dark = replace(light(1, 1, 760.0, name="y"), wavelength=None)
    with pytest.raises(SignalError, match="1 of the 1 channels"):
        match_channels(needed, SignalSpec((dark,), 10.0))


def test_a_unit_that_a_file_did_not_say_is_that_of_the_stream():
    unsaid = SignalSpec(tuple(replace(c, unit="a.u.") for c in NEEDED.channels), 10.0)
    indices = match_channels(unsaid, NEEDED)
    assert indices == (0, 1, 2, 3)
    assert merged(unsaid, NEEDED, indices).channels[0].unit == "V"


def test_one_name_of_two_is_enough_to_tell_optodes_apart():
    needed = SignalSpec((light(5, 1, 760.0, detector_name="Rx4b"),), 10.0)
    # In the other file the two fibres of receiver 4 are numbered the other way round.
    found = SignalSpec(
        (
            light(5, 1, 760.0, detector_name="Rx4a", name="first"),
            light(5, 2, 760.0, detector_name="Rx4b", name="second"),
        ),
        10.0,
    )
    assert match_channels(needed, found) == (1,)
    with pytest.raises(SignalError, match="lacking"):
        match_channels(needed, found.pick([0]))


def test_other_light_and_other_kinds_are_lacking_by_name():
    found = SignalSpec((light(1, 1, 690.0), light(1, 1, 830.0)), 10.0)
    with pytest.raises(SignalError, match=r"S1_D1 760 .*Found 2: S1_D1 690"):
        match_channels(NEEDED, found)
