"""A recorded scan, predicted as one window as long as itself.

Models of whole scans (`models.scan_bundle`) predict nothing of a stretch: connectivity only becomes steady
within minutes.  What a scan lacks of what its system needs is a reason to abstain, as it is for a window.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats
from models.cards.scan_card import ScanCard, ScanInput
from models.errors import SignalError
from models.probabilities import probabilities
from models.scan_bundle import ScanBundle
from models.scan_model import ScanModel
from models.scans.novelty import CHECKS, CheckResult, ScanNovelty
from realtime.channels.match import match_channels
from realtime.decision import ABSTAIN, Decision, Evidence
from realtime.log import OriginKind
from realtime.quality.policy import Reason, longest_runs
from realtime.scan_cells import ScanCells
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Recording

UNEVEN = 0.25
"""Of a repetition time by which a volume may be early or late before one is taken to be lost."""


def predict_scan(recording: Recording, bundle: ScanBundle, *, session: str) -> Decision:
    """Predict a whole scan.

    Parameters
    ----------
    recording : Recording
        Region series (kind BOLD), as read: a region that never changes is missing throughout.
    bundle : ScanBundle
        The system.
    session : str
        Name for the decision's identity.

    Returns
    -------
    Decision
        The only one: sequence 0, from the first volume to one repetition time after the last.

    Raises
    ------
    SignalError
        The recording lacks regions that the system needs, or does not give its repetition time.
    """
    needs = bundle.card.input
    spec = SignalSpec(
        tuple(Channel(name=name, kind=Kind.BOLD, unit="a.u.") for name in needs.regions), recording.spec.rate
    )
    rows = np.array(match_channels(spec, recording.spec), dtype=np.intp)
    if not recording.spec.rate > 0:
        raise SignalError(f"{recording.name} does not give its repetition time; give it.")
    seconds = 1.0 / recording.spec.rate
    # The reader's rate is one over the seconds it was given: those are in its notes.
    seconds = float(recording.notes.get("repetition_time", seconds))
    cells = ScanCells.of(recording.data[rows], recording.missing[rows])
    why, findings = reasons_of(recording.times, cells, seconds, needs, bundle.novelty)
    scores = None if why else _scores(bundle.system, cells.series, seconds)
    if not why and scores is None:
        why = [Reason.INFERENCE]
    missing = recording.missing[rows] | ~np.isfinite(recording.data[rows])
    return _decision(recording, bundle.card, session, why, scores, missing, cells, findings, seconds)


def unlike_training(decision: Decision) -> list[str]:
    """What of a scan was unlike all scans of the training, a sentence each: found and expected.

    Parameters
    ----------
    decision : Decision
        Of `predict_scan`.
    """
    found = []
    for reason in decision.reasons:
        name = reason.replace(" ", "_")
        value, least, most = (decision.quality.get(name + end) for end in ("", "_least", "_most"))
        if reason in CHECKS and value is not None and most is not None:
            whole = CheckResult(reason, value, -np.inf if least is None else least, most, np.inf)
            found.append(f"{whole}, as in scans of the training")
    return found


def reasons_of(
    times: Floats, cells: ScanCells, seconds: float, needs: ScanInput, novelty: ScanNovelty | None
) -> tuple[list[Reason], tuple[CheckResult, ...]]:
    """Why a scan is not usable, and what was found of one that is whole and long enough to be looked at.

    Parameters
    ----------
    times : (n_times,) float64, s
        Of its volumes.
    cells : ScanCells
        What was measured of it.
    seconds : float
        Its repetition time.
    needs : ScanInput
        What the bundle asks for.
    novelty : ScanNovelty or None
        What scans of the training looked like.
    """
    why: list[Reason] = []
    # Sums of floating-point seconds: a scan of exactly the least length is long enough.
    if len(times) * seconds < needs.least_s * (1 - 1e-9):
        why.append(Reason.TOO_SHORT)
    low, high = needs.repetition_time
    if not low * (1 - 1e-9) <= seconds <= high * (1 + 1e-9):
        why.append(Reason.REPETITION_TIME)
    if cells.masked.mean() > needs.most_masked or (cells.absent | cells.holes).any():
        why.append(Reason.COVERAGE)
    if cells.lost.any() or (len(times) > 1 and np.abs(np.diff(times) - seconds).max() > UNEVEN * seconds):
        why.append(Reason.GAP)
    if why or novelty is None:
        return why, ()
    findings = novelty.findings(cells.series, seconds, ~cells.masked)
    return [Reason(each.check) for each in findings if each.beyond], findings


def _scores(system: ScanModel, series: npt.NDArray[np.float32], seconds: float) -> Floats | None:
    """Probabilities, (n_labels,) float64; None where the system gave no finite number."""
    with np.errstate(all="ignore"):  # what comes of it is looked at here
        logits = system.logits(series[np.newaxis], np.array([seconds]))[0]
    return np.asarray(probabilities(logits)) if np.isfinite(logits).all() else None


def _decision(
    recording: Recording,
    card: ScanCard,
    session: str,
    why: list[Reason],
    scores: Floats | None,
    missing: Bools,
    cells: ScanCells,
    findings: Sequence[CheckResult],
    seconds: float,
) -> Decision:
    labels = tuple(card.labels)
    start = float(recording.times[0]) if len(recording.times) else 0.0
    by_label = None if scores is None else dict(zip(labels, scores.tolist(), strict=True))
    regions = np.array(card.input.regions)
    rejected = {Reason.COVERAGE: cells.absent | cells.holes, Reason.FLAT: cells.masked}
    used = ~(cells.absent | cells.holes | cells.masked)
    # Where nothing was predicted there is no evidence: every label is as likely as another.
    so_far = by_label or dict.fromkeys(labels, 1.0 / len(labels))
    return Decision(
        session=session,
        run=1,
        sequence=0,
        count=1,
        window_start=start,
        window_end=start + len(recording.times) * seconds,
        window_start_utc=_utc(start, recording.start_utc),
        window_end_utc=_utc(start + len(recording.times) * seconds, recording.start_utc),
        produced_at_utc=None,
        age_s=0.0,
        delay_s=0.0,
        label=ABSTAIN if scores is None else labels[int(np.argmax(scores))],
        reasons=tuple(str(reason) for reason in why),
        probabilities=by_label,
        evidence=Evidence(probabilities=so_far, windows=int(scores is not None), memory_s=None),
        coverage=float(1.0 - missing.mean()) if missing.size else 0.0,
        largest_gap_s=max(
            _largest_gap(recording.times, seconds), int(longest_runs(cells.lost[np.newaxis])[0]) * seconds
        )
        if len(recording.times)
        else 0.0,
        channels=int(np.count_nonzero(used)),
        left_out={str(why): tuple(regions[out].tolist()) for why, out in rejected.items() if out.any()},
        quality=_quality(cells, findings),
        novelty=max((each.distance for each in findings), default=None),
        time_uncertainty_s=0.0,
        model=card.hash,
        origin=str(OriginKind.REPLAYED),
        speed=1.0,
    )


def _quality(cells: ScanCells, findings: Sequence[CheckResult]) -> dict[str, float | None]:
    """Cells that were bridged, and what each check found and expects."""
    out: dict[str, float | None] = {"bridged_cells": float(cells.bridged)}
    for each in findings:
        name = each.check.replace(" ", "_")
        values = {name: each.value, f"{name}_least": each.least, f"{name}_most": each.most}
        out |= {key: value if np.isfinite(value) else None for key, value in values.items()}
    return out


def _utc(seconds: float, start_utc: float | None) -> str | None:
    """UTC of a time of the recording; None where it does not give its date."""
    if start_utc is None:
        return None
    return datetime.fromtimestamp(start_utc + seconds, UTC).isoformat(timespec="microseconds")


def _largest_gap(times: Floats, seconds: float) -> float:
    """Longest stretch (s) beyond a repetition time without a volume."""
    return max(float(np.diff(times).max()) - seconds, 0.0) if len(times) > 1 else 0.0
