"""A signal goes through an LSL description and comes back whole; vendors' descriptions are understood."""

from dataclasses import replace

import numpy as np
import pylsl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import StreamError
from realtime.log import Origin, OriginKind
from realtime.signal import UNITS, Channel, Kind, SignalSpec, motion_channels
from realtime.sources.lsl.stream_info import (
    NOT_HELD,
    is_companion,
    layout_from_info,
    marker_info,
    origin_from_info,
    spec_from_info,
    stream_info,
)

REPLAYED = Origin(OriginKind.REPLAYED, speed=20.0, anchor=602320.7757811)

metres = st.floats(-0.3, 0.3, allow_subnormal=False)
places = st.tuples(metres, metres, metres)
words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12)


def maybe(strategy):
    return st.none() | strategy


@st.composite
def any_specs(draw):
    names = draw(st.lists(words, min_size=1, max_size=8, unique=True))
    channels = []
    for name in names:
        kind = draw(st.sampled_from(Kind))
        channels.append(
            Channel(
                name=name,
                kind=kind,
                unit=draw(st.sampled_from(UNITS[kind])),
                source=draw(maybe(st.integers(1, 99))),
                detector=draw(maybe(st.integers(1, 99))),
                source_name=draw(maybe(words)),
                detector_name=draw(maybe(words)),
                wavelength=draw(maybe(st.floats(600, 1000))),
                nominal_wavelength=draw(maybe(st.floats(600, 1000))),
                distance=draw(maybe(st.floats(0, 0.1))),
                position=draw(maybe(places)),
                source_position=draw(maybe(places)),
                detector_position=draw(maybe(places)),
            )
        )
    return SignalSpec(tuple(channels), draw(st.floats(0, 1000)))


@st.composite
def plain_specs(draw):
    """What the convention holds: light between numbered optodes at one place each."""
    n = draw(st.integers(1, 4))
    at = [draw(places) for _ in range(2 * n)]
    kinds = st.sampled_from([kind for kind in Kind if kind is not Kind.BOLD])
    channels = {}
    for _ in range(draw(st.integers(1, 8))):
        s, d, kind = draw(st.integers(1, n)), draw(st.integers(1, n)), draw(kinds)
        light = kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
        name = draw(words)
        channels[name] = Channel(
            name=name,
            kind=kind,
            unit=draw(st.sampled_from(UNITS[kind])),
            source=s,
            detector=d,
            source_name=f"S{s}",
            detector_name=f"D{d}",
            wavelength=draw(st.floats(600, 1000)) if light else None,
            source_position=at[s - 1],
            detector_position=at[n + d - 1],
        )
    return SignalSpec(tuple(channels.values()), draw(st.floats(0.1, 1000)))


def without_ours(info):
    info.desc().remove_child(info.desc().child("hemostream"))
    return info


@settings(deadline=None)
@given(any_specs())
def test_nothing_is_lost_with_our_own_child(spec):
    info = stream_info(spec, name="x", source_id="y", origin=REPLAYED)
    layout = layout_from_info(info)
    assert layout.spec == spec
    assert layout.rows == tuple(range(len(spec)))
    assert origin_from_info(info) == REPLAYED


@settings(deadline=None)
@given(plain_specs())
def test_the_convention_alone_holds_everything_outside_the_table(spec):
    info = without_ours(stream_info(spec, name="x", source_id="y", origin=REPLAYED))
    again = spec_from_info(info)
    lost = {
        field
        for a, b in zip(spec.channels, again.channels, strict=True)
        for field in a.__dataclass_fields__
        if getattr(a, field) != getattr(b, field)
    }
    assert lost <= set(NOT_HELD["always"]), "these follow from the optodes; all else must be the same"
    assert again.rate == pytest.approx(spec.rate, rel=1e-14)
    assert origin_from_info(info) == Origin()


def wholly_lit(spec):
    """Every channel of light with a wavelength, so that none is half described."""
    light = (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
    channels = (
        replace(c, wavelength=c.wavelength or 800.0 if c.kind in light else c.wavelength)
        for c in spec.channels
    )
    return SignalSpec(tuple(channels), spec.rate)


@settings(deadline=None)
@given(any_specs().map(wholly_lit))
def test_whatever_the_convention_loses_is_in_the_table(spec):
    info = without_ours(stream_info(spec, name="x", source_id="y", origin=REPLAYED))
    table = {*NOT_HELD["always"], *NOT_HELD["sometimes"]}
    for a, b in zip(spec.channels, spec_from_info(info).channels, strict=True):
        differing = {field for field in a.__dataclass_fields__ if getattr(a, field) != getattr(b, field)}
        assert differing <= table


def test_all_bold_is_a_stream_of_type_fmri():
    spec = SignalSpec((Channel(name="#1", kind=Kind.BOLD, unit="a.u."),), 0.5)
    assert stream_info(spec, name="x", source_id="y", origin=Origin()).type() == "fMRI"
    moving = SignalSpec((*spec.channels, *motion_channels()), 0.5)
    assert stream_info(moving, name="x", source_id="y", origin=Origin()).type() == "fMRI"


def vendor_stream(channels, optodes=()):
    info = pylsl.StreamInfo("Vendor", "NIRS", len(channels), 10.0, "float32", "vendor-1")
    parent = info.desc().append_child("channels")
    for channel in channels:
        node = parent.append_child("channel")
        for tag, text in channel.items():
            node.append_child_value(tag, text)
    parent = info.desc().append_child("optodes")
    for function, label, (x, y, z) in optodes:
        node = parent.append_child("optode")
        node.append_child_value("function", function)
        node.append_child_value("label", label)
        location = node.append_child("location")
        for axis, value in zip("XYZ", (x, y, z), strict=True):
            location.append_child_value(axis, str(value))
    return info


def test_a_vendors_stream_with_counter_and_motion_sensor():
    info = vendor_stream(
        [
            {"label": "frame", "type": "FrameCounter"},
            {"label": "a", "type": "Intensity", "unit": "mV", "source": "Rx4b", "detector": "Tx5"}
            | {"wavelength": "760"},
            {"label": "acc", "type": "Accelerometer", "unit": "g"},
            {"label": "b", "type": "HbO", "unit": "umol/L", "source": "Rx4", "detector": "Tx5"},
        ],
        [("Source", "Rx4b", (0, 0, 0)), ("Detector", "Tx5", (0, 30, 0)), ("Source", "Rx4", (0, 0, 8))],
    )
    layout = layout_from_info(info)
    assert layout.rows == (1, 3)
    a, b = layout.spec.channels
    assert (a.source, a.source_name, b.source, b.source_name) == (1, "Rx4b", 2, "Rx4"), "4 would be both"
    assert (a.detector, a.detector_name) == (5, "Tx5")
    assert a.distance == pytest.approx(0.03)
    assert b.distance == pytest.approx(np.hypot(0.03, 0.008))
    assert (a.unit, b.unit) == ("V", "mol/L")
    data = np.arange(8, dtype=np.float32).reshape(4, 2)
    np.testing.assert_allclose(layout.take(data), [[2e-3, 3e-3], [6e-6, 7e-6]])


def test_a_concentration_without_unit_is_refused():
    info = vendor_stream([{"label": "b", "type": "HbO", "source": "S1", "detector": "D1"}])
    with pytest.raises(StreamError, match=r"'Vendor'.*'b'.*expected mol/L"):
        spec_from_info(info)


def test_a_stream_without_description_asks_for_a_layout_file():
    with pytest.raises(StreamError, match=r"'Cap'.*42 channels; a layout file"):
        spec_from_info(pylsl.StreamInfo("Cap", "NIRS", 42, 7.88, "float32", "cap"))


def test_a_bare_stream_still_declares_its_origin():
    spec = SignalSpec((Channel(name="#1", kind=Kind.BOLD, unit="a.u."),), 0.5)
    info = stream_info(spec, name="x", source_id="y", origin=REPLAYED, bare=True)
    assert origin_from_info(info) == REPLAYED
    with pytest.raises(StreamError, match="layout file"):
        spec_from_info(info)


def test_a_stream_of_other_signals_lists_what_they_are():
    info = vendor_stream([{"label": "x", "type": "Accelerometer"}, {"label": "y", "type": "NIRS"}])
    with pytest.raises(StreamError, match="their types are Accelerometer, NIRS"):
        spec_from_info(info)


@pytest.mark.parametrize(
    ("field", "text"), [("origin", "dreamt"), ("speed", "0"), ("speed", "fast"), ("anchor", "nan")]
)
def test_an_origin_that_is_not_understood_is_not_taken_for_live(field, text):
    info = marker_info(name="x", source_id="y", origin=REPLAYED)
    node = info.desc().child("hemostream").child(field)
    assert node.first_child().set_value(text)
    with pytest.raises(StreamError, match=text):
        origin_from_info(info)


def test_a_description_changed_by_others_is_read_as_it_stands():
    spec = SignalSpec(
        tuple(Channel(name=n, kind=Kind.INTENSITY, unit="V", wavelength=760.0, distance=0.03) for n in "ab"),
        10.0,
    )
    info = stream_info(spec, name="x", source_id="y", origin=REPLAYED)
    first = info.desc().child("channels").child("channel")
    first.child("label").first_child().set_value("renamed")
    again = spec_from_info(info)
    assert again.names == ("renamed", "b")
    assert again.channels[1].distance is None


def test_over_a_real_stream():
    spec = SignalSpec(
        tuple(
            Channel(
                name=f"S{s}_D1 {w} µ<&>",
                kind=Kind.INTENSITY,
                unit="V",
                source=s,
                detector=1,
                wavelength=float(w),
                distance=0.1 / 3,
                source_name=f"Rx{s}",
            )
            for s in range(1, 31)
            for w in (690, 830)
        ),
        50 / 7,
    )
    outlet = pylsl.StreamOutlet(stream_info(spec, name="real", source_id="test-lsl-info", origin=REPLAYED))
    found = pylsl.resolve_byprop("source_id", "test-lsl-info", timeout=20)
    inlet = pylsl.StreamInlet(found[0])
    try:
        info = inlet.info(timeout=20)
        assert spec_from_info(info) == spec
        assert origin_from_info(info) == REPLAYED
    finally:
        inlet.close_stream()
        del inlet, outlet


def test_what_a_cap_sends_next_to_its_signal_is_not_a_second_signal():
    cap = [
        pylsl.StreamInfo(f"Photon_Cap_C1_{what}", "NIRS", 36, 7.88, "float32", what)
        for what in ("RAW", "STATS")
    ]
    assert [is_companion(info) for info in cap] == [False, True]
