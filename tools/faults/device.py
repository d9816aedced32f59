"""A device that misbehaves on purpose: ``python -m tools.faults.device``, for tests, benchmarks and
rehearsals.

It sends made-up intensities over LSL, says that they are simulated, and does what its faults say.
With ``--truth`` it writes what it really did, one JSON list a push:
``[index, true stream time, stamp, local time, [faults], value of the last channel]``; by that value, which no
other sample has, whoever receives it knows which it is.
"""

import json
import math
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from cyclopts import App

from models.errors import HemostreamError, StreamError
from realtime.log import Origin, OriginKind
from realtime.signal import Channel, Kind, SignalSpec
from tools.faults.faults import KINDS, Fault
from tools.faults.schedule import Send, Values, sends

if TYPE_CHECKING:
    import pylsl

WAVELENGTHS = (760.0, 850.0)
LINGER_S = 1.0
"""How long the outlet stays after its last sample, for whoever still fetches it, local s."""
AT_MOST_S = 0.2
"""Longest sleep before a signal is looked at, s."""

app = App(name="faults", help="A device that misbehaves on purpose.", help_format="plaintext")


def faulty_spec(pairs: int, rate: float) -> SignalSpec:
    """Intensities of so many pairs at two wavelengths, declared at a rate (Hz)."""
    channels = tuple(
        Channel(
            name=f"S{pair}_D{pair} {wavelength:.0f}",
            kind=Kind.INTENSITY,
            unit="V",
            source=pair,
            detector=pair,
            wavelength=wavelength,
            distance=0.03,
        )
        for pair in range(1, pairs + 1)
        for wavelength in WAVELENGTHS
    )
    return SignalSpec(channels, rate)


@app.default
def faults(
    *,
    source_id: str,
    name: str = "faulty",
    rate: float = 10.0,
    declared_rate: float | None = None,
    drift_ppm: float = 0.0,
    seconds: float = 60.0,
    speed: float = 1.0,
    pairs: int = 4,
    fault: list[str] | None = None,
    chunk: int = 1,
    reverse: bool = False,
    drop_pairs: int = 0,
    stamp_shift: float = 0.0,
    live: bool = False,
    wait: bool = True,
    settle: float = 0.0,
    seed: int = 0,
    truth: Path | None = None,
) -> None:
    """Send a stream that goes wrong as planned.

    Parameters
    ----------
    source_id, name : str
        Of the stream.
    rate : float
        Samples a stream second, really.
    declared_rate : float
        What the stream says. Default: the truth.
    drift_ppm : float
        How much too slow the device's oscillator runs.
    seconds : float
        How long, stream seconds.
    speed : float
        Stream seconds a local second.
    pairs : int
        Source-detector pairs, two wavelengths each.
    fault : list of str
        KIND:at=SECONDS,seconds=SECONDS[,by=..][,share=..], as often as you like.
    chunk : int
        Push so many samples at once, with one stamp: liblsl makes up the others.
    reverse : bool
        Channels in the opposite order.
    drop_pairs : int
        Leave so many of the pairs out.
    stamp_shift : float
        All stamps are off by so many seconds.
    live : bool
        Claim to be a live device (only at speed 1).
    wait : bool
        Wait for a listener before the first sample.
    settle : float
        ... and then so many seconds more (local), for others to join.
    seed : int
        Of noise and jitter.
    truth : Path
        Write what was really done here.
    """
    if live and speed != 1.0:
        raise StreamError(f"A live device runs at speed 1, not {speed:g}. Leave out --live or --speed.")
    planned = [Fault.parse(text) for text in fault or []]
    import pylsl

    from realtime.sources.lsl.stream_info import stream_info

    true_rate = rate / (1.0 + 1e-6 * drift_ppm)
    declared = rate if declared_rate is None else declared_rate
    spec = faulty_spec(pairs, declared)
    rows = list(range(len(spec)))[2 * drop_pairs :]
    if reverse:
        rows.reverse()
    anchor = pylsl.local_clock()
    origin = Origin() if live else Origin(OriginKind.SIMULATED, speed, anchor)
    info = stream_info(spec.pick(rows), name=name, source_id=source_id, origin=origin)
    outlet = pylsl.StreamOutlet(info, max_buffered=360)
    stopped = Stop()
    print(json.dumps({"event": "open", "local": anchor}), flush=True)
    while wait and not outlet.have_consumers() and not stopped:
        outlet.wait_for_consumers(AT_MOST_S)
    patience = time.monotonic() + settle
    while time.monotonic() < patience and not stopped:
        time.sleep(0.05)
    values = Values(len(spec), true_rate, seed)
    # A line at a time: who kills this process must still find out what it did.
    writing = truth.open("w", encoding="utf-8", buffering=1) if truth else None
    try:
        begin = pylsl.local_clock()
        print(json.dumps({"event": "begin", "local": begin}), flush=True)
        sending = FaultySender(outlet, origin, begin, stamp_shift, chunk)
        for send in sends(round(seconds * true_rate), true_rate, planned, seed=seed):
            sending.wait(send, stopped)
            if stopped:
                break
            line = sending.push(send, values.take(send)[rows].tolist())
            if writing:
                writing.write(json.dumps(line, allow_nan=False) + "\n")
    finally:
        if writing:
            writing.close()
    print(json.dumps({"event": "end", "local": pylsl.local_clock()}), flush=True)
    end = time.monotonic() + LINGER_S
    while not stopped and time.monotonic() < end:
        time.sleep(0.05)


class Stop:
    """True once SIGTERM or Ctrl-C came."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def __bool__(self) -> bool:
        return self._asked


class FaultySender:
    """Pushes samples when they are due.

    Parameters
    ----------
    outlet : pylsl.StreamOutlet
        Where to.
    origin : Origin
        The stream's clock.
    begin : float
        Local time (s) of the first sample.
    stamp_shift : float
        Added to every stamp, s.
    chunk : int
        Samples that are pushed at once, with one stamp.
    """

    def __init__(
        self, outlet: "pylsl.StreamOutlet", origin: Origin, begin: float, stamp_shift: float, chunk: int
    ) -> None:
        self._outlet = outlet
        self._origin = origin
        self._first = origin.stream_time(begin)
        self._shift = stamp_shift
        self._chunk = chunk
        self._held: list[list[float]] = []

    def wait(self, send: Send, stopped: Stop) -> None:
        """Sleep until a sample is due."""
        import pylsl

        due = self._origin.local_time(self._first + send.due)
        while not stopped and (left := due - pylsl.local_clock()) > 0.0:
            time.sleep(min(left, AT_MOST_S))

    def push(self, send: Send, values: list[float]) -> list[object]:
        """Send one sample; give what was really done."""
        import pylsl

        true = self._first + send.second
        stamp = true + send.shift + self._shift
        if self._chunk == 1:
            self._outlet.push_sample(values, stamp)
        else:
            self._held.append(values)
            if len(self._held) >= self._chunk:
                self._outlet.push_chunk(self._held, stamp)
                self._held = []
        last = values[-1] if math.isfinite(values[-1]) else None
        return [send.index, true, stamp, pylsl.local_clock(), [kind for kind, _ in send.spoils], last]


def main() -> None:
    """Run, and say plainly what cannot be."""
    try:
        app()
    except HemostreamError as error:
        print(f"faults: {error} Known faults: {', '.join(KINDS)}.", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
