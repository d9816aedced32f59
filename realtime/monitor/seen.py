"""What the page reads of each message: bounded, finite, and nothing but data.

A monitor is often older or newer than the sessions that it shows, so keys that it does not know are left
alone (the sessions' own readers refuse them).  What it does read has a bound: a text is cut and made
printable, a list or table that is too long makes the whole message refused.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.errors import MessageError
from models.outside import LONGEST_LABEL, printable
from realtime.status import State

MOST_BYTES = 2**18
"""No message may be longer."""
MOST_LABELS, MOST_REASONS, MOST_CHANNELS, MOST_TIMES, MOST_ALARMS, MOST_ENTRIES = 32, 64, 2048, 2048, 32, 64


def _name(text: str) -> str:
    return text if len(text) <= 200 and text.isascii() and text.isprintable() else printable(text)


def _words(text: str) -> str:
    return (
        text
        if len(text) <= LONGEST_LABEL and text.isascii() and text.isprintable()
        else printable(text, LONGEST_LABEL)
    )


Name = Annotated[str, AfterValidator(_name)]
Words = Annotated[str, AfterValidator(_words)]
Probability = Annotated[float, Field(ge=0, le=1)]
Probabilities = Annotated[dict[Name, Probability], Field(max_length=MOST_LABELS)]
Reasons = Annotated[list[Name], Field(max_length=MOST_REASONS)]
Place = Annotated[list[float], Field(min_length=3, max_length=3)]


class Seen(BaseModel):
    """A message as far as the page reads it."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False, frozen=True)

    session: Annotated[str, Field(min_length=1, max_length=200)]
    run: Annotated[int, Field(ge=0, lt=2**53)]


class Part(BaseModel):
    """A part of one."""

    model_config = Seen.model_config | {"extra": "ignore"}


class SeenEvidence(Part):
    """Running evidence."""

    probabilities: Probabilities
    windows: int = 0
    effective_windows: float | None = None
    stopped: Name | None = None


class SeenDecision(Seen):
    """A decision (`realtime.decision.Decision`)."""

    sequence: Annotated[int, Field(ge=0, lt=2**53)]
    count: Annotated[int, Field(ge=1, lt=2**53)]
    window_start: float
    window_end: float
    window_end_utc: Name | None
    produced_at_utc: Name | None
    age_s: float
    delay_s: float
    label: Name
    reasons: Reasons
    probabilities: Probabilities | None
    evidence: SeenEvidence
    coverage: Probability
    largest_gap_s: float
    channels: int
    left_out: Annotated[dict[Name, Reasons], Field(max_length=MOST_CHANNELS)]
    quality: Annotated[dict[Name, float | None], Field(max_length=MOST_ENTRIES)]
    novelty: float | None
    time_uncertainty_s: Annotated[float, Field(ge=0)]
    model: Name
    origin: Name
    speed: Annotated[float, Field(gt=0, le=1e6)]


class SeenWindow(Part):
    """What is cut, and how long a decision is current (stream seconds)."""

    length_s: float
    step_s: float
    max_age_s: Annotated[float, Field(gt=0)]


class SeenStatus(Seen):
    """A status (`realtime.status.Status`)."""

    state: State
    reason: Words = ""
    since_utc: Name = ""
    stream: Name = ""
    origin: Name = ""
    speed: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    model: Name = ""
    evaluation: Words = ""
    labels: Words = ""
    window: SeenWindow | None = None
    clock: Annotated[dict[Name, float | bool], Field(max_length=MOST_ENTRIES)] | None = None
    journal: Annotated[dict[Name, float | bool], Field(max_length=MOST_ENTRIES)] | None = None
    broker: Annotated[dict[Name, float | bool], Field(max_length=MOST_ENTRIES)] | None = None
    signals: Annotated[dict[Name, float | bool], Field(max_length=MOST_ENTRIES)] | None = None
    commands: Annotated[dict[Name, float | bool], Field(max_length=MOST_ENTRIES)] | None = None
    wall_clock_steps: int = 0
    rejected: Annotated[dict[Name, int], Field(max_length=MOST_ENTRIES)] = Field(default_factory=dict)
    failing: Annotated[dict[Name, Words], Field(max_length=MOST_ENTRIES)] = Field(default_factory=dict)
    versions: Annotated[dict[Name, Name], Field(max_length=MOST_ENTRIES)] = Field(default_factory=dict)


class SeenBeat(Seen):
    """A heartbeat."""

    beat: Annotated[int, Field(ge=0, lt=2**53)]
    state: State
    utc: Name


class SeenAlarm(Part):
    """One alarm."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Name
    priority: Literal["high", "medium", "low"]
    text: Words
    since_utc: Name
    until_utc: Name | None = None
    count: int = 1
    acknowledged_by: Name | None = None
    acknowledged_utc: Name | None = None


class SeenAlarms(Seen):
    """What is technically wrong with a session."""

    alarms: Annotated[list[SeenAlarm], Field(max_length=MOST_ALARMS)]


class SeenChannel(Part):
    """A channel, as far as it is drawn."""

    name: Name
    kind: Name
    unit: Name = ""
    source_name: Name | None = None
    detector_name: Name | None = None
    source: int | None = None
    detector: int | None = None
    wavelength: float | None = None
    position: Place | None = None
    source_position: Place | None = None
    detector_position: Place | None = None


class SeenRows(Part):
    """The channels at one place of the pipeline."""

    rate: float = 0.0
    channels: Annotated[list[SeenChannel], Field(max_length=MOST_CHANNELS)] = Field(default_factory=list)


class SeenChannels(Seen):
    """What the rows of the signals are."""

    revision: int
    raw: SeenRows
    processed: SeenRows
    left_out: int = 0


Samples = Annotated[list[Annotated[list[float | None], Field(max_length=MOST_TIMES)]], Field(max_length=2048)]
PerChannel = Annotated[list[float | None], Field(max_length=MOST_CHANNELS)]


class SeenQuality(Part):
    """What was measured of each channel behind the last window."""

    reasons: Annotated[dict[Name, Reasons], Field(max_length=MOST_CHANNELS)] = Field(default_factory=dict)
    coverage: PerChannel | None = None
    scalp_coupling: PerChannel | None = None


class SeenSignals(Seen):
    """A second of decimated signals."""

    revision: int
    sequence: int
    dropped: int = 0
    stage: Literal["raw", "processed"]
    interval_s: Annotated[float, Field(gt=0)]
    times: Annotated[list[float], Field(max_length=MOST_TIMES)]
    low: Samples
    high: Samples | None = None
    quality: SeenQuality | None = None


class SeenAnswer(Seen):
    """What a session says of a command."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    ok: bool
    reason: Words = ""
    time: float | None = None
    time_utc: Name | None = None
    uncertainty_s: float | None = None


Kind = TypeVar("Kind", bound=Seen)


def read(kind: type[Kind], session: str, payload: Any) -> Kind:
    """Read a message of a session.

    Parameters
    ----------
    kind : type
        What it should be.
    session : str
        Whose topic it came on; it must say the same.
    payload : bytes
        As it came.

    Raises
    ------
    MessageError
        It is too long, no such message, beyond a bound, or says to be another session's.
    """
    if not isinstance(payload, bytes) or len(payload) > MOST_BYTES:
        size = len(payload) if isinstance(payload, bytes) else 0
        raise MessageError(f"A message of {size} bytes; expected JSON of at most {MOST_BYTES}.")
    try:
        found = kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][:4])
        raise MessageError(f"No {kind.__name__}: {where}: {first['msg']}.") from None
    if found.session != session:
        raise MessageError("A message names another session than its topic.")
    if isinstance(found, SeenSignals):
        rows = (*found.low, *(found.high or ()))
        if any(len(row) != len(found.times) for row in rows) or (
            found.high is not None and len(found.high) != len(found.low)
        ):
            raise MessageError("Signals whose rows are not as long as their times.")
    return found
