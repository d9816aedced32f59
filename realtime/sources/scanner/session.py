"""From a watched folder to a region stream: `ScannerSession`.

One thread: wait for files, read them, put them in order, take the regions' means, stamp and send them, and
only then
write down what was sent.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.errors import VolumeError
from realtime.log import Origin, OriginKind
from realtime.signal import Channel, SignalSpec
from realtime.sources.scanner.intake import Intake, SeriesBegan, natural
from realtime.sources.scanner.region_signal import RegionSignal, RegionValues, about_atlas
from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark
from realtime.sources.scanner.series import OrderedVolume, SeriesOrder
from realtime.sources.scanner.stamps import VolumeStamps
from realtime.sources.scanner.watch import FolderWatch
from realtime.volumes.rigid import RigidMove
from realtime.volumes.volume import VoxelGrid

TICK_S = 0.02
"""How long nothing may come before it is asked what is due, s."""


class Outlet(Protocol):
    """Where samples go (`realtime.sources.scanner.outlet.RegionOutlet`)."""

    def push(self, values: Sequence[float], stamp: float) -> None:
        """Send a sample, stamped (s, stream's clock)."""

    def flush(self) -> None:
        """Send what waits for a listener."""

    def close(self) -> None:
        """End the stream."""


class Table(Protocol):
    """Where it is written down (`realtime.sources.scanner.volume_table.VolumeTable`)."""

    def write(self, values: Mapping[str, Any]) -> None:
        """Write a line."""


MakeOutlet = Callable[[SignalSpec, Origin, Mapping[str, str], str], Outlet]
"""From channels, origin, what is said of them, and the stream's source id."""


@dataclass
class ScannerCounts:
    """What a session has seen.

    Parameters
    ----------
    volumes : int
        Published.
    series : int
        Begun.
    faults : dict
        Remarks by what they are about.
    """

    volumes: int = 0
    series: int = 0
    faults: dict[ScannerFault, int] = field(default_factory=dict)


class ScannerSession:
    """A folder as a stream.

    Parameters
    ----------
    watch : FolderWatch
        The folder.
    intake : Intake
        Puts volumes in order.
    signal : RegionSignal
        Takes the regions' means.
    channels : tuple of Channel
        Of the stream: the regions, then what `further` gives.
    make_outlet : callable
        Makes the stream of a series.
    table : Table or None
        Where volumes and remarks are written down.
    say : callable of str
        Shows a remark to a person.
    clock, utc : callable
        Local time (s), and UTC (s since 1970).
    further : callable of RegionValues, optional
        Values of channels behind the regions (motion), in their units.
    about : mapping
        What the stream says besides of how it came about.
    """

    def __init__(
        self,
        watch: FolderWatch,
        intake: Intake,
        signal: RegionSignal,
        channels: tuple[Channel, ...],
        make_outlet: MakeOutlet,
        *,
        table: Table | None = None,
        say: Callable[[str], None],
        clock: Callable[[], float],
        utc: Callable[[], float],
        further: Callable[[RegionValues], Sequence[float]] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.watch, self.intake, self.signal = watch, intake, signal
        self._channels, self._make_outlet, self._table = channels, make_outlet, table
        self._say, self._clock, self._utc = say, clock, utc
        self._further, self._about = further, dict(about or {})
        self._source_id = f"hemostream-scanner-{uuid.uuid4().hex}"
        self._origin = Origin()
        self._began = clock()
        self._outlet: Outlet | None = None
        self._stamps = VolumeStamps(None)
        self._usable = False  # whether the present series has any region
        self._backlog: list[RegionValues] | None = None
        self._watch_trouble = ""
        self.counts = ScannerCounts()

    def run(self, stop: Callable[[], bool], *, from_start: bool) -> None:
        """Publish until told to stop.

        Parameters
        ----------
        stop : callable
            Whether to end.
        from_start : bool
            Whether volumes that lie in the folder already are published first.
        """
        standing = self.watch.standing()
        self.intake.joined = bool(standing) and not from_start
        if from_start:
            self._from_start(sorted(standing, key=natural))
        while not stop():
            self.step(TICK_S)
        self.close()

    def step(self, timeout: float) -> None:
        """Wait for files for a while (s), and publish what is due."""
        for path in self.intake.first_ours(self.watch.wait(timeout)):
            self.intake.take(path, self._clock())
            self._due()
        self._due()
        if self.watch.trouble != self._watch_trouble:
            self._watch_trouble = self.watch.trouble
            if self._watch_trouble:
                self._remark(ScannerRemark(self._clock(), ScannerFault.FOLDER, self._watch_trouble))
        if self._outlet is not None:
            self._outlet.flush()

    def close(self) -> None:
        """End the stream."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None

    def _from_start(self, paths: Sequence[Path]) -> None:
        """What lies there: computed first and stamped then, so that the last of it is the present volume."""
        self._backlog = []
        for path in paths:
            self.intake.take(path, self._clock())
            self._due()
        self._end_backlog()

    def _end_backlog(self) -> None:
        waiting, self._backlog = self._backlog or [], None
        if waiting:
            first, last = waiting[0].found.image.number, waiting[-1].found.image.number
            self._stamps.start(
                first, self._stream_time(self._clock()) - (last - first) * (self._stamps.tr or 0.0)
            )
        for each in waiting:
            self._publish(each)

    def _due(self) -> None:
        for happening in self.intake.due(self._clock()):
            match happening:
                case SeriesBegan():
                    self._begin(happening.order)
                case ScannerRemark():
                    self._remark(happening)
                case OrderedVolume():
                    self._volume(happening)

    def _begin(self, order: SeriesOrder) -> None:
        if self._backlog is not None:
            self._end_backlog()
        self.close()
        self.counts.series += 1
        self._origin = replace(order.origin, anchor=self._began)  # one clock for all series
        self._stamps = VolumeStamps(order.tr)
        try:
            means = self.signal.begin(order.grid)
        except VolumeError as error:
            self._usable = False
            self._remark(
                ScannerRemark(self._clock(), ScannerFault.OTHER_GRID, f"Series {order.called}: {error}")
            )
            return
        self._usable = True
        spec = SignalSpec(self._channels, 0.0 if order.tr is None else 1.0 / order.tr)
        about = {**about_series(order), **about_atlas(self.signal.atlas, means), **self._about}
        self._outlet = self._make_outlet(spec, self._origin, about, self._source_id)
        outside, cut = means.outside(), means.cut_off()
        lacks = f"; outside the image: {', '.join(outside)}" if outside else ""
        lacks += "".join(f"; {share:.0%} of {name} in the image" for name, share in cut.items())
        regions = f"{len(self.signal.atlas.names) - len(outside)} regions of {self.signal.atlas.title}"
        tr = "an unknown repetition time" if order.tr is None else f"TR {order.tr:g} s"
        emulated = "" if order.origin.kind is OriginKind.LIVE else f", {order.origin.kind}"
        self._say(
            f"series {order.called}: {order.form}, {tr}{emulated}, {_size(order.grid)}, {regions}{lacks}"
        )
        self._write({"what": "series", "local": self._clock(), "utc": self._utc(), **about})

    def _volume(self, found: OrderedVolume) -> None:
        if not self._usable:
            return
        values, remark = self.signal.of(found)
        if self._backlog is not None:
            self._backlog.append(values)
        else:
            self._publish(values)
        if remark is not None:
            self._remark(remark)

    def _publish(self, values: RegionValues) -> None:
        assert self._outlet is not None
        found = values.found
        image = found.image
        stamp, remark = self._stamps.of(image.number, self._stream_time(found.arrived), image.acquired)
        more = [] if self._further is None else self._further(values)
        self._outlet.push([*values.values.tolist(), *more], stamp)
        self.counts.volumes += 1
        self._write(
            {
                "what": "volume",
                "series": image.series,
                "number": image.number,
                "uid": image.uid,
                "file": found.file,
                "stamp": stamp,
                "arrived": found.arrived,
                "utc": self._utc() - (self._clock() - found.arrived),
                "acquired": image.acquired,
                "missing_regions": int(np.isnan(values.values).sum()),
                "motion": _motion(values.move),
            }
        )
        if remark is not None:
            self._remark(replace(remark, local=found.arrived))

    def _stream_time(self, local: float) -> float:
        return self._origin.stream_time(local)

    def _remark(self, remark: ScannerRemark) -> None:
        self.counts.faults[remark.fault] = self.counts.faults.get(remark.fault, 0) + 1
        self._say(f"{remark.fault}: {remark.text}")
        self._write({"what": "remark", "local": remark.local, "fault": remark.fault, "text": remark.text})

    def _write(self, values: Mapping[str, Any]) -> None:
        if self._table is not None:
            self._table.write(values)


def about_series(order: SeriesOrder) -> dict[str, str]:
    """What a stream says of the series that it is of."""
    out = {
        "series": order.series,
        "called": order.called,
        "format": order.form,
        "matrix": " ".join(map(str, order.grid.shape)),
        "voxel_mm": " ".join(f"{x:g}" for x in order.grid.voxel_mm.round(6)),
    }
    return out if order.tr is None else {**out, "tr_s": repr(order.tr)}


def _motion(move: RigidMove | None) -> list[float] | None:
    """Three translations (mm) and three rotations (rad); None where they are not known."""
    return None if move is None else [float(x) for x in (*move.translation_mm, *move.rotation)]


def _size(grid: VoxelGrid) -> str:
    edges = " x ".join(f"{x:.3g}" for x in grid.voxel_mm)
    return f"{' x '.join(map(str, grid.shape))} voxels of {edges} mm"
