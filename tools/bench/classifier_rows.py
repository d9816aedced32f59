"""The rows of the comparison of classifiers (`tools.bench.classifier`): filters and models.

Rows that begin with a plus change one thing of what recipes had before; the others stand behind the filters
of the recipe that ships for the set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.networks import BEST, BLEND, LINEAR, MEMORY, RIDGE, VIRTUAL_PROBE
from offline.evaluation.fit_and_predict import TIME

Section = dict[str, Any]
OLD_FILTERS: tuple[Section, ...] = (
    {"stage": "haemoglobin"},
    {"stage": "resample"},
    {"stage": "bandpass", "low": 0.02, "high": 0.2},
    {"stage": "normalise", "memory_s": 60.0, "warmup_s": 20.0},
)
"""What recipes had before the comparison."""
SLOW: tuple[Section, ...] = (
    *OLD_FILTERS[:2],
    {"stage": "bandpass", "high": 0.2},
    {"stage": "normalise", "memory_s": 600.0, "warmup_s": 20.0},
)
ALIGN: Section = {"stage": "align", "memory_s": 300.0, "warmup_s": 20.0}
NETWORK = {"kind": "cgrnn"}
PROBE = {"kind": VIRTUAL_PROBE}
REGULARISED = {
    "weight_decay": 0.1,
    "channel_dropout": 0.2,
    "augmentation": {"gain": 0.3, "noise": 0.2, "time_shift_s": 1.0},
}


@dataclass(frozen=True)
class ComparedModel:
    """What is changed of the recipe as it was before.

    Parameters
    ----------
    pipeline : tuple of mapping or None
        Stages; None has those of the recipe that ships.
    model, training : mapping
        Sections of the recipe.
    lateral : bool
        Whether it makes sense only where left and right are labels.
    placed : bool
        Whether it needs channels' positions.
    pretrained : bool
        Whether its encoder begins as it was pre-trained without labels on other recordings.
    mirrored : bool
        Whether windows are mirrored where left and right are labels.
    own_features : bool
        Whether a ridge model in it has the features of the recipe that ships.
    aligned : bool
        Whether the stage `align` stands in the place of the normalisation.
    condition : str
        The baseline that it is; the recipe's own model where empty.
    """

    pipeline: tuple[Section, ...] | None
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    lateral: bool = False
    placed: bool = False
    pretrained: bool = False
    mirrored: bool = False
    own_features: bool = False
    aligned: bool = False
    condition: str = ""


def _with(stage: Section, *, before: str) -> tuple[Section, ...]:
    at = [each["stage"] for each in OLD_FILTERS].index(before)
    return (*OLD_FILTERS[:at], stage, *OLD_FILTERS[at:])


BEFORE, KEPT, CLOCK = "before: CGRNN", "kept: as the recipe ships", "clock"
RIDGE_ROW, LINEAR_ROW = "kept filters, ridge", "kept filters, linear"
NETWORK_ROW, BEST_ROW = "kept filters, network: all kept", "kept filters, best"
ALIGNED_ROW, ALIGNED_RIDGE_ROW = "+ alignment", "+ alignment, ridge"
KEPT_ALIGNED_ROW = "kept filters aligned, CGRNN"
BLEND_ROW = "kept filters, blend of ridge and linear"
BLOCK_MEANS = "kept filters, LDA on block means"
SIMPLE = (KEPT, RIDGE_ROW, LINEAR_ROW, BLOCK_MEANS)
"""What the others must at least equal; a recipe that ships with a network would leave this list."""
CUE, SIDES = {"stage": "cue_reference", "before_s": 5.0}, {"stage": "homologues"}
MODELS: Mapping[str, ComparedModel] = {
    BEFORE: ComparedModel(OLD_FILTERS, NETWORK, {}),
    "+ mirroring": ComparedModel(OLD_FILTERS, NETWORK, {}, lateral=True, placed=True, mirrored=True),
    "+ ensemble of 3": ComparedModel(OLD_FILTERS, NETWORK, {"ensemble": 3}),
    "+ regularisation": ComparedModel(OLD_FILTERS, NETWORK, REGULARISED),
    "+ positions": ComparedModel(OLD_FILTERS, PROBE, {}, placed=True),
    "+ positions, pre-trained": ComparedModel(OLD_FILTERS, PROBE, {}, placed=True, pretrained=True),
    "+ slow baseline": ComparedModel(SLOW, NETWORK, {}),
    "+ cue reference": ComparedModel(_with(CUE, before="normalise"), NETWORK, {}),
    "+ homologues": ComparedModel(_with(SIDES, before="normalise"), NETWORK, {}, lateral=True, placed=True),
    ALIGNED_ROW: ComparedModel(OLD_FILTERS, NETWORK, {}, aligned=True),
    ALIGNED_RIDGE_ROW: ComparedModel(OLD_FILTERS, {"kind": RIDGE}, {}, aligned=True),
    "+ alignment, linear": ComparedModel(OLD_FILTERS, {"kind": LINEAR}, {}, aligned=True),
    KEPT_ALIGNED_ROW: ComparedModel(None, NETWORK, {}, aligned=True),
    "kept filters aligned, ridge": ComparedModel(None, {"kind": RIDGE}, {}, own_features=True, aligned=True),
    "kept filters aligned, linear": ComparedModel(None, {"kind": LINEAR}, {}, aligned=True),
    "kept filters, CGRNN": ComparedModel(None, NETWORK, {}),
    "kept filters, positions": ComparedModel(None, PROBE, {}, placed=True),
    NETWORK_ROW: ComparedModel(None, NETWORK, {"ensemble": 3}, mirrored=True),
    BEST_ROW: ComparedModel(
        None, {"kind": BEST, "members": [RIDGE, LINEAR, "cgrnn"]}, {}, mirrored=True, own_features=True
    ),
    BLEND_ROW: ComparedModel(None, {"kind": BLEND, "members": [RIDGE, LINEAR]}, {}, own_features=True),
    RIDGE_ROW: ComparedModel(None, {"kind": RIDGE}, {}),
    LINEAR_ROW: ComparedModel(None, {"kind": LINEAR}, {}),
    "kept filters, memory": ComparedModel(None, {"kind": MEMORY}, {}, placed=True),
    KEPT: ComparedModel(None, {}, {}),
    CLOCK: ComparedModel(None, {}, {}, condition=TIME),
}
