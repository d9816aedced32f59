"""What went wrong with a file or a series, by name: `ScannerRemark`."""

from dataclasses import dataclass
from enum import StrEnum


class ScannerFault(StrEnum):
    """What a remark is about."""

    UNFINISHED = "unfinished"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    LATE = "late"
    MISSING = "missing"
    INCOMPLETE = "incomplete"
    OTHER_SERIES = "other series"
    OTHER_GRID = "other grid"
    NEW_SERIES = "new series"
    CLOCK = "clock"
    PAUSE = "pause"
    FOLDER = "folder"
    MOTION = "motion"


@dataclass(frozen=True, slots=True)
class ScannerRemark:
    """Something that a person, and the record, must be told.

    Parameters
    ----------
    local : float
        Local time at which it was noticed, s.
    fault : ScannerFault
        What it is.
    text : str
        With the names and the values, and what was done.
    """

    local: float
    fault: ScannerFault
    text: str
