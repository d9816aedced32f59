"""The rows of the fault table: what is done to a bed in each, and nothing else.

Times of faults are stream seconds; a bed at speed 8 lives through a minute in 7.5 s.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiomqtt

from tools.faults.bed import SESSION, FaultyBed
from tools.faults.faults import Fault

AWAY_S = 60.0
"""How long the broker is away, stream s."""
STOPPED_S = 30.0
"""How long the session is stopped, stream s."""

Play = Callable[[FaultyBed], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One row.

    Parameters
    ----------
    what : str
        For people.
    play : callable
        What is done.
    lies : bool
        Whether the source itself lies about time, so that times cannot be right and it must be reported.
    span : tuple of 2 float, or None
        From when to when the outlet is at fault, stream seconds from its first sample.
    marks : tuple of 2 str, or None
        What the bed notes when the fault begins and when it is over.
    """

    what: str
    play: Play
    lies: bool = False
    span: tuple[float, float] | None = None
    marks: tuple[str, str] | None = None


def spoilt(what: str, fault: str, *, seconds: float = 80.0, lies: bool = False) -> FaultRow:
    """A row of one outlet with one fault."""
    parsed = Fault.parse(fault)
    return FaultRow(what, sent(fault, seconds=seconds), lies, (parsed.at, parsed.end))


def sent(*faults: str, seconds: float = 80.0, options: tuple[str, ...] = ()) -> Play:
    """One outlet with faults, to its end."""

    async def play(bed: FaultyBed) -> None:
        bed.live("--stream", "source_id='device'")
        words = [word for fault in faults for word in ("--fault", fault)]
        bed.outlet(*options, *words, seconds=seconds)
        await bed.played()

    return play


def replaced(*options: str, comes_back: bool = True) -> Play:
    """The outlet is killed; another takes its place."""

    async def play(bed: FaultyBed) -> None:
        bed.live("--stream", "source_id='device'")
        first = bed.outlet(seconds=600)
        await bed.labelled()
        bed.mark("killed")
        first.process.kill()
        first.process.wait()
        await bed.until(lambda: bed.state() == "lost", "the state lost")
        bed.mark("started")
        # Nobody may ever listen to what cannot be used: it does not wait for that.
        bed.outlet(*options, *(() if comes_back else ("--no-wait",)), seconds=80)
        if comes_back:
            await bed.labelled()
            bed.outlets[-1].process.terminate()
        await bed.played()

    return play


async def frozen_session(bed: FaultyBed) -> None:
    """The session itself is stopped and goes on."""
    bed.live("--stream", "source_id='device'")
    bed.outlet(seconds=600)
    await bed.labelled()
    assert bed.session is not None
    bed.mark("stopped")
    bed.session.send_signal(signal.SIGSTOP)
    await asyncio.sleep(STOPPED_S / bed.speed)
    bed.session.send_signal(signal.SIGCONT)
    bed.mark("continued")
    await bed.labelled()
    bed.outlets[-1].process.terminate()
    await bed.played()


async def killed_session(bed: FaultyBed) -> None:
    """The session is killed at once, more than once, and started again."""
    bed.outlet(seconds=2000)
    for pause in (0.3, 0.9, 0.05):
        bed.live("--stream", "source_id='device'")
        await bed.labelled()
        await asyncio.sleep(pause)
        assert bed.session is not None
        bed.session.kill()
        bed.session.wait()
    bed.live("--stream", "source_id='device'")
    await bed.labelled()
    bed.outlets[-1].process.terminate()
    await bed.played()


def broker_away(*more: str) -> Play:
    """The broker is stopped for a while."""

    async def play(bed: FaultyBed) -> None:
        bed.live("--stream", "source_id='device'", *more)
        bed.outlet(seconds=600)
        await bed.labelled()
        bed.mark("stopped")
        await asyncio.to_thread(bed.broker.stop)
        await asyncio.sleep(AWAY_S / bed.speed)
        bed.broker.start()
        bed.mark("started")
        await bed.labelled(10)
        bed.outlets[-1].process.terminate()
        await bed.played()

    return play


def commanded(*payloads: bytes, times: int = 1) -> Play:
    """Somebody sends what is no command, or far too many."""

    async def play(bed: FaultyBed) -> None:
        bed.live("--stream", "source_id='device'", "--accept-commands")
        bed.outlet(seconds=600)
        await bed.labelled()
        bed.mark("sent")
        topics = [f"hemostream/{SESSION}/command/{name}" for name in ("event", "acknowledge", "other")]
        async with aiomqtt.Client("127.0.0.1", bed.broker.port) as desk:
            for _ in range(times):
                for payload in payloads:
                    for topic in topics:
                        await desk.publish(topic, payload, qos=0)
        await bed.until(lambda: bed.refused() > 0, "the status to count what was refused")
        bed.mark("refused")
        await bed.labelled(10)
        bed.outlets[-1].process.terminate()
        await bed.played()

    return play


async def broker_late(bed: FaultyBed) -> None:
    """There is no broker when the session starts."""
    await asyncio.to_thread(bed.broker.stop)
    bed.live("--stream", "source_id='device'")
    bed.outlet(seconds=600)
    await asyncio.sleep(AWAY_S / bed.speed)
    bed.broker.start()
    await bed.labelled(5)
    bed.outlets[-1].process.terminate()
    await bed.played()


async def full_disk(bed: FaultyBed) -> None:
    """The journal can grow no further, and then it can."""
    import resource

    bed.live("--stream", "source_id='device'")
    bed.outlet(seconds=900)
    await bed.labelled()
    assert bed.session is not None
    pid = bed.session.pid
    size = sum(path.stat().st_size for path in bed.folder.glob("bed.hemostream*"))
    bed.mark("full")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size // 2, resource.RLIM_INFINITY))
    await bed.until(lambda: bed.failing(), "the status to say that the journal fails")
    bed.mark("reported")
    await bed.labelled()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    bed.mark("room")
    await bed.until(lambda: not bed.failing(), "the journal to be written again")
    await bed.labelled()
    bed.outlets[-1].process.terminate()
    await bed.played()


async def raising(bed: FaultyBed) -> None:
    """The network raises for a while."""
    bed.live("--stream", "source_id='device'", through=("--raise", f"{30 / bed.speed}", f"{50 / bed.speed}"))
    bed.outlet(seconds=100)
    await bed.played()


async def wall_clock(bed: FaultyBed) -> None:
    """The wall clock is stepped by an hour."""
    bed.live("--stream", "source_id='device'", through=("--wall-step", f"{30 / bed.speed}", "3600"))
    bed.outlet(seconds=160)
    await bed.played()


async def two_alike(bed: FaultyBed) -> None:
    """Two streams match."""
    bed.outlet("--no-wait", seconds=100)
    bed.outlet("--no-wait", seconds=100)
    await bed.until(lambda: all(outlet.event_at("begin") for outlet in bed.outlets), "two outlets")
    bed.live("--stream", "source_id='device'")
    assert bed.session is not None
    await asyncio.to_thread(bed.session.wait)
    os.sync()


KILLED = ("killed", "started")

ROWS: Mapping[str, FaultRow] = {
    "nothing": FaultRow("nothing goes wrong", sent()),
    "gap 5 s": spoilt("5 s are not sent", "gap:at=35,seconds=5"),
    "gap 60 s": spoilt("60 s are not sent", "gap:at=35,seconds=60", seconds=150),
    "freeze": spoilt("held back for 60 s, then all at once", "freeze:at=35,seconds=60", seconds=150),
    "restart": FaultRow("outlet killed and started again", replaced(), marks=KILLED),
    "restart +1000 s": FaultRow(
        "started again with its stamps 1000 s ahead",
        replaced("--stamp-shift", "1000", comes_back=False),
        lies=True,
        marks=KILLED,
    ),
    "other rate": FaultRow("started again at another rate", replaced("--rate", "8"), marks=KILLED),
    "other order": FaultRow("started again, channels in another order", replaced("--reverse"), marks=KILLED),
    "fewer channels": FaultRow(
        "started again with channels missing", replaced("--drop-pairs", "1", comes_back=False), marks=KILLED
    ),
    "duplicates": spoilt("samples come twice", "duplicates:at=35,seconds=15"),
    "disorder": spoilt("samples change places", "disorder:at=35,seconds=15"),
    "nan": spoilt("no numbers", "nan:at=35,seconds=10"),
    "inf": spoilt("infinite values", "inf:at=35,seconds=10"),
    "saturation": spoilt("half the channels saturated", "saturation:at=35,seconds=12,share=0.5"),
    "flat": spoilt("half the channels flat", "flat:at=35,seconds=12,share=0.5"),
    "all bad": spoilt("all channels flat", "flat:at=35,seconds=12"),
    "drift": FaultRow("1000 ppm drift", sent(options=("--drift-ppm", "1000"), seconds=160)),
    "misdeclared": FaultRow("says 7.88 Hz, runs at 10", sent(options=("--declared-rate", "7.88"))),
    "misdeclared chunks": FaultRow(
        "the same, pushed in chunks of 10 with one stamp",
        sent(options=("--declared-rate", "8.5", "--chunk", "10"), seconds=120),
    ),
    "jitter": FaultRow("stamps off by up to 100 ms", sent("jitter:by=0.1")),
    "clock forward": spoilt("stamps jump 1000 s ahead", "clock:at=35,by=1000", lies=True),
    "clock back": spoilt("stamps jump 30 s back", "clock:at=35,by=-30", lies=True),
    "two alike": FaultRow("two streams match", two_alike),
    "broker away": FaultRow("broker stopped for 60 s", broker_away(), marks=("stopped", "started")),
    "broker away, signals": FaultRow(
        "the same while signals are published", broker_away("--signals"), marks=("stopped", "started")
    ),
    "flood of commands": FaultRow(
        "3,000 commands at once",
        commanded(b'{"id":"a","label":"x","who":"y"}', b"{", times=500),
        marks=("sent", "refused"),
    ),
    "malformed commands": FaultRow(
        "commands that are none",
        commanded(b"", b"{", b"\xff\x00", b"[" * 3000, b"x" * 100_000, b'{"id":"a","alarm":"1-1","who":""}'),
        marks=("sent", "refused"),
    ),
    "broker late": FaultRow("no broker at the start", broker_late),
    "stopped": FaultRow(
        "the session stopped (SIGSTOP) for 30 s", frozen_session, marks=("stopped", "continued")
    ),
    "killed": FaultRow("the session killed (kill -9), three times", killed_session),
    "full disk": FaultRow("no room for the journal", full_disk, marks=("full", "room")),
    "raising": FaultRow("the network raises", raising),
    "wall clock": FaultRow("the wall clock stepped by an hour", wall_clock),
}
"""By name, in the order of the table."""
