"""What a simulated cohort is made of: `Simulation` and its `TaskBlocks`.

Default sizes are medians over 1257 channels of real recordings (conversion with a partial
pathlength factor of 6), kept in the project's field notes.  Simulated accuracy says nothing about
autism: the groups differ in what `Simulation.group_effect` puts there, and in nothing else.
"""

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from models.decode import FINITE, decode
from models.errors import RecipeError

Share = Annotated[float, Field(ge=0, lt=1)]
Size = Annotated[float, Field(ge=0, lt=1e-4)]
"""mol/L."""
Amount = Annotated[float, Field(ge=0, le=100)]
Exponent = Annotated[float, Field(ge=0.5, le=1.9)]


@dataclass(frozen=True, slots=True, kw_only=True, config=FINITE)
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
    lateral : float or None
        Each block is of one hand, in an order drawn for each session, half of them (within one) of either.
        The hemisphere opposite to the hand responds fully, the one on its side less by this fraction: 0 is
        no difference, 1 a response on one side only.  None is a task without sides.
    hands : tuple of 2 str
        Labels of blocks of the left and of the right hand, instead of ``label``.
    """

    label: Annotated[str, Field(min_length=1)] = "task"
    rest_label: str = "rest"
    lead_in_s: Annotated[float, Field(ge=0)] = 20.0
    block_s: Annotated[float, Field(gt=0)] = 10.0
    rest_s: Annotated[float, Field(gt=0)] = 20.0
    jitter_s: Annotated[float, Field(ge=0)] = 4.0
    size: Size = 0.5e-6
    hbr_ratio: Annotated[float, Field(ge=-2, le=2)] = -0.4
    latency_s: Annotated[float, Field(ge=1, le=15)] = 5.0
    responding: Annotated[float, Field(ge=0, le=1)] = 0.4
    lateral: Annotated[float, Field(ge=0, le=1)] | None = None
    hands: tuple[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] = ("left", "right")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.rest_label in self.labels:
            raise ValueError(f"rest_label is {self.rest_label!r}; expected another label than the task's")
        if self.hands[0] == self.hands[1]:
            raise ValueError(f"hands are {list(self.hands)}; expected two labels that differ")
        if self.jitter_s >= self.rest_s:
            raise ValueError(f"jitter_s is {self.jitter_s} s; expected less than rest_s, {self.rest_s} s")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that blocks have."""
        return (self.label,) if self.lateral is None else self.hands


@dataclass(frozen=True, slots=True, kw_only=True, config=FINITE)
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

    seconds: Annotated[float, Field(ge=10)] = 480.0
    rate: Annotated[float, Field(ge=1, le=1000)] = 10.0
    n_pairs: Annotated[int, Field(ge=2, multiple_of=2)] = 20
    n_short: Annotated[int, Field(ge=0, multiple_of=2)] = 4
    wavelengths: tuple[Annotated[float, Field(ge=600, le=1000)], Annotated[float, Field(ge=600, le=1000)]] = (
        760.0,
        850.0,
    )
    task: TaskBlocks | None = field(default_factory=TaskBlocks)
    group_effect: Annotated[float, Field(ge=-5, le=5)] = 0.0
    spread: Annotated[float, Field(ge=0, le=3)] = 1.0
    dfa_hbo: Exponent = 1.23
    dfa_hbr: Exponent = 1.31
    homotopic: Share = 0.5
    hbo_hbr_spread: Amount = 0.75
    slow_rms: Size = 0.217e-6
    cardiac_rms: Size = 0.116e-6
    mayer_rms: Size = 0.113e-6
    respiration_rms: Size = 0.043e-6
    noise_rms: Size = 0.045e-6
    hbr_size: Amount = 0.54
    cardiac_hz: Annotated[float, Field(ge=0.5, le=3)] = 1.26
    respiration_hz: Annotated[float, Field(ge=0.1, le=1)] = 0.25
    mayer_hz: Annotated[float, Field(ge=0.07, le=0.13)] = 0.1
    superficial: Share = 0.4
    spikes_per_minute: Amount = 2.0
    shifts_per_minute: Amount = 0.5
    motion_sd: Amount = 10.0
    bad_pairs: Share = 0.03

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.n_short > self.n_pairs:
            raise ValueError(f"n_short is {self.n_short}; expected at most n_pairs, {self.n_pairs}")
        if self.wavelengths[0] >= self.wavelengths[1]:
            raise ValueError(f"wavelengths are {list(self.wavelengths)}; expected them to rise")
        return self

    @property
    def n_samples(self) -> int:
        """Samples of a recording."""
        return round(self.seconds * self.rate)

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON types."""
        out = asdict(self) | {"wavelengths": list(self.wavelengths)}
        if self.task is not None:
            out["task"]["hands"] = list(self.task.hands)
        return out

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`; settings that are left out take their defaults.

        Raises
        ------
        RecipeError
            For an unknown name or a value out of bounds.
        """
        return decode(cls, values, error=RecipeError, what="Simulation settings")
