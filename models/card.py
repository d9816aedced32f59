"""The card of a bundle: everything that is to be known of a trained classifier but its weights.

One form with two payloads: `WindowCard` of a network that classifies windows, `ScanCard` of a scan model.
A card is JSON types only and is written in one canonical way, so that it has one hash.  What other
floors own (the pipeline, the policy, the channels) is carried as it is; all else is checked here.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from models.bounds import MOST_RATE, MOST_S
from models.decode import Record, decode
from models.errors import BundleError
from models.evidence.accumulation import Law, Rule
from models.evidence.unseen import UnseenEvaluation, evaluation_line, labels_line
from models.networks.parts.montage import ServedMontages

WRITTEN_LATER = frozenset({"recording", "unseen", "montages"})
"""Keys that cards of this format did not always have."""
AGAIN = "Fetch it again from where it was trained, or train again."


def _each_once(names: Sequence[str]) -> Sequence[str]:
    if len(set(names)) < len(names):
        raise ValueError("expected each name once")
    return names


Names = Annotated[
    Sequence[Annotated[str, Field(min_length=1)]], Field(min_length=1), AfterValidator(_each_once)
]
"""Names of labels or regions, in order."""


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


class Card(Record):
    """What both payloads tell.

    Parameters
    ----------
    labels : sequence of str
        In the order of the outputs.
    training, evaluation, versions : mapping
        How it was trained, how it was compared since, and with which software.
    unseen : UnseenEvaluation or None
        What it was worth on people it had not seen; None where it was never evaluated on any.
    weights_sha256, hash : str
        Hexadecimal; filled in when the bundle is written.
    """

    FORMAT: ClassVar[Any]

    labels: Names
    training: Mapping[str, Any] = Field(default_factory=dict)
    evaluation: Mapping[str, Any] = Field(default_factory=dict)
    unseen: UnseenEvaluation | None = None
    versions: Mapping[str, Any] = Field(default_factory=dict)
    weights_sha256: str = ""
    hash: str = ""

    @property
    def evaluation_line(self) -> str:
        """What it was worth on unseen people, in one line."""
        return evaluation_line(self.unseen)

    @property
    def labels_line(self) -> str:
        """Which labels are shown, in one line."""
        return "every label is shown"

    def to_json(self) -> dict[str, Any]:
        """All fields by name."""
        return self.model_dump()


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


AnyCard = TypeVar("AnyCard", bound=Card)


def card_of_json(kind: type[AnyCard], values: Mapping[str, Any]) -> AnyCard:
    """The card that a file holds.

    Parameters
    ----------
    kind : type of Card
        Which payload is wanted.
    values : mapping
        JSON types.

    Raises
    ------
    BundleError
        A field is missing, unknown, of another type or out of its bounds, or two contradict each other.
    """
    found = values.get("format")
    if type(found) is not type(kind.FORMAT) or found != kind.FORMAT:
        raise BundleError(
            f"The bundle's format is {repr(found)[:40]}; this version of hemostream reads format "
            f"{kind.FORMAT!r}. Take the version that wrote it, or train or export it again."
        )
    card = decode(kind, values, error=BundleError, what="Card", advice=AGAIN)
    if lacking := sorted(kind.model_fields.keys() - card.model_fields_set - WRITTEN_LATER):
        raise BundleError(f"Card: lacks {', '.join(lacking)}; expected all that hemostream writes. {AGAIN}")
    return card
