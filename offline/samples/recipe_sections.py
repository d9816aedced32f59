"""The sections of a recipe: what may stand in each, and within which bounds."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from models.bounds import MOST_S
from models.card import RecordingOptions
from models.decode import Record
from offline.base.seeds import MOST_SEED
from offline.samples.recipe_labels import Names

MOST_TIMES = 1_000_000
"""Passes, and windows of a step: more is no number that somebody meant, or that torch takes."""
MOST_ENCODER_BYTES = 2**28
"""Of a pre-trained encoder: what is larger is none of ours."""


class Input(RecordingOptions):
    """What comes in, and how its files are read (`models.card.RecordingOptions`).

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
    allow_damaged : bool
        Take what is left of recordings of which much cannot be read (`offline.recordings.damage`).
    """

    kind: Literal["fnirs", "bold"] = "fnirs"
    channels: Names = ()
    layout: str | None = None
    min_distance: float | None = Field(default=None, ge=0)
    max_distance: float | None = Field(default=None, gt=0)
    allow_damaged: bool = False

    @model_validator(mode="after")
    def _some_distance(self) -> Self:
        low, high = self.min_distance, self.max_distance
        if low is not None and high is not None and low >= high:
            raise ValueError(f"min_distance is {low} m and max_distance {high} m; expected min < max")
        if self.kind == "bold" and not self.channels and (low is not None or high is not None):
            raise ValueError("regions have no distance: leave min_distance and max_distance away")
        return self


class Network(Record):
    """Which network; its parameters by name (`models.networks.registry`).

    Parameters
    ----------
    name : str
        Of the network.
    params : mapping
        Its parameters.
    channels : {"all", "best"}
        One network over all channels; or one for each channel alone, of which the one is taken that does best
        on training people (or sessions) that it did not learn from; CGRNN only.
    """

    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    channels: Literal["all", "best"] = "all"

    @model_validator(mode="after")
    def _one_channel(self) -> Self:
        if self.channels == "best" and self.name != "cgrnn":
            raise ValueError(f"channels = 'best' is for the network 'cgrnn' only; found {self.name!r}")
        return self

    @property
    def condition(self) -> str:
        """What an evaluation calls it."""
        return self.name if self.channels == "all" else f"{self.name}, best channel"


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
    network_permutations : int
        Permutations of a null of the recipe's own network, each fitted in all folds again; settings are kept
        as the recipe has them, so it is a conditional null. Under 19 give no p.
    prevalence : float or None
        Share of people with the second label where the classifier would be used, for PPV and NPV.
    by : {"people", "time"}
        Whether whole people are held out; or, within each person, blocks of the recordings (which says
        nothing about other people, and has no null).
    blocks, gap_s : int, float
        For "time": blocks of each recording, and how far training stays from the evaluated one, s.
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
    """

    RENAMED: ClassVar = {"parts": "blocks", "apart_s": "gap_s"}

    metric: Literal["auc", "balanced_accuracy"] = "auc"
    repeats: int = Field(default=1, ge=1, le=1000)
    permutations: int = Field(default=1000, ge=0, le=100_000)
    network_permutations: int = Field(default=0, ge=0, le=100_000)
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    by: Literal["people", "time"] = "people"
    blocks: int = Field(default=5, ge=2, le=100)
    gap_s: float = Field(default=30.0, ge=0)
    ablate: Names = ()
    explain: Annotated[
        tuple[Literal["occlusion", "integrated gradients", "guided"], ...], Field(strict=False)
    ] = ()
    over_time: bool = False
    learning_curve: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(strict=False)] = ()
