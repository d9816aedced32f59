"""The card of a bundle that classifies whole scans, and what such a scan must be."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from models.cards.card import Card, Names
from models.decode import Record


class ScanInput(Record):
    """What a scan must be, to be classified.

    Parameters
    ----------
    regions : sequence of str
        Names, in the order in which the model takes them.
    preprocessing : str
        Atlas and preprocessing of the training scans, in words.
    least_s : float
        Shortest scan, s.
    repetition_time : sequence of 2 floats
        Least and greatest, s.
    most_masked : float
        Largest share of regions that may be constant or absent, 0 to 1.
    """

    regions: Names
    preprocessing: str
    least_s: float = Field(gt=0, lt=1e12)
    repetition_time: Sequence[Annotated[float, Field(gt=0, lt=1e12)]] = Field(min_length=2, max_length=2)
    most_masked: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        low, high = self.repetition_time
        if low > high:
            raise ValueError(f"repetition_time is {low:g} to {high:g} s; expected it to rise")
        return self


class ScanCard(Card):
    """A scan model: what predicts from a whole scan at once.

    Parameters
    ----------
    system : sequence of mapping
        Layout of `models.scan_model.ScanModel`.
    input : ScanInput
        What a scan must be.
    study : mapping
        Name, title, paper, and what was done.
    novelty : mapping
        Bounds of what scans of the training looked like (`models.scans.novelty.ScanNovelty`); empty where it
        is not known.
    format : str
        Version of this form.
    """

    FORMAT: ClassVar = "scan 2"

    system: Sequence[Mapping[str, Any]]
    input: ScanInput
    labels: Names = Field(min_length=2)
    study: Mapping[str, Any] = Field(default_factory=dict)
    novelty: Mapping[str, Any] = Field(default_factory=dict)
    format: Literal["scan 2"] = "scan 2"
