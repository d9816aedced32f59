"""``hemostream export``: a journal as recordings that any fNIRS software reads."""

from pathlib import Path

from models.errors import HemostreamError
from tools.messages import say
from tools.outputs import check_new_file


def export(journal: Path, out: Path, *, run: int | None = None, overwrite: bool = False) -> None:
    """Write what a session received as SNIRF, one file a contiguous stretch, with true times.

    Parameters
    ----------
    journal : Path
        Journal of a live session.
    out : Path
        SNIRF file to write; with several stretches, their numbers are added to its name.
    run : int
        Which run, where the journal holds several.
    overwrite : bool
        Replace files that are there already, and remove those of an earlier export with more stretches.
    """
    if out.resolve() == journal.resolve():
        raise HemostreamError(f"{out} is the journal itself; expected the name of a new SNIRF file.")
    earlier = [out, *sorted(out.parent.glob(f"{out.stem}_[0-9][0-9][0-9]{out.suffix}"))]
    for there in earlier:
        check_new_file(there, "A recording", overwrite=overwrite, option="OUT")

    from offline.base.remarks import show_remarks
    from offline.recordings.journal import read_journal
    from offline.recordings.snirf_writer import write_segments

    recording = read_journal(journal, run=run)
    show_remarks(recording, journal)
    paths = write_segments(recording, out)
    for path in earlier:
        if path not in paths:  # or it would pass for a stretch of this recording
            path.unlink(missing_ok=True)
    samples = len(recording.times)
    say(
        f"{samples} samples of {len(recording.spec)} channels over {recording.duration:.1f} s and "
        f"{len(recording.events)} events, in {len(paths)} file{'s' if len(paths) > 1 else ''}."
    )
    for path in paths:
        say(f"Recording: {path}")
