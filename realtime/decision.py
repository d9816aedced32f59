"""`Decision`: the record that leaves the house.

Its JSON form is published as ``decision.schema.json`` next to this file; a test holds the two
together.  Research use only: a decision describes a signal, it is not a diagnosis.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from models.decode import decode_message
from models.errors import MessageError

ABSTAIN = "abstain"
UNDECIDED = "undecided"
"""The reason of a window whose likeliest label is not likely enough to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of this person (or of this block) so far.

    Parameters
    ----------
    probabilities : mapping of label to float
        Where the bundle knows how windows add up, the calibrated posterior of all of them; otherwise the
        mean of the probabilities of the predicted windows, weighted by how recent they are.
    windows : int
        Predicted windows so far.
    effective_windows : float or None
        How many independent windows these are worth; None where the bundle does not know it.
    memory_s : float or None
        Time constant (s) of forgetting; None keeps everything.
    stopped : str or None
        The label at which the bundle's stopping rule was first met since this evidence began; None where it
        was not met, or the bundle has none.
    """

    probabilities: Mapping[str, float]
    windows: int
    effective_windows: float | None = None
    memory_s: float | None
    stopped: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided of one window, and all that is known about that.

    Identity is (session, run, sequence).

    Parameters
    ----------
    session, run, sequence : str, int, int
        Who it is: sequence is the window's index on the session's grid, run grows at each restart.
    count : int
        Windows this record stands for: 1, or more for an abstention over windows that fell wholly
        into a gap (``sequence`` to ``sequence + count - 1``).
    window_start, window_end : float
        Seconds on the stream's clock; the window covers ``[start, end)``.
    window_start_utc, window_end_utc : str or None
        The same as ISO 8601 in UTC; None where a recording does not give its date.
    produced_at_utc : str or None
        When the decision was made; None likewise.
    age_s : float
        Stream seconds from the window's end to the making of the decision, by the monotonic clock.  In a
        steady stream without delays it lies below 0: ``[start, end)`` holds its last sample one period of the
        model's rate before its end, and is made as soon as the signal comes within a quarter of its own
        period of that sample.  It is never below that sum, but for what ``time_uncertainty_s`` admits.
    delay_s : float
        Group delay of the pipeline: what the window's end shows happened so long before.
    label : str
        The likeliest label, or ``"abstain"``; it abstains too where none is likely enough to be shown.
    reasons : tuple of str
        Why it abstains; empty otherwise.
    probabilities : mapping of label to float, or None
        Calibrated probabilities; None where nothing was computed.
    evidence : Evidence
        Running evidence, this window included.
    coverage : float
        Fraction of the window's channel-samples that were measured, 0 to 1.
    largest_gap_s : float
        Longest stretch (s) of the window in which any channel was missing.
    channels : int
        Channels that were used; of an abstention those that were good enough.
    left_out : mapping of str to tuple of str
        Rejected channels of the model, each once, by the first reason against it.
    quality : mapping of str to float or None
        What was measured of the signal behind the window: ``scalp_coupling`` and ``peak_power`` (medians
        over pairs of wavelengths; no unit, 1/Hz), ``moving`` (share of channels that moved).  Of a whole
        scan: ``bridged_cells``, and each check of `models.scans.novelty` with what is expected
        (``mean_correlation``, ``mean_correlation_least``, ``mean_correlation_most``).  What cannot be known
        at this rate, or has no bound, is None.
    novelty : float or None
        How unlike the training the window is, 1 being the bundle's threshold; None where the bundle
        has none.
    time_uncertainty_s : float
        Uncertainty of the window's times, as far as the stamps themselves show, s.
    model : str
        Hash of the bundle.
    origin : str
        ``live``, ``replayed`` or ``simulated``.
    speed : float
        Stream seconds a local second; 1 for a live stream.
    """

    session: str
    run: int
    sequence: int
    count: int
    window_start: float
    window_end: float
    window_start_utc: str | None
    window_end_utc: str | None
    produced_at_utc: str | None
    age_s: float
    delay_s: float
    label: str
    reasons: tuple[str, ...]
    probabilities: Mapping[str, float] | None
    evidence: Evidence
    coverage: float
    largest_gap_s: float
    channels: int
    left_out: Mapping[str, tuple[str, ...]]
    quality: Mapping[str, float | None]
    novelty: float | None
    time_uncertainty_s: float
    model: str
    origin: str
    speed: float

    @property
    def abstained(self) -> bool:
        """Whether no label was given."""
        return self.label == ABSTAIN

    @property
    def predicted(self) -> bool:
        """Whether the window was usable and in time: it has a label, or is no more than undecided."""
        return all(reason == UNDECIDED for reason in self.reasons)

    @property
    def identity(self) -> tuple[str, int, int]:
        """(session, run, sequence)."""
        return self.session, self.run, self.sequence

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields, the same bytes for the same decision."""
        # Not dataclasses.asdict: its deep copies take longer than the whole rest.
        values = {name: getattr(self, name) for name in _FIELDS}
        values["evidence"] = {name: getattr(self.evidence, name) for name in _EVIDENCE_FIELDS}
        return json.dumps({"schema": 1, **values}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Undo `to_json`.

        Raises
        ------
        MessageError
            It is no decision of this schema.
        """
        return decode_message(cls, text, error=MessageError, what="This is no decision")


_FIELDS = tuple(field.name for field in fields(Decision))
_EVIDENCE_FIELDS = tuple(field.name for field in fields(Evidence))
