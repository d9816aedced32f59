"""A recipe: everything that is done to a cohort, in one TOML file.

The only configuration of training and evaluation.  A recipe is checked as a whole before anything is
computed; a misspelt key is an error that names the near match.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from models.bounds import MOST_RATE
from models.cards.window_card import EvidenceSettings, WindowSettings
from models.decode import Record, decode
from models.errors import RecipeError, SignalError, near_match
from models.files.regular_file import read_regular
from models.networks import COMBINED_KINDS, SOLVED_KINDS, VIRTUAL_PROBE
from offline.samples.recipe_labels import Labels
from offline.samples.recipe_search import BudgetSection, SearchSection
from offline.samples.recipe_sections import (
    MOST_ENCODER_BYTES,
    EvaluationSection,
    Input,
    ModelSection,
    Training,
)
from realtime.pipeline import check_pipeline
from realtime.quality.policy import Policy
from realtime.signal import CONFOUNDS, Kind
from realtime.stages.haemoglobin import TAKEN
from realtime.stages.outline import Outline
from realtime.windows import check_window, whole_number


class Recipe(Record):
    """What is done to a cohort.

    Parameters
    ----------
    name, description : str
        For people.
    rate : float
        Samples a second that the network sees, Hz.
    input, window, labels, model, training, policy, evidence, evaluation, search, budget
        See the sections.
    pipeline : tuple of mappings
        Stages in order, each with its name under ``stage`` and its settings; exactly one is
        ``resample``, and its rate may be left out, being the recipe's.
    """

    RENAMED: ClassVar = {"network": "model"}

    name: str
    description: str = ""
    rate: float = Field(gt=0, le=MOST_RATE)
    input: Input = Input()
    window: WindowSettings = WindowSettings()
    pipeline: Annotated[tuple[dict[str, Any], ...], Field(strict=False)]
    labels: Labels
    model: ModelSection
    training: Training = Training()
    policy: Policy = Policy()
    evidence: EvidenceSettings = EvidenceSettings()
    evaluation: EvaluationSection = EvaluationSection()
    search: SearchSection = SearchSection()
    budget: BudgetSection = BudgetSection()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        whole_number(self.window.length_s, "window.length_s", self.rate)
        for label, interval in self.labels.intervals.items():
            if interval.duration_s < self.window.length_s:
                raise ValueError(
                    f"labels.intervals.{label}.duration_s is {interval.duration_s} s, so no window of "
                    f"{self.window.length_s} s lies in it; lengthen it or shorten the window"
                )
        whole_number(self.window.step_s, "window.step_s", self.rate)
        stages = [stage.get("stage") for stage in self.pipeline]
        if stages.count("resample") != 1:
            raise ValueError(f"pipeline has stages {stages}; expected exactly one 'resample'")
        resample = self.pipeline[stages.index("resample")]
        if resample.setdefault("rate", self.rate) != self.rate:
            raise ValueError(
                f"pipeline resamples to {resample['rate']} Hz, the recipe's rate is {self.rate} Hz"
            )
        resample["rate"] = self.rate  # 5 and 5.0 are one recipe, with one hash
        if self.budget.trials > 0 and not self.search.ranges:
            raise ValueError(
                f"budget.trials is {self.budget.trials}, but nothing is searched; name settings and their "
                "ranges in [search.training.NAME] or [search.model.NAME], or set trials = 0"
            )
        if self.model.channels == "best" and self.budget.trials > 0:
            raise ValueError(
                "budget.trials: settings are not searched for networks of single channels; set trials = 0"
            )
        if self.model.channels == "best" and self.evaluation.explain:
            raise ValueError("evaluation.explain: networks of single channels are explained by their ranking")
        check_window(self.window.length_s, self.window.step_s, self.rate)
        if self.evaluation.by == "time" and self.labels.target == "person":
            raise ValueError('evaluation.by = "time" needs labels that change in a recording; say "people"')
        if self.evaluation.over_time and len(self.labels.values) > 2:
            raise ValueError(
                f"evaluation.over_time tells two labels apart; labels.values are {list(self.labels.values)}"
            )
        if self.evaluation.over_time and self.labels.target != "person":
            raise ValueError(
                "evaluation.over_time needs a label of the person: one that changes within a recording is "
                "forgotten at the scale of its blocks (evidence.memory_s)"
            )
        self._check_kind()
        whole = self.evaluation.by == "people" and self.model.channels == "all"
        if self.evaluation.calibration and not (whole and self.labels.source == "events"):
            raise ValueError(
                "evaluation.calibration moves a model of all channels to an unseen person by labels from "
                'from events; set evaluation.by = "people", labels.source = "events" and model.channels = '
                '"all", or leave calibration away'
            )
        if self.training.pretrained is not None and self.model.kind != VIRTUAL_PROBE:
            raise ValueError(
                f"training.pretrained is for kind {VIRTUAL_PROBE!r}, whose encoder serves every montage; "
                f"found {self.model.kind!r}"
            )
        fewest = self.policy.min_channels
        exact = self.model.kind == VIRTUAL_PROBE  # which leaves lost channels out of its means
        if fewest < 1.0 and self.training.channel_dropout == 0.0 and not exact:
            raise ValueError(
                f"policy.min_channels is {fewest}, so windows would be predicted with channels left out, but "
                "training.channel_dropout is 0, so the network would never have learnt from such; set "
                "channel_dropout (0.1 to 0.3, say), or min_channels = 1.0"
            )
        return self

    def _check_kind(self) -> None:
        """Refuse what a model cannot that is solved for, or made of several."""
        kind = self.model.kind
        if kind in SOLVED_KINDS and (self.budget.trials > 0 or self.evaluation.ablate):
            raise ValueError(
                f"model {kind!r} is solved for and chooses its penalty itself: nothing can be searched or "
                "ablated; set budget.trials = 0 and leave evaluation.ablate away"
            )
        if kind in COMBINED_KINDS and self.budget.trials > 0:
            raise ValueError(
                f"budget.trials is {self.budget.trials}, but model {kind!r} chooses among models, not their "
                "settings; set trials = 0, or search the settings of a member by itself"
            )
        if kind in COMBINED_KINDS and self.evaluation.explain:
            raise ValueError(f"evaluation.explain: explained is a single model, not {kind!r}; leave it away")
        if (fewest := self.policy.min_channels) < 1.0 and kind in (*SOLVED_KINDS, *COMBINED_KINDS):
            raise ValueError(
                f"policy.min_channels is {fewest}, but model {kind!r} knows no window with channels left "
                "out; set min_channels = 1.0, or take a network with training.channel_dropout"
            )
        if self.training.augmentation.mirror and not self.model.trained:
            raise ValueError(
                f"training.augmentation.mirror is for networks, and model {kind!r} is solved for from the "
                "windows as they are; leave mirror away"
            )
        if self.training.ensemble > 1 and (not self.model.trained or self.model.channels == "best"):
            raise ValueError(
                f"training.ensemble is {self.training.ensemble}, but model {self.model.condition!r} is no "
                "network over all channels; set ensemble = 1"
            )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What the pipeline may start from, where channels are not named."""
        asked = [str(kind) for stage in self.pipeline for kind in stage.get("confounds", ())]
        return (*self._signal_kinds, *(kind for kind in Kind if kind in CONFOUNDS and kind in asked))

    @property
    def _signal_kinds(self) -> tuple[Kind, ...]:
        stages = [stage.get("stage") for stage in self.pipeline]
        if self.input.kind == "bold":
            return (Kind.BOLD,)
        if "haemoglobin" in stages:
            return TAKEN
        if "optical_density" in stages:
            return (Kind.INTENSITY,)
        if "beer_lambert" in stages:
            return (Kind.OPTICAL_DENSITY,)
        return (Kind.HBO, Kind.HBR, Kind.HBT)

    @property
    def outline(self) -> Outline:
        """What is known of the signal before any recording is read."""
        if self.input.channels:
            bold = self.input.kind == "bold"
            return Outline.of_kinds(k for k in Kind if k in CONFOUNDS or (k is Kind.BOLD) == bold)
        least, most = self.input.min_distance, self.input.max_distance
        return Outline.of_kinds(self.kinds).within(least or 0.0, inf if most is None else most)

    @property
    def hash(self) -> str:
        """SHA-256 of everything but name, description and the place of a file, hexadecimal."""
        values = self.model_dump(mode="json", exclude={"name", "description"})
        if self.evaluation.together is None:  # a key that came later and says nothing changes no hash
            del values["evaluation"]["together"]
        if self.input.montage == "shared":
            del values["input"]["montage"]
        if self.training.pretrained is not None:
            del values["training"]["pretrained"]["file"]  # by content, not by place
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes that ship with hemostream."""
    shipped = files("offline").joinpath("recipes").iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in shipped if f.name.endswith(".toml")))


def load_recipe(name_or_path: str | Path, *, allow_damaged: bool = False) -> Recipe:
    """Read a recipe: one that ships with hemostream by its name, or a file.

    ``allow_damaged`` allows it even where the recipe does not.

    Raises
    ------
    RecipeError
        There is no such recipe, it is no TOML, or something in it is unknown, missing or wrong.
    """
    path = Path(name_or_path)
    if path.exists() and not (path.is_dir() and str(name_or_path) in recipe_names()):
        text = _text_of(path)
    elif str(name_or_path) in recipe_names():
        text = files("offline").joinpath("recipes", f"{name_or_path}.toml").read_text(encoding="utf-8")
    else:
        raise RecipeError(
            f"There is no recipe {str(name_or_path)!r}: no such file, and none of that name ships with "
            "hemostream. " + near_match(str(name_or_path), recipe_names())
        )
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers too long and tables too deep
        raise RecipeError(f"Recipe {name_or_path} is not TOML: {error}.") from error
    values.setdefault("name", path.stem)
    recipe = _with_encoder(parse_recipe(values, str(name_or_path)), path.parent)
    allowed = recipe.input.model_copy(update={"allow_damaged": True})
    return recipe.model_copy(update={"input": allowed}) if allow_damaged else recipe


def _with_encoder(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with the place and the SHA-256 of the encoder that it begins with."""
    asked = recipe.training.pretrained
    if asked is None:
        return recipe
    file = folder / asked.file
    try:
        found = hashlib.sha256(read_regular(file, most=MOST_ENCODER_BYTES)).hexdigest()
    except OSError as error:
        raise RecipeError(
            f"training.pretrained.file: {file} cannot be read ({error.strerror}); expected what "
            "'hemostream pretrain' wrote."
        ) from error
    if asked.sha256 and asked.sha256 != found:
        raise RecipeError(
            f"training.pretrained.sha256 is {asked.sha256[:12]}..., the file has {found[:12]}...: take the "
            "file that was meant, or leave sha256 out."
        )
    its = asked.model_copy(update={"file": str(file.resolve()), "sha256": found})
    training = recipe.training.model_copy(update={"pretrained": its})
    return recipe.model_copy(update={"training": training})


def _text_of(path: Path) -> str:
    try:
        return read_regular(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecipeError(f"Recipe {path} is not UTF-8 text ({error}); save it as UTF-8.") from error
    except OSError as error:
        raise RecipeError(f"Recipe {path} cannot be read: {error.strerror}.") from error


def parse_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Check all of a recipe that can be known without a recording, but its network (`check_model_of`).

    Parameters
    ----------
    values : mapping
        As TOML gives them.
    where : str
        What to call it in errors.

    Raises
    ------
    RecipeError
        Names every key that is unknown (with its near match), missing, or of a wrong value.
    """
    recipe = decode(Recipe, values, error=RecipeError, what=f"Recipe {where} is wrong")
    try:
        check_pipeline(recipe.pipeline, recipe.outline)
    except (RecipeError, SignalError) as error:
        raise RecipeError(f"Recipe {where} is wrong: {error}") from error
    return recipe


def check_model_of(recipe: Recipe) -> None:
    """Check a recipe's network; apart from the rest, for it needs torch.

    Raises
    ------
    RecipeError
        There is no such network, or none could be made for the recipe's windows.
    """
    from models.networks.registry import FOUND, check_shape

    if recipe.input.montage == "own" and recipe.model.kind != VIRTUAL_PROBE:
        raise RecipeError(
            f"input.montage is 'own', so recordings may have different channels, but model "
            f"{recipe.model.kind!r} demands the channels that it was trained on; expected {VIRTUAL_PROBE!r}, "
            "which knows where channels are. Set model.kind, or input.montage = 'shared'."
        )
    for each in recipe.model.sections:
        if found := sorted(FOUND & each.params.keys()):
            raise RecipeError(
                f"Model {each.kind!r}: {found[0]} is found in the recordings; leave it out of model.params."
            )
        check_shape(
            each.kind,
            each.params,
            n_times=round(recipe.window.length_s * recipe.rate),
            n_outputs=max(len(recipe.labels.intervals), len(recipe.labels.values), 2),
        )
