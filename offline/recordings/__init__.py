"""Recordings from disk: one function, `read_recording`, for every format.

The readers themselves, and the libraries they need, are imported when a file of their format is
read; formats whose libraries crash on damaged files are read in a separate process.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import RecordingError
from models.files.regular_file import check_regular

if TYPE_CHECKING:
    from realtime.sources.recording import Recording

Layout = Path | Mapping[str, Any]
"""A side file, or its content."""
FORMATS = (
    ".snirf",
    ".nirs (Homer)",
    ".xdf, .xdf.gz or .xdfz",
    "a NIRx folder or its .hdr",
    ".1D, .tsv, .csv or .txt (region series)",
    ".hemostream or .sqlite (journal)",
)
"""What can be read, as a person would say it."""

_SERIES = (".1d", ".tsv", ".csv", ".txt")
_XDF = (".xdf", ".xdf.gz", ".xdfz")
_JOURNAL = (".hemostream", ".sqlite")
_FRAGILE = (".snirf", ".nirs", ".hdr")
"""Read by HDF5, or by a parser of MATLAB files; folders too."""


def read_recording(
    path: Path | str,
    *,
    layout: Layout | None = None,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | int | None = None,
    events: str | int | None = None,
    allow_damaged: bool = False,
) -> "Recording":
    """Read a recording of any format; its name says which.

    Options that a format has no use for are ignored, so that one set of them serves a cohort.

    Parameters
    ----------
    path : Path or str
        A file, or the folder of a NIRx recording.
    layout : Path, mapping or None
        Side file that says what an undescribed XDF stream's rows are (`realtime.channels.montage`), or its
        content.
    length_unit : str or None
        ``m``, ``cm`` or ``mm``: what positions are really in, where the file's own claim is wrong.
    haemoglobin_unit : str or None
        ``umol/L``, ``uM``, ``mol/L`` ...: what concentrations in a SNIRF file are really in, where it does
        not say so, or wrongly.
    repetition_time : float or None
        Seconds between the volumes of a region series, where no side file tells.
    stream : str, int or None
        Which stream of an XDF file that holds several: its name, source_id, uid, number there, or a
        predicate such as ``source_id='42'``.  Of a SNIRF file which measurement: ``nirs2``, or 2.
    events : str, int or None
        Which marker stream of an XDF file, named likewise; None takes all of them.
    allow_damaged : bool
        Take what is left of a file of which much cannot be read (`offline.recordings.damage`).

    Returns
    -------
    Recording
        As measured, with its events.  What cannot be trusted of its date is None; `Recording.remarks` say
        why, and what else was found wrong with the file.

    Raises
    ------
    RecordingError
        Where there is no such file, its format is not known, it cannot be read, or more than a tenth of it
        cannot.
    """
    path = Path(path)
    if not path.exists():
        raise RecordingError(f"There is no recording {path}.")
    _check_files(path)
    options: dict[str, Any] = {
        "length_unit": length_unit,
        "haemoglobin_unit": haemoglobin_unit,
        "repetition_time": repetition_time,
        "stream": None if stream is None else str(stream),
        "events": None if events is None else str(events),
    }
    if path.is_dir() or path.name.lower().endswith(_FRAGILE):
        from offline.recordings.isolated import read_isolated

        recording = read_isolated(path, **options)
    else:
        recording = read_here(path, layout=layout, **options)
    if not allow_damaged:
        from offline.recordings.damage import refuse_damaged

        refuse_damaged(recording, path)
    return recording


def _check_files(path: Path) -> None:
    """Refuse what would be waited for: libraries open whatever stands under a name."""
    folder = path.parent if path.suffix.lower() == ".hdr" else path
    try:
        for each in [path, *(folder.iterdir() if folder.is_dir() else ())]:
            if each.exists() and not each.is_dir():  # a link may lead nowhere
                check_regular(each)
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.filename}: {error.strerror}.") from error


def read_here(
    path: Path,
    *,
    layout: Layout | None = None,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | None = None,
    events: str | None = None,
) -> "Recording":
    """Read a recording in this process, which a damaged file may bring down (`read_recording` otherwise).

    Parameters
    ----------
    path : Path
        A file or folder that is there.
    layout, length_unit, haemoglobin_unit, repetition_time, stream, events
        As `read_recording` takes them.
    """
    from offline.recordings.damage import with_losses
    from offline.recordings.dates import trusted
    from realtime.sources.bad_spans import without_bad_spans

    read = _read(
        path,
        layout=layout,
        length_unit=length_unit,
        haemoglobin_unit=haemoglobin_unit,
        repetition_time=repetition_time,
        stream=stream,
        events=events,
    )
    name = path.name.lower()
    if not name.endswith(_JOURNAL):  # what a session did, it did with all of the signal
        read = without_bad_spans(read)
    return with_losses(trusted(read), wire=name.endswith((*_XDF, *_JOURNAL)))


def _read(
    path: Path,
    *,
    layout: Layout | None,
    length_unit: str | None,
    haemoglobin_unit: str | None,
    repetition_time: float | None,
    stream: str | None,
    events: str | None,
) -> "Recording":
    name = path.name.lower()
    if path.is_dir() or name.endswith(".hdr"):
        from offline.recordings.nirx import read_nirx

        return read_nirx(path)
    if name.endswith(".snirf"):
        from offline.recordings.bids import with_sidecars
        from offline.recordings.snirf import read_snirf

        read = read_snirf(path, length_unit=length_unit, haemoglobin_unit=haemoglobin_unit, stream=stream)
        return with_sidecars(read, path)
    if name.endswith(".nirs"):
        from offline.recordings.homer import read_homer

        return read_homer(path, length_unit=length_unit)
    if name.endswith(_XDF):
        from offline.recordings.xdf import read_xdf

        return read_xdf(path, layout=layout, stream=stream, events=events, length_unit=length_unit)
    if name.endswith(_SERIES):
        from offline.recordings.series import read_series

        return read_series(path, repetition_time=repetition_time)
    if name.endswith(_JOURNAL):
        from offline.recordings.journal import read_journal

        return read_journal(path)
    raise RecordingError(
        f"{path} ends in {path.suffix!r}, which is no format of recordings; expected {', '.join(FORMATS)}."
    )
