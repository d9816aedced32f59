"""From files, in whatever order and state they come, to volumes, each once and in order: `Intake`.

Time is handed in; nothing here waits, so every fault of an export can be played through in a test.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.errors import HemostreamError, UnfinishedVolumeError, VolumeError
from models.outside import printable
from realtime.sources.scanner.dicom_values import PREAMBLE
from realtime.sources.scanner.image import ScannerImage
from realtime.sources.scanner.nifti import is_nifti
from realtime.sources.scanner.reading import read_images
from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark
from realtime.sources.scanner.series import PATIENCE_S, OrderedVolume, SeriesOrder
from realtime.sources.scanner.stack import SliceStack

SILENT_TR = 3.0
"""A series that has sent nothing for so many repetition times is over as soon as another one sends
volumes."""
BESIDE = 3
"""A series during which the present one sent so many volumes is exported beside it, and is no new run."""
MOST_WAITING = 20_000
"""Files of other series that are remembered for when the present one is over."""
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class SeriesBegan:
    """A series begins: whatever was computed of another one does not hold.

    Parameters
    ----------
    order : SeriesOrder
        The series.
    local : float
        Local time, s.
    """

    order: SeriesOrder
    local: float


Happening = SeriesBegan | OrderedVolume | ScannerRemark


@dataclass
class _Waiting:
    """Files of a series that may be the next one."""

    called: str
    paths: list[Path]
    since: int  # how many volumes the present series had


@dataclass
class _Unfinished:
    since: float
    reason: str
    said: bool = False


class Intake:
    """The volumes of a folder.

    Parameters
    ----------
    joined : bool
        Whether a series may be under way already whose first files are not read.
    series : str
        Only series whose name at the console (number and description) holds this; empty takes any.
    tr : float or None
        Repetition time (s) where files do not say it, or say it wrongly.
    read : callable
        From a path to its images.
    """

    def __init__(
        self,
        *,
        joined: bool = False,
        series: str = "",
        tr: float | None = None,
        read: Callable[[Path], list[ScannerImage]] = read_images,
    ) -> None:
        self.joined, self._only, self._tr, self._read = joined, series, tr, read
        self._order: SeriesOrder | None = None
        self._over: set[str] = set()
        self._stacks: dict[str, SliceStack] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._taken = 0  # volumes of the present series
        self._unfinished: dict[Path, _Unfinished] = {}
        self._left: set[Path] = set()
        self._late: set[str] = set()
        self._out: list[Happening] = []
        self._shape = ""  # of the present series' file names

    @property
    def order(self) -> SeriesOrder | None:
        """The series that is published."""
        return self._order

    def first_ours(self, paths: Sequence[Path]) -> list[Path]:
        """Paths with those that are named like the present series before all others."""
        return sorted(paths, key=lambda path: name_shape(path) != self._shape)

    def take(self, path: Path, now: float) -> None:
        """Read a file that may be whole at a local time (s)."""
        try:
            images = self._read(path)
        except UnfinishedVolumeError as error:
            self._unfinished.setdefault(path, _Unfinished(now, str(error))).reason = str(error)
            return
        except (VolumeError, OSError) as error:
            self._unfinished.pop(path, None)
            if path not in self._left and path.exists():
                self._left.add(path)
                foreign = isinstance(error, VolumeError) and not _looks_ours(path)
                fault = ScannerFault.FOREIGN if foreign else ScannerFault.UNREADABLE
                self._say(now, fault, f"{_named(path)} is left out: {error}")
            return
        self._unfinished.pop(path, None)
        for image in images:
            self._take_image(path, image, now)

    def due(self, now: float) -> Iterator[Happening]:
        """What follows by a local time (s) from what was taken."""
        patience = PATIENCE_S if self._order is None else self._order.patience_s
        for path, state in self._unfinished.items():
            if not state.said and now - state.since >= patience:
                state.said = True
                self._say(
                    now,
                    ScannerFault.UNFINISHED,
                    f"{_named(path)} is not whole: {state.reason} It is waited for.",
                )
        yield from self._given()
        if self._order is not None:
            if (stack := self._stacks.get(self._order.series)) is not None:
                yield from stack.given_up(now, patience)
            yield from self._order.ready(now)
        if self._waiting and (self._order is None or self._silent(self._order, now)):
            self._next_series(now)
            yield from self._given()
            if self._order is not None:
                yield from self._order.ready(now)

    # -------------------------------------------------------------------------------- series

    def _take_image(self, path: Path, image: ScannerImage, now: float) -> None:
        if self._tr is not None:
            image = replace(image, tr=self._tr)
        if self._only and self._only not in (image.called or image.series):
            if image.series not in self._late:
                self._late.add(image.series)
                self._say(now, ScannerFault.OTHER_SERIES, f"Series {_called(image)} is not asked for.")
            return
        if image.series in self._over:
            self._leave_over(path, image, now)
            return
        if self._order is not None and image.series != self._order.series:
            self._put_aside(path, image, now)
            return
        for whole in self._wholes(path, image, now):
            if self._order is None:
                self._begin(whole, now)
            assert self._order is not None
            self._shape = name_shape(path)
            remark = self._order.add(OrderedVolume(whole, path.name, now))
            if remark is not None:
                self._out.append(remark)
                continue
            self._taken += 1
            self._part_from_beside(now)

    def _wholes(self, path: Path, image: ScannerImage, now: float) -> list[ScannerImage]:
        if image.slice_of is None:
            return [image]
        stack = self._stacks.setdefault(image.series, SliceStack(image))
        try:
            return stack.add(image, image.slice_of, now)
        except HemostreamError as error:
            self._say(now, ScannerFault.UNREADABLE, f"{_named(path)} is left out: {error}")
            return []

    def _begin(self, image: ScannerImage, now: float) -> None:
        self._order, self._taken = SeriesOrder(image, joined=self.joined), 0
        self._order.last_arrival = now
        self.joined = False
        self._out.append(SeriesBegan(self._order, now))

    def _put_aside(self, path: Path, image: ScannerImage, now: float) -> None:
        assert self._order is not None
        waiting = self._waiting.setdefault(image.series, _Waiting(_called(image), [], self._taken))
        if not waiting.paths:
            self._say(
                now,
                ScannerFault.OTHER_SERIES,
                f"{_named(path)} is of series {waiting.called}; that waits while {self._order.called} goes "
                f"on.",
            )
        if len(waiting.paths) < MOST_WAITING:
            waiting.paths.append(path)

    def _part_from_beside(self, now: float) -> None:
        """Series that go on beside the present one are left for good."""
        for series, waiting in list(self._waiting.items()):
            if self._taken - waiting.since >= BESIDE:
                del self._waiting[series]
                self._over.add(series)
                self._late.add(series)
                self._say(
                    now,
                    ScannerFault.OTHER_SERIES,
                    f"Series {waiting.called} is exported beside the present one; it is left out. Choose "
                    f"between "
                    "them with --series.",
                )

    def _leave_over(self, path: Path, image: ScannerImage, now: float) -> None:
        if image.series not in self._late:
            self._late.add(image.series)
            self._say(now, ScannerFault.LATE, f"{_named(path)} is of series {_called(image)}, which is over.")

    def _silent(self, order: SeriesOrder, now: float) -> bool:
        return not order.holds and now - order.last_arrival > SILENT_TR * order.tr_s

    def _next_series(self, now: float) -> None:
        series = next(iter(self._waiting))
        paths = self._waiting.pop(series).paths
        if self._order is not None:
            self._over.add(self._order.series)
            self._stacks.pop(self._order.series, None)
            self._say(
                now, ScannerFault.NEW_SERIES, f"Series {self._order.called} is over, another one has begun."
            )
            self._order = None
        for path in paths:
            self.take(path, now)

    # -------------------------------------------------------------------------------- words

    def _say(self, now: float, fault: ScannerFault, text: str) -> None:
        self._out.append(ScannerRemark(now, fault, printable(text, 1000)))

    def _given(self) -> Iterator[Happening]:
        out, self._out = self._out, []
        yield from out


def name_shape(path: Path) -> str:
    """A file's name without its last number: what the files of one series mostly share."""
    found = list(_DIGITS.finditer(path.name.partition(".nii")[0]))
    return path.name if not found else path.name[: found[-1].start()] + "#" + path.name[found[-1].end() :]


def natural(path: Path) -> tuple[tuple[int, int | str], ...]:
    """What files are sorted by so that 2 stands before 10."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((1, int(part)) if part.isdecimal() else (0, part) for part in parts if part)


def _called(image: ScannerImage) -> str:
    return printable(image.called or image.series, 100)


def _named(path: Path) -> str:
    return printable(path.name, 100)


def _looks_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_nifti(path) or file.read(PREAMBLE)[-4:] == b"DICM"
    except OSError:
        return False
