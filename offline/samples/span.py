"""A part of each recording, and the usable windows in it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.errors import RecipeError
from offline.samples.replay import ReplayedWindows
from realtime.sources.recording import Recording
from realtime.windows import Window


@dataclass(frozen=True)
class Span:
    """A part of each recording, from its first sample: s, or fractions of its length."""

    start: float
    stop: float
    fraction: bool = False

    def __post_init__(self) -> None:
        most = 1.0 if self.fraction else np.inf
        if not 0.0 <= self.start < self.stop <= most:
            unit = "fractions from 0 to 1" if self.fraction else "seconds from 0 up"
            raise RecipeError(
                f"A span from {self.start} to {self.stop} cannot be; expected {unit}, ascending."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"0:120"`` (seconds) or ``"0%:50%"``.

        Raises
        ------
        RecipeError
            It is neither.
        """
        fraction = text.count("%") == 2
        scale = 0.01 if fraction else 1.0
        try:
            start, stop = (
                float(part.strip().removesuffix("%" if fraction else "")) for part in text.split(":")
            )
        except ValueError:
            raise RecipeError(f"Span {text!r}: expected START:STOP in seconds, or like 0%:50%.") from None
        return cls(start * scale, stop * scale, fraction)

    def of(self, recording: Recording) -> tuple[float, float]:
        """First and last second of it, on the recording's clock."""
        first = float(recording.times[0])
        scale = recording.duration if self.fraction else 1.0
        return first + self.start * scale, first + self.stop * scale


def usable_within(replayed: ReplayedWindows, span: Span | None) -> list[Window]:
    """The usable windows wholly inside a span; all where it is None."""
    first, last = (-np.inf, np.inf) if span is None else span.of(replayed.recording)
    return [w for w in replayed.usable if first - 1e-6 <= w.start and w.end <= last + 1e-6]
