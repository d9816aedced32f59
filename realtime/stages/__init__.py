"""The causal stages of the pipeline: their registry, and how one is made from its settings."""

import inspect
from collections.abc import Mapping
from typing import Any

from models.errors import RecipeError, near_match
from realtime.signal import SignalSpec
from realtime.stages.align import Align
from realtime.stages.bandpass import Bandpass
from realtime.stages.base import Stage
from realtime.stages.beer_lambert import BeerLambert
from realtime.stages.bridge import Bridge
from realtime.stages.cue_reference import CueReference
from realtime.stages.despike import Despike
from realtime.stages.haemoglobin import Haemoglobin
from realtime.stages.homologues import Homologues
from realtime.stages.motion import Motion
from realtime.stages.normalise import Normalise
from realtime.stages.optical_density import OpticalDensity
from realtime.stages.percent_signal import PercentSignal
from realtime.stages.regress import Regress
from realtime.stages.resample import Resample
from realtime.stages.running_percent import RunningPercent
from realtime.stages.select import Select
from realtime.stages.short_channel import ShortChannel
from realtime.stages.total_haemoglobin import TotalHaemoglobin

__all__ = ["STAGES", "check_settings", "make_stage"]

STAGES: Mapping[str, type] = {
    "select": Select,
    "bridge": Bridge,
    "optical_density": OpticalDensity,
    "resample": Resample,
    "motion": Motion,
    "short_channel": ShortChannel,
    "beer_lambert": BeerLambert,
    "haemoglobin": Haemoglobin,
    "total_haemoglobin": TotalHaemoglobin,
    "bandpass": Bandpass,
    "normalise": Normalise,
    "align": Align,
    "cue_reference": CueReference,
    "homologues": Homologues,
    "percent_signal": PercentSignal,
    "running_percent": RunningPercent,
    "regress": Regress,
    "despike": Despike,
}
"""Every stage by the name that recipes and cards use."""


def check_settings(settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Check a stage's name and the names of its settings; their values are checked when it is made.

    Parameters
    ----------
    settings : mapping
        As `make_stage` takes them.

    Returns
    -------
    str, dict
        The stage's name and its settings.

    Raises
    ------
    RecipeError
        If the stage or a setting is unknown or absent.
    """
    name = settings.get("stage")
    if not isinstance(name, str):
        raise RecipeError(
            f"A pipeline step has stage = {name!r}; expected one of {', '.join(sorted(STAGES))}."
        )
    if name not in STAGES:
        raise RecipeError(f"There is no stage {name!r}. {near_match(name, STAGES)}")
    parameters = [
        parameter
        for parameter in inspect.signature(STAGES[name]).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    known = [parameter.name for parameter in parameters]
    given = {setting: value for setting, value in settings.items() if setting != "stage"}
    for setting in given:
        if setting not in known:
            raise RecipeError(f"Stage {name!r} has no setting {setting!r}. {near_match(setting, known)}")
    for parameter in parameters:
        if parameter.default is inspect.Parameter.empty and parameter.name not in given:
            raise RecipeError(
                f"Stage {name!r} lacks its setting {parameter.name!r}; found {', '.join(given) or 'none'}."
            )
    return name, given


def make_stage(settings: Mapping[str, Any], spec_in: SignalSpec) -> Stage:
    """Make a stage from a table of its settings.

    Parameters
    ----------
    settings : mapping
        ``stage`` is its name; the others are its settings, e.g.
        ``{"stage": "bandpass", "low": 0.02, "high": 0.2}``.
    spec_in : SignalSpec
        The signal that comes in.

    Returns
    -------
    Stage

    Raises
    ------
    RecipeError
        If the stage or a setting is unknown, absent or wrong.
    SignalError
        If the stage cannot work on this signal.
    """
    name, given = check_settings(settings)
    stage: Stage = STAGES[name](spec_in, **given)
    return stage
