"""What goes wrong when a scanner exports, as a plan: which bytes are to be written when (`plan`).

============  ======================================================================================
``missing``   volume ``at`` is never written
``truncated`` of volume ``at`` half is written first, and all of it one and a half repetition times later
``cut``       of volume ``at`` only half is ever written
``slow``      the file of volume ``at`` is written in pieces over ``by`` s
``swap``      volume ``at`` comes half a repetition time after the one that follows it
``late``      volume ``at`` comes ``by`` s late
``twice``     volume ``at`` is written again (DICOM under another name), one repetition time later
``other``     another volume comes under the number of ``at``
``jitter``    all files come up to ``by`` s late
``series``    from volume ``at`` on every volume is also exported in another series
``restart``   the scanner is stopped before volume ``at``, and a new series begins ``by`` s later
``pause``     the scanner pauses for ``by`` s before volume ``at``, in the same series
``clock``     from volume ``at`` on the console's clock is ``by`` s off
``matrix``    volume ``at`` has another matrix
``foreign``   a file that is no image lies beside volume ``at``
============  ======================================================================================
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.errors import StreamError, near_match
from realtime.volumes.volume import VoxelGrid
from tools.emulators.scanner.formats import ExportFormat
from tools.emulators.scanner.images import ExportedSeries, ExportedVolume

KINDS = (
    "missing", "truncated", "cut", "slow", "swap", "late", "twice", "other",
    "jitter", "series", "restart", "pause", "clock", "matrix", "foreign",
)  # fmt: skip
EVERYWHERE = ("jitter",)
"""Faults that are of no single volume."""


@dataclass(frozen=True, slots=True)
class ExportFault:
    """One fault.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    at : int
        The volume, from 1.
    by : float
        Seconds, at the scanner.
    """

    kind: str
    at: int = 0
    by: float = 1.0


def export_fault(text: str) -> ExportFault:
    """Understand ``kind:at=5,by=0.5``.

    Raises
    ------
    StreamError
        It is no such text.
    """
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise StreamError(f"--fault is {text!r}: there is no fault {kind!r}. {near_match(kind, KINDS)}")
    pairs = dict(part.partition("=")[::2] for part in rest.split(",") if part)
    try:
        fault = ExportFault(kind, int(pairs.pop("at", "0")), float(pairs.pop("by", "1")))
    except ValueError as error:
        raise StreamError(f"--fault is {text!r}; expected numbers, as in {kind}:at=5,by=0.5.") from error
    if pairs or not np.isfinite(fault.by) or (fault.at < 1 and kind not in EVERYWHERE):
        raise StreamError(f"--fault is {text!r}; expected {kind}:at=VOLUME,by=SECONDS, volumes from 1.")
    return fault


@dataclass(frozen=True, slots=True)
class ExportPiece:
    """Something to be written.

    Parameters
    ----------
    due : float
        When it must be there, s of the scanner since the first volume.
    name : str
        Of the file.
    content : bytes
        All of the file that is there then.
    takes : float
        Seconds over which it is written; it is closed when it is due.
    volume : int
        The volume that it completes; 0 where it completes none.
    series : str
        Of what.
    """

    due: float
    name: str
    content: bytes
    takes: float = 0.0
    volume: int = 0
    series: str = ""


def plan(
    volumes: Iterable[ExportedVolume],
    series: ExportedSeries,
    form: ExportFormat,
    faults: Sequence[ExportFault],
    seed: int = 0,
) -> Iterator[ExportPiece]:
    """What is written for each volume in turn; of one volume to the next ``due`` may go back.

    Parameters
    ----------
    volumes : iterable of ExportedVolume
        In order.
    series : ExportedSeries
        Of the first.
    form : ExportFormat
        In which files.
    faults : sequence of ExportFault
        What goes wrong.
    seed : int
        Of jitter.

    Yields
    ------
    ExportPiece
        In the order of their volumes.
    """
    random = np.random.default_rng([seed, 1])
    shift, first = 0.0, 1
    for volume in volumes:
        here = [fault for fault in faults if fault.kind in EVERYWHERE or fault.at == volume.number]
        number, tr = volume.number, series.tr
        for fault in here:
            if fault.kind in ("restart", "pause"):
                shift += fault.by
            if fault.kind == "restart":
                series = replace(series, uid=f"{series.uid}.{number}", number=series.number + 1)
                first = number
        off = sum(fault.by for fault in faults if fault.kind == "clock" and number >= fault.at)
        written = replace(volume, number=number - first + 1, acquired=volume.acquired + shift + off)
        due = (number - 1) * tr + shift
        for piece in _written(written, series, form, due):
            yield from _spoilt(piece, written, series, form, here, random)
        if any(fault.kind == "series" and number >= fault.at for fault in faults):
            beside = replace(series, uid=f"{series.uid}.99", number=series.number + 50, description="beside")
            yield from _written(written, beside, form, due)


def _written(
    volume: ExportedVolume, series: ExportedSeries, form: ExportFormat, due: float
) -> Iterator[ExportPiece]:
    contents = form.write(series, volume)
    names = form.names(series, volume.number, len(contents))
    for index, (name, content) in enumerate(zip(names, contents, strict=True)):
        last = index == len(contents) - 1
        yield ExportPiece(due, name, content, volume=volume.number if last else 0, series=series.uid)


def _spoilt(
    piece: ExportPiece,
    volume: ExportedVolume,
    series: ExportedSeries,
    form: ExportFormat,
    faults: Sequence[ExportFault],
    random: np.random.Generator,
) -> Iterator[ExportPiece]:
    """A piece as the faults of its volume leave it."""
    tr = series.tr
    extra: list[ExportPiece] = []
    for fault in faults:
        half = piece.content[: len(piece.content) // 2]
        match fault.kind:
            case "missing":
                return
            case "cut":
                piece = replace(piece, content=half, volume=0)
            case "truncated":
                extra.append(replace(piece, content=half, volume=0))
                piece = replace(piece, due=piece.due + 1.5 * tr)
            case "slow":
                piece = replace(piece, due=piece.due + fault.by, takes=fault.by)
            case "swap":
                piece = replace(piece, due=piece.due + 1.5 * tr)
            case "late":
                piece = replace(piece, due=piece.due + fault.by)
            case "twice":
                again = piece.name if ".nii" in piece.name else f"again_{piece.name}"  # NIfTI is its name
                extra.append(replace(piece, due=piece.due + tr, name=again, volume=0))
            case "jitter":
                piece = replace(piece, due=piece.due + float(random.uniform(0, fault.by)))
            case "foreign":
                extra.append(ExportPiece(piece.due, f"{volume.number}.log", b"exported\n" * 50))
            case "other":
                another = replace(volume, data=volume.data + 100)
                extra += [
                    replace(one, due=piece.due + tr, name=f"other_{one.name}", volume=0)
                    for one in _written(another, series, form, piece.due)
                ]
            case "matrix":
                smaller = volume.data[:-2, :-2]
                grid = VoxelGrid(smaller.shape, volume.grid.affine_mm)
                changed = next(_written(replace(volume, data=smaller, grid=grid), series, form, piece.due))
                piece = replace(changed, volume=0)
            case _:
                pass
    yield piece
    yield from extra
