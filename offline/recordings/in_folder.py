"""The recordings in a folder."""

from collections.abc import Sequence
from pathlib import Path

from models.errors import RecordingError
from offline.recordings import suffixes

SIDE_TABLES = ("_events.tsv", "_channels.tsv", "_optodes.tsv", "_scans.tsv", "participants.tsv", "cohort.tsv")
"""Tables that stand beside recordings and are none."""


def is_nirx(folder: Path) -> bool:
    """Whether a folder is one recording: NIRx writes into one a header and a file of each wavelength."""
    ends = {each.suffix.lower() for each in folder.iterdir()} if folder.is_dir() else set()
    return ".hdr" in ends and ".wl1" in ends


def _is_table_of_others(path: Path) -> bool:
    """Whether a file is a side table, or names recordings: a cohort's table, or one of results."""
    if path.name.lower().endswith(SIDE_TABLES):
        return True
    if path.suffix.lower() not in (".tsv", ".csv", ".txt"):
        return False
    with path.open("rb") as file:
        return file.readline(200).startswith(b"recording\t")


def recordings_in(paths: Sequence[Path], *, series: bool) -> list[Path]:
    """Unfold folders into the recordings that they hold, sorted by name.

    Parameters
    ----------
    paths : sequence of Path
        Recordings (a NIRx folder is one), and folders of recordings.
    series : bool
        Whether text tables in folders are region series; else they are passed over, and optode recordings and
        journals are taken.

    Raises
    ------
    RecordingError
        A folder holds none.
    """
    wanted = tuple(end for end in suffixes(series=series) if end != ".hdr")  # of NIRx the folder is meant
    out: list[Path] = []
    for path in paths:
        if not path.is_dir() or is_nirx(path):
            out.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if not each.name.startswith("."))
        found = [
            each
            for each in inside
            if (each.is_file() and each.name.lower().endswith(wanted) and not _is_table_of_others(each))
            or (not series and is_nirx(each))
        ]
        if not found:
            kinds = "region series" if series else "recordings"
            raise RecordingError(
                f"{path} holds no {kinds}: found {', '.join(each.name for each in inside[:5]) or 'nothing'}; "
                f"expected files that end in {', '.join(wanted)}{'' if series else ', or NIRx folders'}. "
                "Folders in it are not looked into: name them."
            )
        out += found
    return out
