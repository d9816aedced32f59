"""A signal goes to MNE's Info and comes back whole; what MNE cannot hold is in the table."""

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mne.preprocessing.nirs import source_detector_distances

from models.errors import SignalError
from realtime.channels.mne_info import NOT_HELD, info_from_spec, spec_from_info
from realtime.signal import CONFOUNDS, UNITS, Channel, Kind, SignalSpec

metres = st.floats(-0.3, 0.3, allow_subnormal=False)
places = st.tuples(metres, metres, metres)
words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12)
numbers = st.integers(1, 99)
LIGHT = (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
MISC = (Kind.HBT, Kind.BOLD, *CONFOUNDS)


def maybe(strategy):
    return st.none() | strategy


@st.composite
def specs(draw, *, complete=False):
    """Channels that MNE can tell apart; with `complete`, of kinds and with numbers that it knows."""
    kinds = [kind for kind in Kind if not complete or kind not in MISC]
    some = (lambda strategy: strategy) if complete else maybe
    channels = []
    taken = set()
    for name in draw(st.lists(words, min_size=1, max_size=6, unique=True)):
        kind = draw(st.sampled_from(kinds))
        channel = Channel(
            name=name,
            kind=kind,
            unit=UNITS[kind][0] if complete else draw(st.sampled_from(UNITS[kind])),
            source=draw(some(numbers)),
            detector=draw(some(numbers)),
            source_name=draw(maybe(words)),
            detector_name=draw(maybe(words)),
            wavelength=draw(some(st.floats(600, 1000))) if kind in LIGHT else None,
            nominal_wavelength=None if complete else draw(maybe(st.floats(600, 1000))),
            distance=draw(maybe(st.floats(0, 0.1))),
            position=draw(some(places)),
            source_position=draw(maybe(places)),
            detector_position=draw(maybe(places)),
        )
        last = f"{channel.wavelength:.10g}" if channel.wavelength is not None else kind
        key = (channel.pair, last)
        if key not in taken:
            taken.add(key)
            channels.append(channel)
    return SignalSpec(tuple(channels), draw(st.floats(0.1 if complete else 0, 1000)))


def differing(spec, again):
    lost = {
        field
        for a, b in zip(spec.channels, again.channels, strict=True)
        for field in a.__dataclass_fields__
        if getattr(a, field) != getattr(b, field)
    }
    return lost | ({"rate"} if spec.rate != again.rate else set())


@settings(deadline=None)
@given(specs())
def test_nothing_is_lost_with_our_text(spec):
    info = info_from_spec(spec)
    assert spec_from_info(info) == spec
    assert spec_from_info(info, rate=7.0) == spec.with_rate(7.0)


@settings(deadline=None)
@given(specs(complete=True))
def test_mne_alone_holds_everything_outside_the_table(spec):
    info = info_from_spec(spec)
    info["description"] = None
    assert differing(spec, spec_from_info(info)) <= set(NOT_HELD["always"])


@settings(deadline=None)
@given(specs())
def test_whatever_mne_loses_is_in_the_table(spec):
    held = [i for i, channel in enumerate(spec.channels) if channel.kind not in MISC]
    info = info_from_spec(spec)
    info["description"] = None
    if not held:
        with pytest.raises(SignalError, match="misc"):
            spec_from_info(info)
        return
    lost = differing(spec.pick(held), spec_from_info(info))
    assert lost <= {*NOT_HELD["always"], *NOT_HELD["sometimes"]}


def rested(data_dir):
    path = data_dir / "fnirs/rest/sub-01_task-rest_nirs.snirf"
    return mne.io.read_raw_snirf(path, preload=True, verbose="error")


def test_mnes_own_functions_take_our_info(data_dir):
    raw = rested(data_dir)
    spec = spec_from_info(raw.info)
    assert len(spec) == 70
    assert spec.channels[0].distance == pytest.approx(0.03)
    info = info_from_spec(spec)
    assert info.ch_names == raw.ch_names
    np.testing.assert_array_equal(source_detector_distances(info), source_detector_distances(raw.info))
    ours = mne.io.RawArray(raw.get_data(), info, verbose="error")
    density = mne.preprocessing.nirs.optical_density(ours, verbose="error")
    theirs = mne.preprocessing.nirs.optical_density(raw, verbose="error")
    a = mne.preprocessing.nirs.beer_lambert_law(density, ppf=6.0)
    b = mne.preprocessing.nirs.beer_lambert_law(theirs, ppf=6.0)
    np.testing.assert_array_equal(a.get_data(), b.get_data())
    assert set(spec_from_info(b.info).kinds) == {Kind.HBO, Kind.HBR}


def test_our_text_survives_a_fif_file(tmp_path):
    spec = SignalSpec(
        tuple(
            Channel(
                name=f"left {nm}",
                kind=Kind.INTENSITY,
                unit="a.u.",
                source=7,
                detector=1,
                source_name="S7_CCP3h",
                wavelength=float(nm),
                distance=0.1 / 3,
            )
            for nm in (760, 850)
        ),
        7.883715200788371,
    )
    raw = mne.io.RawArray(np.ones((2, 10)), info_from_spec(spec), verbose="error")
    raw.save(tmp_path / "x_raw.fif", verbose="error")
    again = spec_from_info(mne.io.read_raw_fif(tmp_path / "x_raw.fif", verbose="error").info)
    assert again.channels == spec.channels


def test_after_picking_channels_mnes_own_fields_are_read(data_dir):
    raw = rested(data_dir)
    info = mne.pick_info(info_from_spec(spec_from_info(raw.info)), [0, 1])
    assert spec_from_info(info).names == ("S1_D1 760", "S1_D1 850")


def test_channels_that_mne_cannot_distinguish_are_named():
    twins = tuple(
        Channel(name=name, kind=Kind.HBO, unit="mol/L", source=1, detector=2) for name in ("low", "high")
    )
    with pytest.raises(SignalError, match="'low', 'high' would all be 'S1_D2 hbo'"):
        info_from_spec(SignalSpec(twins, 10.0))


def test_other_signals_are_left_out_or_refused():
    mixed = mne.create_info(["S1_D1 hbo", "acc"], 10.0, ["hbo", "misc"])
    assert spec_from_info(mixed).names == ("S1_D1 hbo",)
    with pytest.raises(SignalError, match="type eeg; expected fnirs_cw_amplitude"):
        spec_from_info(mne.create_info(["Cz"], 10.0, ["eeg"]))
