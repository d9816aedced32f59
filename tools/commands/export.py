"""``hemostream export``: a journal as recordings that any fNIRS software reads."""

from pathlib import Path


def export(journal: Path, out: Path, *, run: int | None = None, overwrite: bool = False) -> None:
    """Write what a session received as SNIRF, one file a contiguous stretch, with true times.

    Parameters
    ----------
    journal : Path
        Journal of a live session.
    out : Path
        SNIRF file; with several stretches, their numbers are added to its name.
    run : int
        Which run, where the journal holds several.
    overwrite : bool
        Replace files that are there already.
    """
    from offline.base.remarks import show_remarks
    from offline.recordings.journal import read_journal
    from offline.recordings.snirf_writer import write_segments
    from tools.out_file import must_be_new

    for there in (out, *sorted(out.parent.glob(f"{out.stem}_[0-9][0-9][0-9]{out.suffix}"))):
        must_be_new(there, overwrite=overwrite)
    recording = read_journal(journal, run=run)
    show_remarks(recording, journal)
    for path in write_segments(recording, out):
        print(path)
