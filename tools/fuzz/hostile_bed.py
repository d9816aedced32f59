"""A device that sends what is hostile between good samples, through the real edges of a source.

What is not real are liblsl's sockets and the time.  An edge may refuse an input with an error that it
declares; any other error is a bug.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import numpy as np

from models.errors import HemostreamError
from realtime.channels.lsl_description import describe, read_origin
from realtime.channels.stream_xml import read_stream_xml
from realtime.core import Core, Plan
from realtime.core.stream_guard import fault_text
from realtime.devices import companion_of, layout_of
from realtime.log import ClockMeasured, Entry, Origin, Received, StreamLost, StreamOpened
from realtime.session.interfaces import SessionSettings
from realtime.signal import SignalSpec
from realtime.sinks.mqtt.runs import run_of
from realtime.sources.lsl.clock_gate import ClockGate
from realtime.sources.lsl.connection import clock_offset
from realtime.sources.lsl.events import Markers
from realtime.sources.lsl.source import LslSource, StreamChoice
from realtime.sources.lsl.trouble import Troubles
from realtime.status import Status
from tools.fuzz import hostile, texts
from tools.fuzz.damage import Random

CHUNK = 5
"""Samples an entry."""
KINDS = (
    "stamps", "stamps", "values", "counts", "counts", "markers", "description", "header", "offset",
    "retained",
)  # fmt: skip


@dataclass
class Met:
    """What came of it.

    Parameters
    ----------
    inputs : Counter of str
        Hostile inputs by kind.
    refused : Counter of str
        Such as an edge refused with an error that it declares.
    undeclared : list of str
        Errors that an edge raised and that are none of ours: bugs.
    faults : int
        Errors inside the core, which was begun anew.
    fault : str
        The last of them.
    failures : set of str
        What failed by the status.
    ended : str
        The error that ended the session; empty where it was there to the end.
    decisions, labelled : int
        Windows decided, and such with a label, in the whole session.
    labelled_after : int
        Of the good data at the end.
    same : bool
        Whether the journal gave the same decisions again, byte for byte.
    status : Status or None
        The last one before the end.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    undeclared: list[str] = field(default_factory=list)
    faults: int = 0
    fault: str = ""
    failures: set[str] = field(default_factory=set)
    ended: str = ""
    decisions: int = 0
    labelled: int = 0
    labelled_after: int = 0
    same: bool = False
    status: Status | None = None

    @property
    def good(self) -> bool:
        """Whether all that must hold held."""
        sent = {"stamps": "stamps", "counts": "frame counters", "values": "values"}
        reported = self.status is not None and all(
            self.status.rejected.get(kind) for what, kind in sent.items() if self.inputs[what]
        )
        return bool(
            not self.undeclared
            and not self.faults
            and not self.ended
            and self.labelled_after
            and self.same
            and reported
        )


class FuzzedBed:
    """A device that a session listens to, and everybody else on its network.

    Parameters
    ----------
    plan : Plan
        Of the model, which says what a good stream is.
    random : numpy.random.Generator
        Where chance comes from.
    met : Met
        Counts.
    """

    def __init__(self, plan: Plan, random: Random, met: Met) -> None:
        self.plan, self.spec, self.random, self.met = plan, plan.spec, random, met
        self.now = 1000.0
        self._frame = 0
        self._emit: Callable[[Entry], None] = lambda entry: None
        self._own = ET.tostring(_info(plan.spec), encoding="unicode")
        self._source = LslSource(StreamChoice(allow_replay=True), emit=self._emit, failed=lambda error: None)
        self._status = Status.lost("bed-1", 1).to_json()

    def connect(self, emit: Callable[[Entry], None]) -> None:
        """Say where entries go."""
        self._emit = emit
        self._troubles = Troubles(emit, clock=lambda: self.now)
        self._markers_edge = Markers(emit, self._troubles)

    def open(self) -> None:
        """The good stream is (back) there."""
        spec = self.spec
        rows = tuple(range(1, len(spec) + 1))
        self._take(StreamOpened(self.now, spec, Origin(), "device", "id", rows=rows, frame_row=0))

    def _take(self, opened: StreamOpened) -> None:
        first = ClockMeasured(self.now, 0.0, 1.7e9)
        self._emit(opened)
        self._emit(first)
        self._order = ClockGate(self._emit, self._ask, origin=opened.origin, first=first)

    def _ask(self) -> None:
        """A fresh comparison is made at once."""
        self._asked = True

    def good(self, n: int = CHUNK) -> None:
        """Samples as they should be."""
        self._samples(*self._next(n))

    def _next(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        times = self.now + np.arange(1, n + 1) / self.spec.rate
        self.now = float(times[-1])
        data = np.exp(0.01 * self.random.normal(size=(len(self.spec) + 1, n)))
        data[0] = self._frame + np.arange(n)
        self._frame += n
        return times, data

    def _samples(self, stamps: np.ndarray, data: np.ndarray) -> None:
        self._asked = False
        self._order.received(Received(self.now + 0.001, stamps, data))
        if self._asked:
            self._order.measured(ClockMeasured(self.now + 0.002, 0.0, 1.7e9), fresh=True)

    def hostile(self) -> None:
        """One hostile input; what an edge declares is fine, whatever else it raises is a bug."""
        kind = str(hostile.one_of(self.random, KINDS))
        self.met.inputs[kind] += 1
        try:
            getattr(self, f"_{kind}")()
        except HemostreamError:
            self.met.refused[kind] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            self.met.undeclared.append(f"{kind}: {fault_text(error)}")

    def _stamps(self) -> None:
        times, data = self._next(int(self.random.integers(1, 20)))
        self._samples(hostile.stamps(times, self.random), data)

    def _values(self) -> None:
        times, data = self._next(CHUNK)
        bad = self.random.random(data.shape) < 0.2
        bad[0] = False
        data[bad] = hostile.one_of(self.random, hostile.VALUES)
        self._samples(times, data)

    def _counts(self) -> None:
        times, data = self._next(int(self.random.integers(1, 20)))
        data[0] = hostile.counts(data[0], self.random)
        if self.random.random() < 0.3:
            with np.errstate(over="ignore"):
                data = data.astype(np.float32)
        self._samples(times, data)

    def _markers(self) -> None:
        n = int(hostile.one_of(self.random, (1, 1, 5, 600)))
        if self.random.random() < 0.8:
            values = np.empty((n, 1), dtype=object)
            values[:, 0] = [hostile.marker(self.random)] * n
        else:
            values = self.random.normal(size=(n, 1)) * hostile.one_of(self.random, (1.0, 1e300))
        stamps = np.full(n, self.now)
        if self.random.random() < 0.3:
            stamps = hostile.stamps(stamps, self.random)
        self._markers_edge.take(values, stamps, self.now)

    def _description(self) -> None:
        info = read_stream_xml(texts.xml_text(self._own, self.random))
        origin = read_origin(info)
        companion_of(info)
        layout = layout_of(info, None)
        name = hostile.name(self.random)
        self._replace(
            StreamOpened(
                self.now, layout.spec, origin, name, declared="", rows=layout.rows, scales=layout.scales,
                device=layout.device, frame_row=layout.frame_row,
            )
        )  # fmt: skip

    def _header(self) -> None:
        self._replace(self._source._opened(hostile.header(len(self.spec), self.random)))

    def _replace(self, opened: StreamOpened) -> None:
        """As `LslSource` does: what does not fit is refused, what fits is listened to for a moment."""
        Core(self.plan).feed(opened)
        self._emit(StreamLost(self.now, "lost"))
        self._take(opened)
        times, data = self._next(CHUNK)
        rows = max((*opened.rows, opened.frame_row or 0, len(opened.spec) - 1)) + 1
        self._samples(times, np.resize(data[1:], (rows, CHUNK)))
        self._emit(StreamLost(self.now, "lost"))
        self.open()

    def _offset(self) -> None:
        offset = float(hostile.one_of(self.random, hostile.STAMPS))
        measured = ClockMeasured(self.now, clock_offset(_Answering(offset), 1.0), 1.7e9)
        for _ in range(int(self.random.integers(1, 3))):  # wild once, or another clock
            self._order.measured(measured, fresh=True)
        self.good(1)
        self._order.measured(ClockMeasured(self.now, 0.0, 1.7e9), fresh=True)

    def _retained(self) -> None:
        payload = hostile.retained(self._status, self.random)
        run = run_of(payload)
        if run is not None:
            SessionSettings(session="bed-1", run=run + 1)
        Status.from_json(payload)


class _Answering:
    """An inlet whose other side answers with an offset."""

    def __init__(self, offset: float) -> None:
        self._offset = offset

    def time_correction(self, timeout: float) -> float:
        return self._offset


def _info(spec: SignalSpec) -> ET.Element:
    """The XML of a stream that describes itself wholly."""
    info = ET.Element("info")
    for tag, text in (
        ("name", "device"), ("type", "NIRS"), ("channel_count", str(len(spec))),
        ("nominal_srate", str(spec.rate)), ("source_id", "id"),
    ):  # fmt: skip
        ET.SubElement(info, tag).text = text
    info.append(describe(spec, Origin()))
    return info
