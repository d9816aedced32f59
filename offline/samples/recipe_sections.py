"""The sections of a recipe: what may stand in each, and within which bounds."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models.bounds import MOST_S
from models.cards.window_card import RecordingOptions
from models.decode import Record
from models.networks import BLEND, COMBINED_KINDS, LINEAR, MEMORY, RIDGE, SOLVED_KINDS
from offline.base.seeds import MOST_SEED
from offline.samples.recipe_labels import Names

MOST_TIMES = 1_000_000
"""Passes, and windows of a step: more is no number that somebody meant, or that torch takes."""
MEMBERS = (RIDGE, LINEAR, "cgrnn")
"""What is blended or chosen among where a recipe does not say."""
MOST_MEMBERS = 5
"""Of a blend: the weights that are tried are many times more with each."""
MOST_ENCODER_BYTES = 2**28
"""Of a pre-trained encoder: what is larger is none of ours."""


class Input(RecordingOptions):
    """What comes in, and how its files are read (`models.cards.window_card.RecordingOptions`).

    Parameters
    ----------
    kind : {"fnirs", "bold"}
        fNIRS optodes, or fMRI region series.
    channels : tuple of str
        Names; empty takes what all recordings share.
    layout : str or None
        Side file for recordings that do not describe their channels, relative to the cohort.
    min_distance, max_distance : float or None
        Take only channels of such source-detector distance, m.
    montage : {"shared", "own"}
        Take the channels that all recordings share, or each recording's own: for a model that knows where
        channels are.
    allow_damaged : bool
        Take what is left of recordings of which much cannot be read (`offline.recordings.damage`).
    """

    kind: Literal["fnirs", "bold"] = "fnirs"
    channels: Names = ()
    layout: str | None = None
    min_distance: float | None = Field(default=None, ge=0)
    max_distance: float | None = Field(default=None, gt=0)
    montage: Literal["shared", "own"] = "shared"
    allow_damaged: bool = False

    @model_validator(mode="after")
    def _some_distance(self) -> Self:
        low, high = self.min_distance, self.max_distance
        if low is not None and high is not None and low >= high:
            raise ValueError(f"min_distance is {low} m and max_distance {high} m; expected min < max")
        if self.kind == "bold" and not self.channels and (low is not None or high is not None):
            raise ValueError("regions have no distance: leave min_distance and max_distance away")
        if self.montage == "own" and self.channels:
            raise ValueError(
                f"montage is 'own', which takes each recording's own channels, but channels names "
                f"{self.channels[0]!r}; expected one of the two: leave channels away, or montage = 'shared'"
            )
        return self


class ModelSection(Record):
    """Which model; its parameters by name (`models.networks.registry`).

    Parameters
    ----------
    kind : str
        One of `models.networks.registry.MODELS`; ``blend`` averages members, their weights chosen by people
        of training who are held out in turn; ``best`` takes one of them, or their blend where that is better.
    params : mapping
        Its parameters; of a blend or of the best, those of each member by its kind.
    members : tuple of str
        Kinds that are blended or chosen among; `MEMBERS` where none is named.
    channels : {"all", "best"}
        One network over all channels; or one for each channel alone, of which the one is taken that does best
        on training people (or sessions) that it did not learn from; CGRNN only.
    """

    RENAMED: ClassVar = {"name": "kind"}

    kind: str
    params: dict[str, Any] = Field(default_factory=dict)
    members: Names = ()
    channels: Literal["all", "best"] = "all"

    @model_validator(mode="after")
    def _one_channel(self) -> Self:
        if self.channels == "best" and self.kind != "cgrnn":
            raise ValueError(f"channels = 'best' is for kind 'cgrnn' only; found {self.kind!r}")
        return self

    @model_validator(mode="after")
    def _some_members(self) -> Self:
        if self.kind not in COMBINED_KINDS:
            if self.members:
                raise ValueError(f"members are for kinds {' and '.join(COMBINED_KINDS)}; found {self.kind!r}")
            return self
        own = self.member_kinds
        if len(set(own)) < len(own) or not 2 <= len(own) <= MOST_MEMBERS or set(own) & set(COMBINED_KINDS):
            raise ValueError(
                f"members are {list(own)}; expected 2 to {MOST_MEMBERS} different kinds, none of them "
                f"{' or '.join(COMBINED_KINDS)}"
            )
        if lost := sorted(self.params.keys() - set(own)):
            raise ValueError(f"params are of {lost}; expected the members' kinds, {', '.join(own)}")
        for kind, its in self.params.items():
            if not isinstance(its, dict):
                raise ValueError(f"params of {kind!r} are {its!r}; expected a table, [model.params.{kind}]")
        return self

    @property
    def member_kinds(self) -> tuple[str, ...]:
        """Kinds that it is made of; the linear model is always among those that the best is chosen from."""
        if self.kind not in COMBINED_KINDS:
            return ()
        named = tuple(self.members) or MEMBERS
        return named if self.kind == BLEND or LINEAR in named else (LINEAR, *named)

    @property
    def sections(self) -> "tuple[ModelSection, ...]":
        """One for each that is fitted: itself, or its members."""
        if self.kind not in COMBINED_KINDS:
            return (self,)
        return tuple(
            ModelSection(kind=kind, params=dict(self.params.get(kind, {}))) for kind in self.member_kinds
        )

    @property
    def trained(self) -> bool:
        """Whether any of it is a network, trained step by step."""
        return any(each.kind not in SOLVED_KINDS for each in self.sections)

    @property
    def condition(self) -> str:
        """What an evaluation calls it."""
        if self.kind == MEMORY:
            return "memory and symmetry"
        return self.kind if self.channels == "all" else f"{self.kind}, best channel"


class AugmentationSection(Record):
    """What is done to windows while they are learnt from (`offline.training.augmentation`); 0 is nothing.

    Parameters
    ----------
    gain, pathlength : float
        Standard deviation of the logarithm of a factor for each place on the head, and of one for all.
    noise : float
        Standard deviation of white noise, in the windows' own unit.
    time_shift_s : float
        Most seconds by which a window is moved either way.
    mirror : bool
        Whether half of the windows are of a mirrored head: homologous channels change places, and so do
        labels that mirror (``labels.mirror``).
    """

    gain: float = Field(default=0.0, ge=0, le=2)
    pathlength: float = Field(default=0.0, ge=0, le=2)
    noise: float = Field(default=0.0, ge=0, le=10)
    time_shift_s: float = Field(default=0.0, ge=0, le=MOST_S)
    mirror: bool = False


class Pretrained(Record):
    """An encoder that was trained without labels (`offline.training.pretrained`).

    Parameters
    ----------
    file : str
        Where it stands, relative to the recipe.
    sha256 : str
        Of the file, hexadecimal; read with the recipe where it is left out. It is part of the recipe's hash,
        the file's place is not.
    """

    file: str = Field(min_length=1)
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")


class Training(Record):
    """How it is trained.

    Parameters
    ----------
    epochs, min_epochs, patience : int
        Most and fewest passes over the windows, and how many without improvement end it.
    batch_size : int
        Windows a step.
    learning_rate, weight_decay : float
        Of AdamW.
    validation_fraction : float
        Share of the training people (or sessions) that early stopping listens to.
    early_stopping : bool
        Whether those end training and choose the epoch.
    class_weights : {"balanced", "none"}
        Whether rare labels weigh more.
    channel_dropout : float
        Probability with which a place on the head (all chromophores of a source and detector) is taken
        out of a window while it is learnt from; needed where fewer channels than all may be used.
    augmentation
        What else is done to windows while they are learnt from.
    ensemble : int
        Networks of different seeds and different people (or sessions) spared, whose logits are averaged.
    pretrained : Pretrained or None
        What the encoder of the network "virtual_probe" begins with.
    seed : int
        What all chance follows from.
    """

    epochs: int = Field(default=40, ge=1, le=MOST_TIMES)
    min_epochs: int = Field(default=5, ge=1, le=MOST_TIMES)
    patience: int = Field(default=8, ge=1, le=MOST_TIMES)
    batch_size: int = Field(default=64, ge=1, le=MOST_TIMES)
    learning_rate: float = Field(default=1e-3, gt=0, le=100)
    weight_decay: float = Field(default=1e-2, ge=0, le=100)
    validation_fraction: float = Field(default=0.25, gt=0, lt=1)
    early_stopping: bool = True
    class_weights: Literal["balanced", "none"] = "balanced"
    channel_dropout: float = Field(default=0.0, ge=0, lt=1)
    augmentation: AugmentationSection = AugmentationSection()
    ensemble: int = Field(default=1, ge=1, le=50)
    pretrained: Pretrained | None = None
    seed: int = Field(default=0, ge=0, le=MOST_SEED)


class EvaluationSection(Record):
    """How a recipe is evaluated; fixed before it runs, and part of the recipe's hash.

    Figures are by person always: a person is predicted once where the label is theirs, and otherwise
    has a figure of their own, averaged over people.

    Parameters
    ----------
    metric : {"auc", "balanced_accuracy"}
        The primary one.
    repeats : int
        Divisions of the people into folds; people who are each left out alone are divided once.
    permutations : int
        Permutations of the ridge model's null (its whole procedure); 0 is none, and then no interval between
        people.
    model_permutations : int
        Permutations of a null of the recipe's own model, each fitted in all folds again; settings are kept
        as the recipe has them, so it is a conditional null. Under 19 give no p.
    prevalence : float or None
        Share of people with the second label where the classifier would be used, for PPV and NPV.
    by : {"people", "time"}
        Whether whole people are held out; or, within each person, blocks of the recordings (which says
        nothing about other people, and has no null).
    together : str or None
        The cohort's column in which people who were measured together have one value; they are on one side of
        every division. None: the column ``together``, where there is one.
    blocks, gap_s : int, float
        For "time": blocks of each recording, and how far training stays from the evaluated one, s
        (calibration, too).
    ablate : tuple of str
        Parts of the training without each of which the network is evaluated too
        (`offline.evaluation.conditions.PARTS`).
    explain : tuple of {"occlusion", "integrated gradients", "guided"}
        Maps of what the recipe's own network used, fold by fold (`offline.explain`).
    over_time : bool
        Whether it is learnt, inside each fold, how a person's windows add up and when one may stop; for
        a label of the person with two values, and the recipe's own network (three more fits a fold).
    learning_curve : tuple of int
        Numbers of training people with which the network and the ridge model are evaluated too.
    calibration : tuple of float
        Minutes of an unseen person's own labelled signal, ascending, by which the recipe's own model is
        calibrated to them before the rest of their recordings is predicted
        (`offline.evaluation.own_minutes`); ``gap_s`` lies between.  Settings are not searched there.
    """

    RENAMED: ClassVar = {"parts": "blocks", "apart_s": "gap_s", "network_permutations": "model_permutations"}

    metric: Literal["auc", "balanced_accuracy"] = "auc"
    repeats: int = Field(default=1, ge=1, le=1000)
    permutations: int = Field(default=1000, ge=0, le=100_000)
    model_permutations: int = Field(default=0, ge=0, le=100_000)
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    by: Literal["people", "time"] = "people"
    together: str | None = None
    blocks: int = Field(default=5, ge=2, le=100)
    gap_s: float = Field(default=30.0, ge=0)
    ablate: Names = ()
    explain: Annotated[
        tuple[Literal["occlusion", "integrated gradients", "guided"], ...], Field(strict=False)
    ] = ()
    over_time: bool = False
    learning_curve: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(strict=False)] = ()
    calibration: Annotated[
        tuple[Annotated[float, Field(ge=0, le=MOST_S)], ...], Field(strict=False, max_length=20)
    ] = ()

    @field_validator("calibration")
    @classmethod
    def _ascending(cls, minutes: tuple[float, ...]) -> tuple[float, ...]:
        if list(minutes) != sorted(set(minutes)):
            raise ValueError(f"minutes are {list(minutes)}; expected each once, ascending")
        return minutes
