"""A model's channels are found by what they are, never by where they stand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SignalError
from realtime.channels.match import match_channels, merged
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


def test_one_name_of_two_is_enough_to_distinguish_optodes():
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


@pytest.mark.parametrize(("off", "same"), [(1.0, True), (-1.0, True), (1.01, False), (-1.2, False)])
def test_a_nanometre_is_the_most_that_one_light_differs_by(off, same):
    found = SignalSpec((light(1, 1, 760.0 + off, name="other"),), 10.0)
    if same:
        assert match_channels(NEEDED.pick([0]), found) == (0,)
    else:
        with pytest.raises(SignalError, match="lacking"):
            match_channels(NEEDED.pick([0]), found)


def region(name, unit="a.u."):
    return Channel(name=name, kind=Kind.BOLD, unit=unit)


def test_what_has_no_optodes_is_found_by_its_name_alone():
    found = SignalSpec((region("left"), region("right")), 0.5)
    assert match_channels(SignalSpec((region("right"),), 0.5), found) == (1,)
    with pytest.raises(SignalError, match="1 of the 1"):
        match_channels(SignalSpec((region("middle"),), 0.5), found)
    # Only what is light may have a unit that is not declared.
    with pytest.raises(SignalError, match=r"right \(bold, percent\).*Found 2: left \(bold, a.u.\), right"):
        match_channels(SignalSpec((region("right", "percent"),), 0.5), found)


def test_a_name_is_of_its_kind():
    oxygenated = Channel(name="S1_D1", kind=Kind.HBO, unit="mol/L", source=1, detector=1)
    other = replace(oxygenated, kind=Kind.HBR)
    assert match_channels(SignalSpec((oxygenated,), 10.0), SignalSpec((oxygenated,), 10.0)) == (0,)
    with pytest.raises(SignalError, match="lacking"):
        match_channels(SignalSpec((oxygenated,), 10.0), SignalSpec((other,), 10.0))
    # Light and what follows from it share optodes and are not taken for one another.
    with pytest.raises(SignalError, match="lacking"):
        match_channels(SignalSpec((oxygenated,), 10.0), SignalSpec((light(1, 1, 760.0, name="S1_D1"),), 10.0))


def test_the_vendor_s_optodes_go_before_our_numbers():
    needed = SignalSpec((light(1, 1, 760.0, source_name="A", detector_name="B", name="x"),), 10.0)
    found = SignalSpec(
        (
            light(1, 1, 760.0, source_name="C", detector_name="B", name="same numbers"),
            light(4, 7, 760.0, source_name="A", detector_name="B", name="same optodes"),
        ),
        10.0,
    )
    assert match_channels(needed, found) == (1,)


def test_an_optode_without_name_and_number_is_no_optode():
    half = light(3, None, 760.0, source_name="A", name="half")
    with pytest.raises(SignalError, match="lacking"):
        match_channels(SignalSpec((replace(half, name="x"),), 10.0), SignalSpec((half,), 10.0))
    with pytest.raises(SignalError, match="lacking"):
        match_channels(
            SignalSpec((light(None, 1, 760.0, name="x"),), 10.0),
            SignalSpec((light(None, 1, 760.0, name="y"),), 10.0),
        )
    # One that is known by its name at one end and by its number at the other is.
    one = light(3, 1, 760.0, source_name="A", name="one")
    assert match_channels(
        SignalSpec((replace(one, name="x", source=9),), 10.0), SignalSpec((one,), 10.0)
    ) == (0,)


def test_a_name_found_twice_in_words_is_reported_by_its_colour():
    silent = replace(light(1, 1, 760.0, name="row"), wavelength=None)
    needed = SignalSpec((light(1, 1, 760.0, name="row"),), 10.0)
    assert match_channels(needed, SignalSpec((silent,), 10.0)) == (0,)  # by name; its colour is the model's
    assert merged(needed, SignalSpec((silent,), 10.0), (0,)).channels[0].wavelength == 760.0


def test_what_the_stream_says_goes_before_what_the_model_knows():
    needed = SignalSpec((light(1, 1, 760.0, distance=0.03, position=(1.0, 0.0, 0.0), name="m"),), 10.0)
    found = SignalSpec(
        (light(5, 6, 760.4, distance=0.025, source_position=(0.0, 1.0, 0.0), name="theirs"),), 7.8
    )
    both = merged(needed, found, (0,))
    (channel,) = both.channels
    assert both.rate == 7.8
    assert (channel.name, channel.source, channel.detector) == ("m", 1, 1)
    assert (channel.wavelength, channel.distance) == (760.4, 0.025)
    assert channel.position == (1.0, 0.0, 0.0)
    assert channel.source_position == (0.0, 1.0, 0.0)
    assert channel.detector_position is None


def test_a_long_list_is_cut_and_says_how_much_more_there_is():
    def montage(n):
        named = {"source_name": "Tx1", "detector_name": "Rx1"}
        return SignalSpec(tuple(light(1, 1, 700.0 + 5 * i, name=f"c{i}", **named) for i in range(n)), 10.0)

    with pytest.raises(SignalError) as all_shown:
        match_channels(NEEDED.pick([0]), montage(6))
    assert "c5 (Tx1 to Rx1, intensity, V). Use" in str(all_shown.value)
    assert "more" not in str(all_shown.value)
    with pytest.raises(SignalError, match=r"c5 \(Tx1 to Rx1, intensity, V\) and 2 more\. Use"):
        match_channels(NEEDED.pick([0]), montage(8))


def of_numbers(source, detector, off, name):
    """A channel whose optodes have no names."""
    return light(source, detector, 760.0 + off, name=name)


@pytest.mark.parametrize("n", [2, 3])
def test_what_could_be_two_channels_is_asked_about(n):
    found = SignalSpec(
        (light(7, 7, 850.0, name="other"), *(of_numbers(1, 1, 0.25, f"twin {i}") for i in range(n))), 10.0
    )
    with pytest.raises(SignalError) as raised:
        match_channels(NEEDED.pick([0]), found)
    assert str(raised.value) == (
        "S1_D1 760 (intensity, V) could be twin 0 (intensity, V) or twin 1 (intensity, V); expected one that "
        "fits. Give the optodes names that distinguish them."
    )


def test_a_number_that_happens_to_be_an_index_makes_no_two_channels_alike():
    """Nanometres apart and rows of the stream are both numbers."""
    near, far = (of_numbers(1, 1, off, f"off {off}") for off in (0.0, 1.0))
    other = [light(7, 7, 850.0 + i, name=f"other {i}") for i in range(2)]
    for channels, index in [
        ((far, near), 1),
        ((near, far), 0),
        ((near, other[0], far), 0),
        ((*other, far, near), 3),
    ]:
        assert match_channels(NEEDED.pick([0]), SignalSpec(channels, 10.0)) == (index,)


def test_an_optode_that_only_one_side_names_is_found_by_our_number():
    needed = SignalSpec((light(1, 2, 760.0, source_name="AF7", detector_name="Fpz", name="model"),), 10.0)
    found = SignalSpec((of_numbers(2, 1, 0.0, "turned"), of_numbers(1, 2, 0.0, "same")), 10.0)
    assert match_channels(needed, found) == (1,)
    with pytest.raises(SignalError, match="lacking"):
        match_channels(needed, found.pick([0]))


def test_names_in_other_places_are_refused():
    needed = SignalSpec((light(1, 1, 760.0, distance=0.03),), 10.0)
    near, far = (SignalSpec((light(1, 1, 760.0, distance=d),), 10.0) for d in (0.031, 0.06))
    assert match_channels(needed, near) == (0,)
    with pytest.raises(SignalError, match="60 mm apart, not 30 mm"):
        match_channels(needed, far)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("AF7", 1), (None, 1), True),
        (("AF7", 1), (None, 2), False),
        (("AF7", None), (None, 1), False),
        (("S3", 1), (None, 3), True),  # what a name says of a number goes before a row
        (("S3", 1), (None, 1), False),
        (("Rx4b", 4), (None, 4), False),  # it is not known which of the two at receiver 4
        (("AF7", 1), ("AF8", 1), False),
        (("AF7", 1), ("AF7", 2), True),
        (("AF7", 1), (None, None), True),
        ((None, 1), (None, 2), False),
        ((None, 1), (None, 1), True),
    ],
)
def test_channels_of_one_name_are_one_unless_their_optodes_contradict(one, other, same):
    specs = [SignalSpec((light(n, 1, 760.0, source_name=who, name="row"),), 10.0) for who, n in (one, other)]
    for needed, found in (specs, specs[::-1]):
        if same:
            assert match_channels(needed, found) == (0,)
        else:
            with pytest.raises(SignalError, match="lacking"):
                match_channels(needed, found)
