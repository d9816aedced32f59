"""What a simulated cohort is made of: `Simulation` and its `TaskBlocks`.

Default sizes are medians over 1257 channels of real recordings (conversion with a partial
pathlength factor of 6), kept in the project's field notes.  Simulated accuracy says nothing about
autism: the groups differ in what `Simulation.group_effect` puts there, and in nothing else.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from models.errors import RecipeError, near_match


def _demand(holds: bool, name: str, found: object, expected: str) -> None:
    """Raise a `RecipeError` that shows the value, unless it is as expected."""
    if not holds:
        raise RecipeError(f"Simulation setting {name!r} is {found!r}; expected {expected}.")


def _known(cls: Any, values: Mapping[str, Any]) -> None:
    names = [item.name for item in fields(cls)]
    for name in values:
        if name not in names:
            raise RecipeError(f"Unknown simulation setting {name!r}. {near_match(name, names)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskBlocks:
    """Blocks of a task and the response that they evoke.

    Parameters
    ----------
    label, rest_label : str
        Labels of the events of blocks and of the rests between them; an empty ``rest_label``
        leaves rests unmarked.
    lead_in_s : float
        Rest (s) before the first block.
    block_s, rest_s : float
        Length (s) of a block and the mean length of a rest.
    jitter_s : float
        Rests are drawn evenly from ``rest_s - jitter_s`` to ``rest_s + jitter_s``.
    size : float
        Peak (mol/L) of the HbO response to one block in the channel that responds most; 0 gives
        blocks without a response.
    hbr_ratio : float
        The HbR response is this times the HbO response: negative, as HbR falls.
    latency_s : float
        Time to peak (s) of the response to a brief stimulus.
    responding : float
        Fraction of the long pairs of each hemisphere that respond.
    """

    label: str = "task"
    rest_label: str = "rest"
    lead_in_s: float = 20.0
    block_s: float = 10.0
    rest_s: float = 20.0
    jitter_s: float = 4.0
    size: float = 0.5e-6
    hbr_ratio: float = -0.4
    latency_s: float = 5.0
    responding: float = 0.4

    def __post_init__(self) -> None:
        _demand(bool(self.label), "label", self.label, "a label that is not empty")
        _demand(self.rest_label != self.label, "rest_label", self.rest_label, "another label than the task's")
        _demand(self.lead_in_s >= 0, "lead_in_s", self.lead_in_s, "0 s or more")
        _demand(self.block_s > 0, "block_s", self.block_s, "more than 0 s")
        _demand(
            0 <= self.jitter_s < self.rest_s,
            "jitter_s",
            self.jitter_s,
            f"from 0 s to less than the rest ({self.rest_s} s)",
        )
        _demand(0 <= self.size < 1e-4, "size", self.size, "mol/L, 0 to 1e-4 (0.5e-6 is usual)")
        _demand(-2 <= self.hbr_ratio <= 2, "hbr_ratio", self.hbr_ratio, "from -2 to 2")
        _demand(1 <= self.latency_s <= 15, "latency_s", self.latency_s, "1 to 15 s")
        _demand(0 <= self.responding <= 1, "responding", self.responding, "a fraction from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """All settings of a simulated cohort; JSON types throughout.

    Parameters
    ----------
    seconds, rate : float
        Length (s) of a recording and its sampling rate (Hz).
    n_pairs : int
        Source-detector pairs of 3 cm, half of them on each hemisphere.
    n_short : int
        Short pairs of 8 mm, which see the scalp only.
    wavelengths : tuple of 2 floats
        Nanometres.
    task : Task or None
        None is a recording at rest.
    group_effect : float
        Distance between the two groups in units of the spread between people (Cohen's d), once
        for the DFA exponent, which rises in group B, and once for the homotopic correlation
        (Fisher z), which falls.  At 0 a person is the same, bit for bit, in either group.
    spread : float
        Scales everything that differs between people and channels beyond the group effect (rates,
        gains, sizes, pathlength, noise, latency); 0 puts everybody at the median.
    dfa_hbo, dfa_hbr : float
        Median exponents of detrended fluctuation analysis of the very slow part.
    homotopic : float
        Median correlation of the slow cerebral part between mirrored pairs.
    hbo_hbr_spread : float
        Spread (Fisher z) of the correlation between HbO and HbR, which is drawn around 0 for
        person and pair.
    slow_rms, cardiac_rms, mayer_rms, respiration_rms, noise_rms : float
        Root mean square (mol/L HbO): 0.01-0.07 Hz, pulse, 0.07-0.13 Hz, breathing, and
        measurement noise over all frequencies.
    hbr_size : float
        HbR fluctuations are this times those of HbO.
    cardiac_hz, respiration_hz, mayer_hz : float
        Median rates (Hz).
    superficial : float
        Fraction of the slow variance that is superficial: the same in all pairs, short ones too.
    spikes_per_minute, shifts_per_minute : float
        Motion artefacts.
    motion_sd : float
        Their median size, in standard deviations of the clean optical density above 0.01 Hz.
    bad_pairs : float
        Probability that a pair is badly coupled.
    """

    seconds: float = 480.0
    rate: float = 10.0
    n_pairs: int = 20
    n_short: int = 4
    wavelengths: tuple[float, float] = (760.0, 850.0)
    task: TaskBlocks | None = field(default_factory=TaskBlocks)
    group_effect: float = 0.0
    spread: float = 1.0
    dfa_hbo: float = 1.23
    dfa_hbr: float = 1.31
    homotopic: float = 0.5
    hbo_hbr_spread: float = 0.75
    slow_rms: float = 0.217e-6
    cardiac_rms: float = 0.116e-6
    mayer_rms: float = 0.113e-6
    respiration_rms: float = 0.043e-6
    noise_rms: float = 0.045e-6
    hbr_size: float = 0.54
    cardiac_hz: float = 1.26
    respiration_hz: float = 0.25
    mayer_hz: float = 0.1
    superficial: float = 0.4
    spikes_per_minute: float = 2.0
    shifts_per_minute: float = 0.5
    motion_sd: float = 10.0
    bad_pairs: float = 0.03

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, float):
                _demand(math.isfinite(value), item.name, value, "a finite number")
        _demand(1 <= self.rate <= 1000, "rate", self.rate, "1 to 1000 Hz")
        _demand(self.seconds >= 10, "seconds", self.seconds, "10 s or more")
        _demand(
            self.n_pairs >= 2 and self.n_pairs % 2 == 0,
            "n_pairs",
            self.n_pairs,
            "an even number from 2: half the pairs lie on each hemisphere",
        )
        _demand(
            0 <= self.n_short <= self.n_pairs and self.n_short % 2 == 0,
            "n_short",
            self.n_short,
            f"an even number from 0 to n_pairs ({self.n_pairs})",
        )
        low, high = self.wavelengths
        _demand(
            600 <= low < high <= 1000, "wavelengths", self.wavelengths, "two, rising, from 600 to 1000 nm"
        )
        _demand(abs(self.group_effect) <= 5, "group_effect", self.group_effect, "-5 to 5 (Cohen's d)")
        for name in ("dfa_hbo", "dfa_hbr"):
            _demand(
                0.5 <= getattr(self, name) <= 1.9, name, getattr(self, name), "an exponent from 0.5 to 1.9"
            )
        for name in ("homotopic", "superficial", "bad_pairs"):
            _demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "from 0 to less than 1")
        for name in ("slow_rms", "cardiac_rms", "mayer_rms", "respiration_rms", "noise_rms"):
            _demand(0 <= getattr(self, name) < 1e-4, name, getattr(self, name), "mol/L, 0 to 1e-4")
        for name in ("spikes_per_minute", "shifts_per_minute", "motion_sd", "hbo_hbr_spread", "hbr_size"):
            _demand(0 <= getattr(self, name) <= 100, name, getattr(self, name), "from 0 to 100")
        _demand(0 <= self.spread <= 3, "spread", self.spread, "from 0 to 3")
        _demand(0.5 <= self.cardiac_hz <= 3, "cardiac_hz", self.cardiac_hz, "0.5 to 3 Hz")
        _demand(0.1 <= self.respiration_hz <= 1, "respiration_hz", self.respiration_hz, "0.1 to 1 Hz")
        _demand(0.07 <= self.mayer_hz <= 0.13, "mayer_hz", self.mayer_hz, "0.07 to 0.13 Hz")

    @property
    def n_samples(self) -> int:
        """Samples of a recording."""
        return round(self.seconds * self.rate)

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON types."""
        return asdict(self) | {"wavelengths": list(self.wavelengths)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`; settings that are left out take their defaults.

        Raises
        ------
        RecipeError
            For an unknown name or a value out of bounds.
        """
        _known(cls, values)
        read = dict(values)
        if "wavelengths" in read:
            read["wavelengths"] = tuple(float(value) for value in read["wavelengths"])
        if read.get("task") is not None:
            _known(TaskBlocks, read["task"])
            read["task"] = TaskBlocks(**read["task"])
        return cls(**read)
