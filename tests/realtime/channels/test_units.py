"""A unit of another format is the SI unit of its kind times a factor; others are refused."""

import math

import pytest

from models.errors import SignalError
from realtime.channels.units import LENGTHS, kind_of, unit_of
from realtime.signal import UNITS, Kind

FACTORS = [
    ("", 1.0),
    ("milli", 1e-3),
    ("nano", 1e-9),
    ("m", 1e-3),
    ("u", 1e-6),
    ("µ", 1e-6),
    ("μ", 1e-6),
    ("n", 1e-9),
    ("micro", 1e-6),
]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Intensity", Kind.INTENSITY),
        ("raw intensity", Kind.INTENSITY),
        (" dOD ", Kind.OPTICAL_DENSITY),
        ("HbO", Kind.HBO),
        ("O2Hb", Kind.HBO),
        ("HHb", Kind.HBR),
        ("tHb", Kind.HBT),
        ("BOLD", Kind.BOLD),
        ("HeadRotation", Kind.ROTATION),
        ("Physiology", Kind.PHYSIOLOGY),
        ("accelerometer", None),
        ("", None),
    ],
)
def test_a_channel_type_is_known_by_its_name_in_any_case(text: str, kind: Kind | None) -> None:
    assert kind_of(text) is kind


@pytest.mark.parametrize("base", ["mol/L", "M", "molar", "mol/dm^3"])
@pytest.mark.parametrize(("prefix", "factor"), FACTORS)
def test_concentrations_are_converted_to_mol_per_litre(prefix: str, factor: float, base: str) -> None:
    for kind in (Kind.HBO, Kind.HBR, Kind.HBT):
        assert unit_of(kind, f" {prefix}{base} ") == ("mol/L", factor)


@pytest.mark.parametrize("text", ["", "1", "kM", "M/s", "mol", "mmol", "a.u.", "mmM"])
def test_a_concentration_without_a_known_unit_is_refused(text: str) -> None:
    with pytest.raises(SignalError, match=r"Unit of hbo is .*expected mol/L, mmol/L"):
        unit_of(Kind.HBO, text)


def test_an_unknown_unit_of_light_costs_nothing() -> None:
    """Only ratios of intensities are used."""
    assert unit_of(Kind.INTENSITY, "mV") == ("V", 1e-3)
    assert unit_of(Kind.INTENSITY, "volts") == ("V", 1.0)
    assert unit_of(Kind.INTENSITY, "counts") == ("a.u.", 1.0)


def test_an_optical_density_is_a_natural_logarithm_unless_declared_to_base_10() -> None:
    assert unit_of(Kind.OPTICAL_DENSITY, "dOD") == ("1", 1.0)
    unit, factor = unit_of(Kind.OPTICAL_DENSITY, "LOG10")
    assert unit == "1"
    # A tenth of the light is one to base 10, and log(10) to base e.
    assert factor == pytest.approx(-math.log(0.1))
    with pytest.raises(SignalError, match="Unit of an optical density is 'V'"):
        unit_of(Kind.OPTICAL_DENSITY, "V")


def test_bold_is_percent_only_where_declared() -> None:
    assert unit_of(Kind.BOLD, "PSC") == ("percent", 1.0)
    assert unit_of(Kind.BOLD, "") == ("a.u.", 1.0)


def test_head_motion_needs_a_known_unit() -> None:
    assert unit_of(Kind.TRANSLATION, "mm") == ("m", 1e-3)
    assert unit_of(Kind.DISPLACEMENT, "m") == ("m", 1.0)
    assert unit_of(Kind.ROTATION, "deg") == ("rad", pytest.approx(math.pi / 180))
    assert unit_of(Kind.PHYSIOLOGY, "whatever") == ("a.u.", 1.0)
    for kind, text in ((Kind.TRANSLATION, ""), (Kind.ROTATION, "mm"), (Kind.DISPLACEMENT, "voxels")):
        with pytest.raises(SignalError, match=f"Unit of {kind} is '{text}'; expected"):
            unit_of(kind, text)


def test_every_unit_that_a_channel_may_have_means_itself() -> None:
    for kind, units in UNITS.items():
        for unit in units:
            assert unit_of(kind, unit) == (unit, 1.0)


def test_lengths_are_metres() -> None:
    assert LENGTHS == {"m": 1.0, "cm": 0.01, "mm": 0.001}
