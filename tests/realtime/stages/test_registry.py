"""Making a stage from its settings: what is known, and the error otherwise."""

from typing import Any

import pytest

from models.errors import RecipeError, SignalError
from realtime.signal import Channel, Kind, SignalSpec
from realtime.stages import STAGES, make_stage

BLOOD = SignalSpec(
    (
        Channel(name="S1_D1 hbo", kind=Kind.HBO, unit="mol/L", source=1, detector=1),
        Channel(name="S1_D1 hbr", kind=Kind.HBR, unit="mol/L", source=1, detector=1),
    ),
    8.0,
)


def test_settings_reach_the_stage() -> None:
    stage = make_stage({"stage": "resample", "rate": 5}, BLOOD)
    assert type(stage) is STAGES["resample"]
    assert stage.spec_out == BLOOD.with_rate(5.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"stage = None; expected one of align"),
        ({"stage": "band_pass"}, r"no stage 'band_pass'. Did you mean 'bandpass'\?"),
        ({"stage": "bandpass", "lo": 0.1}, r"no setting 'lo'. Did you mean 'low'\?"),
        ({"stage": "resample"}, r"lacks its setting 'rate'; found none"),
        ({"stage": "resample", "rate": "8"}, r"rate = '8'; expected a number above 0"),
        ({"stage": "resample", "rate": True}, r"rate = True; expected a number"),
        ({"stage": "resample", "rate": float("nan")}, r"rate = nan; expected a number"),
        ({"stage": "resample", "rate": -1}, r"rate = -1; expected a number above 0"),
        ({"stage": "bandpass"}, r"low = 0 and high = 0; expected at least one edge"),
        (
            {"stage": "bandpass", "low": 0.3, "high": 0.2},
            r"low = 0.3 Hz and high = 0.2 Hz; expected low < high",
        ),
        (
            {"stage": "bandpass", "low": 0.1, "order": 2.0},
            r"order = 2.0; expected a whole number from 1 to 8",
        ),
        ({"stage": "total_haemoglobin", "keep": 1}, r"keep = 1; expected true or false"),
        ({"stage": "select"}, r"no criterion; expected one or more of kinds"),
        ({"stage": "select", "kinds": "hbo"}, r"kinds = 'hbo'; expected a list of strings"),
        ({"stage": "select", "kinds": ["hboo"]}, r"'hboo', which is not known. Did you mean 'hbo'\?"),
        ({"stage": "select", "names": ["a", "a"]}, r"names a more than once"),
        (
            {"stage": "select", "max_distance": 45},
            r"max_distance = 45; expected a number above 0 and at most 1",
        ),
        ({"stage": "normalise", "memory_s": 0}, r"memory_s = 0; expected a number above 0"),
    ],
)
def test_wrong_settings_show_the_value_and_what_was_expected(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        make_stage(settings, BLOOD)


SMALLEST: dict[str, dict[str, Any]] = {
    "select": {"kinds": ["hbo"]},
    "resample": {"rate": 8.0},
    "bandpass": {"low": 0.1},
}


@pytest.mark.parametrize("name", STAGES)
def test_a_signal_without_a_channel_to_work_on_is_refused(name: str) -> None:
    with pytest.raises(SignalError, match=r"found no channel at all.*expected"):
        make_stage({"stage": name, **SMALLEST.get(name, {})}, SignalSpec((), 8.0))


@pytest.mark.parametrize("name", ["optical_density", "beer_lambert", "percent_signal"])
def test_a_signal_of_other_kinds_is_refused_by_name(name: str) -> None:
    with pytest.raises(SignalError, match=r"found 1 hbo \(mol/L\), 1 hbr \(mol/L\); expected "):
        make_stage({"stage": name}, BLOOD)
