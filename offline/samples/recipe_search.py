"""The sections of a recipe that say what is searched, and what a run may cost."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from models.decode import Record
from offline.samples.recipe_sections import MOST_TIMES


class Range(Record):
    """Where a setting is looked for: between two numbers, or among a few values.

    Parameters
    ----------
    low, high : number or None
        Both ends; whole numbers if both are.
    log : bool
        Whether ratios count rather than differences.
    choices : tuple
        Values to choose from, instead of the ends.
    """

    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    choices: Annotated[tuple[str | int | float | bool, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _some_range(self) -> Self:
        if self.choices:
            if self.low is not None or self.high is not None or self.log:
                raise ValueError("choices stand alone: leave low, high and log away")
            if len(self.choices) < 2:
                raise ValueError(f"choices are {list(self.choices)}; expected two or more")
        elif self.low is None or self.high is None:
            raise ValueError("needs low and high, or choices")
        elif self.low >= self.high:
            raise ValueError(f"low is {self.low} and high {self.high}; expected low < high")
        elif self.log and self.low <= 0:
            raise ValueError(f"low is {self.low}; expected more than 0 where log = true")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that must be possible for the range to be."""
        return self.choices or (self.low, self.high)


class SearchSection(Record):
    """Settings that are chosen within each outer fold, by people of its training alone.

    Parameters
    ----------
    training, model : mapping of str to Range
        Settings of ``[training]``, and parameters of the model, by name.
    """

    RENAMED: ClassVar = {"network": "model"}

    training: dict[str, Range] = Field(default_factory=dict)
    model: dict[str, Range] = Field(default_factory=dict)

    @property
    def ranges(self) -> Mapping[tuple[str, str], Range]:
        """By section and name, in alphabetical order."""
        both = {("training", k): v for k, v in self.training.items()} | {
            ("model", k): v for k, v in self.model.items()
        }
        return {key: both[key] for key in sorted(both)}


class BudgetSection(Record):
    """What a run may cost.

    Parameters
    ----------
    trials : int
        Settings that are tried in each outer fold; 0 takes the recipe's own.
    inner_folds : int
        Divisions of the training people by which a trial is evaluated.
    epochs, permutations : int or None
        Most epochs of any fit, and most permutations of the null, whatever the other sections ask for.
    """

    trials: int = Field(default=0, ge=0, le=10_000)
    inner_folds: int = Field(default=3, ge=2, le=20)
    epochs: int | None = Field(default=None, ge=1, le=MOST_TIMES)
    permutations: int | None = Field(default=None, ge=0, le=100_000)
