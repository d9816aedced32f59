"""``hemostream calibrate``: a few labelled minutes of a new person, and a bundle that is moved to them."""

from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import HemostreamError
from tools.messages import say
from tools.outputs import Out, refuse_existing

if TYPE_CHECKING:
    from offline.retraining.calibrate import Calibrated


def calibrate(
    *,
    model: Path,
    recording: tuple[Path, ...],
    out: Out,
    event_table: Path | None = None,
    person: str | None = None,
    layout: Path | None = None,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | None = None,
    events: str | None = None,
    allow_damaged: bool = False,
    overwrite: bool = False,
) -> None:
    """Move a classifier to a new person by a few labelled minutes of theirs.

    The recording is sent through the bundle's own pipeline and labelled by its own rules. The last layer is
    fitted to its blocks, drawn to the weights that were there; how far it may move is chosen on blocks
    held out in turn, and where nothing is gained on them nothing moves. Two blocks of every label are the
    least.

    The journal of a live session with markers is a recording: calibrate in a pause or between two sessions,
    and go on with the new bundle. The old one stays.

    Parameters
    ----------
    model : Path
        Bundle folder to start from, as "train" writes it.
    recording : tuple of Path
        The person's labelled minutes: a recording or a journal (may be given more than once).
    out : Path
        Bundle folder to write.
    event_table : Path
        Table of events (tabs; columns onset, in seconds from the first sample, and trial_type) in place of
        the recording's own.
    person : str
        The person's code. A salted hash of it is kept, so that evaluations know whom the bundle has learnt
        from; without it only the signal is known again.
    layout : Path
        Side file (JSON) that says what the channels are, for recordings that do not.
    length_unit : str
        Unit of optode positions (m, cm or mm) where the file's own is wrong.
    haemoglobin_unit : str
        Unit of concentrations (umol/L, uM ...) where a SNIRF file does not say it, or wrongly.
    repetition_time : float
        Seconds between volumes of a region series.
    stream : str
        Which stream of an XDF file that holds several, or which measurement of a SNIRF file.
    events : str
        Which marker stream of an XDF file that holds several.
    allow_damaged : bool
        Take what is left of a file of which much cannot be read.
    overwrite : bool
        Replace a bundle that is there already.
    """
    from models.bundle_files import check_target

    if not recording:
        raise HemostreamError("There is no recording to calibrate by; expected --recording FILE.")
    check_target(out)
    refuse_existing(out, overwrite=overwrite)

    from offline.retraining import calibrate as calibration
    from realtime.inference import one_thread
    from tools.commands.train import lines_of

    one_thread()
    done = calibration.calibrate(
        model,
        recording,
        out,
        event_table=event_table,
        person=person,
        layout=layout,
        length_unit=length_unit,
        haemoglobin_unit=haemoglobin_unit,
        repetition_time=repetition_time,
        stream=stream,
        events=events,
        allow_damaged=allow_damaged,
    )
    say(summary(done))
    for line in lines_of(done.card):
        say(line)
    say(f"Bundle: {out} (model {done.hash[:12]}, of {done.card.training['from'][:12]})")


def summary(done: "Calibrated") -> str:
    """What it was calibrated by and what came of it, in sentences.

    Parameters
    ----------
    done : Calibrated
        The bundle that was written.
    """
    minutes, adapted = done.minutes, done.adapted
    blocks = ", ".join(f"{label} {n}" for label, n in minutes.blocks.items())
    by = (
        f"{minutes.seconds / 60.0:.1f} minutes: {len(minutes.y)} windows of "
        f"{sum(minutes.blocks.values())} blocks ({blocks})."
    )
    if not adapted.moved:
        return (
            f"{by} Nothing was gained on held-out blocks (log loss {adapted.before:.3f}): the weights are "
            "the old ones."
        )
    return (
        f"{by} Log loss of held-out blocks {adapted.before:.3f} before, {adapted.after:.3f} after. What "
        "the old bundle's evaluation supports no longer holds for these weights."
    )
