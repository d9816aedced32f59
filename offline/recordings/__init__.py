"""Recordings from disk: one function, `read_recording`, for every format.

The readers themselves, and the libraries they need, are imported when a file of their format is
read; formats whose libraries crash on damaged files are read in a separate process.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.errors import RecordingError, SignalError, StreamError
from models.files.regular_file import check_regular

if TYPE_CHECKING:
    from realtime.sources.recording import Recording

Layout = Path | Mapping[str, Any]
"""A side file, or its content."""


class _Format(NamedTuple):
    """A format: how its files' names end, how a person would say it, what reads it and with which options."""

    suffixes: tuple[str, ...]
    shown: str
    reader: str
    options: tuple[str, ...] = ()
    fragile: bool = False  # read by HDF5, or by a parser of MATLAB files
    session: bool = False  # what a session did, it did with all of the signal


_FORMATS = (
    _Format(
        (".snirf",), ".snirf", "bids.read_with_tables", ("length_unit", "haemoglobin_unit", "stream"), True
    ),
    _Format((".nirs",), ".nirs (Homer)", "homer.read_homer", ("length_unit",), True),
    _Format(
        (".xdf", ".xdf.gz", ".xdfz"),
        ".xdf, .xdf.gz or .xdfz",
        "xdf.read_xdf",
        ("layout", "stream", "events", "length_unit"),
    ),
    _Format((".hdr",), "a NIRx folder or its .hdr", "nirx.read_nirx", fragile=True),
    _Format(
        (".1d", ".tsv", ".csv", ".txt"),
        ".1D, .tsv, .csv or .txt (region series)",
        "series.read_series",
        ("repetition_time",),
    ),
    _Format(
        (".hemostream", ".sqlite"), ".hemostream or .sqlite (journal)", "journal.read_journal", session=True
    ),
)


def suffixes(*, series: bool) -> tuple[str, ...]:
    """How names of recordings end, in lower case: those of region series, or all others."""
    reader = "series.read_series"
    return tuple(end for each in _FORMATS if (each.reader == reader) == series for end in each.suffixes)


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
    if _format_of(path).fragile:
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


def read_here(path: Path, **options: Any) -> "Recording":
    """Read a recording in this process, which a damaged file may bring down; options of `read_recording`."""
    from offline.recordings.damage import with_losses
    from offline.recordings.dates import trusted
    from realtime.sources.bad_spans import without_bad_spans

    found = _format_of(path)
    module, function = found.reader.split(".")
    reader = getattr(import_module(f"offline.recordings.{module}"), function)
    try:
        read: Recording = reader(path, **{name: options[name] for name in found.options if name in options})
    except (SignalError, StreamError) as error:
        raise RecordingError(f"{path}: {error}") from error
    if not found.session:
        read = without_bad_spans(read)
    return with_losses(trusted(read), wire=found.session or read.pushed)


def _format_of(path: Path) -> _Format:
    name = ".hdr" if path.is_dir() else path.name.lower()
    for each in _FORMATS:
        if name.endswith(each.suffixes):
            return each
    raise RecordingError(
        f"{path} ends in {path.suffix!r}, which is no format of recordings; expected "
        f"{', '.join(each.shown for each in _FORMATS)}."
    )
