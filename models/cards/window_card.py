"""The card of a bundle that classifies windows, and its sections, which recipes have too."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from models.bounds import MOST_RATE, MOST_S
from models.cards.card import Card, Names
from models.decode import Record
from models.evidence.accumulation import Law, Rule
from models.evidence.unseen import labels_line
from models.networks.parts.montage import ServedMontages


class ModelSpec(Record):
    """What `models.networks.registry.make_model` makes a model from.

    Parameters
    ----------
    kind : str
        One of `models.networks.registry.MODELS`.
    params : mapping
        Its parameters.
    n_chans, n_times, n_outputs : int
        Channels and samples of a window, and labels.
    """

    kind: str
    params: Mapping[str, Any]
    n_chans: int
    n_times: int
    n_outputs: int


class WindowSettings(Record):
    """Length and step of windows, s."""

    length_s: float = Field(default=7.0, gt=0, le=MOST_S)
    step_s: float = Field(default=1.0, gt=0, le=MOST_S)


class Calibration(Record):
    """``temperature`` by which logits are divided before the softmax (Guo et al. 2017)."""

    temperature: float = Field(default=1.0, gt=0, lt=1e12)


class EvidenceSettings(Record):
    """How running evidence is kept: time constant of forgetting, s; none never forgets."""

    memory_s: float | None = Field(default=None, gt=0)


class EvidenceBlock(Record):
    """Which part of the time after an event is one block, where a label changes within a recording.

    Parameters
    ----------
    events : sequence of str
        Which events begin a block, whatever its label.
    first_s, last_s : float
        From where on, and until where, its windows count, s after the event.
    """

    events: Names
    first_s: float
    last_s: float


class CardEvidence(EvidenceSettings):
    """The same with what an evaluation has learnt of how windows add up.

    Parameters
    ----------
    law : Law or None
        How windows of unseen people added up; None where that was not learnt: then evidence is a mean.
    rule : Rule or None
        When one may stop and say a label; None where no rule was supported.
    block : EvidenceBlock or None
        What is accumulated over, for labels that change within a recording; None is the whole session.
    """

    law: Law | None = None
    rule: Rule | None = None
    block: EvidenceBlock | None = None


class RecordingOptions(Record):
    """What is to be known of a recording's file that it does not say itself, or says wrongly.

    Parameters
    ----------
    stream, events : str, int or None
        Which stream of an XDF file that holds several, and which of its marker streams: name, source_id,
        uid, number, or a predicate.  ``stream`` also names the measurement of a SNIRF file.
    length_unit : {"m", "cm", "mm"} or None
        Unit of optode positions where the files' own is wrong.
    haemoglobin_unit : str or None
        Unit of concentrations, for instance "umol/L", where the files do not say it, or wrongly.
    repetition_time : float or None
        Seconds between volumes of region series, where no side file says it.
    """

    stream: str | int | None = None
    events: str | int | None = None
    length_unit: Literal["m", "cm", "mm"] | None = None
    haemoglobin_unit: str | None = None
    repetition_time: float | None = Field(default=None, gt=0)


class CardRecording(RecordingOptions):
    """How the recordings of the training were read.

    Parameters
    ----------
    side_file : mapping or None
        Content of the side file that describes what their channels are.
    """

    side_file: Mapping[str, Any] | None = None


class WindowCard(Card):
    """A model that classifies windows.

    Parameters
    ----------
    model : ModelSpec
        What it is made from.
    input : mapping
        The channels that are needed, in order (a `SignalSpec` as JSON).
    recording : CardRecording
        How the recordings of the training were read.
    pipeline : sequence of mappings
        Settings of the stages, in order.
    rate : float
        Samples a second of what the network sees, Hz.
    window, calibration, evidence
        See the sections.
    policy : mapping
        When a window is predicted (`realtime.quality.policy.Policy`).
    novelty : mapping
        What windows of the training looked like (`models.novelty.Novelty`); empty where it is not known.
    montages : ServedMontages or None
        Which montages are served beside that of ``input``; None where none is.
    format : int
        Version of this form.
    """

    FORMAT: ClassVar = 3

    model: ModelSpec
    input: Mapping[str, Any]
    recording: CardRecording = CardRecording()
    pipeline: Sequence[Mapping[str, Any]]
    rate: float = Field(gt=0, le=MOST_RATE)
    window: WindowSettings
    calibration: Calibration = Calibration()
    policy: Mapping[str, Any] = Field(default_factory=dict)
    evidence: CardEvidence = CardEvidence()
    novelty: Mapping[str, Any] = Field(default_factory=dict)
    montages: ServedMontages | None = None
    format: Literal[3] = 3

    @property
    def labels_line(self) -> str:
        """Which labels are shown, in one line."""
        asked = self.policy.get("min_confidence")
        return labels_line(asked if isinstance(asked, int | float) else None, self.unseen)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.labels) != self.model.n_outputs:
            raise ValueError(
                f"labels are {len(self.labels)}; expected model.n_outputs, {self.model.n_outputs}"
            )
        samples = self.window.length_s * self.rate
        if self.model.n_times != round(samples) or abs(samples - round(samples)) > 1e-6:
            raise ValueError(
                f"model.n_times is {self.model.n_times}; expected window.length_s * rate = {samples:g}"
            )
        return self
