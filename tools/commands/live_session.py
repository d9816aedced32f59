"""The session of ``hemostream live``, put together from its parts and run to its end."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.event_loop import run_async
from tools.messages import say

if TYPE_CHECKING:
    from models.bundle import Bundle
    from realtime.session.interfaces import SessionSettings
    from realtime.session.session import Session
    from realtime.sinks import Sink
    from realtime.sinks.mqtt.sink import MqttSink
    from realtime.sources.lsl.source import StreamChoice
    from tools.view import View


def first_after(bundle: "Bundle") -> float:
    """Stream seconds from a session's first sample to its first possible decision."""
    from realtime.core import Plan
    from realtime.pipeline import Pipeline

    plan = Plan.from_card(bundle.card)
    return Pipeline(plan.pipeline, plan.spec).warmup_s + plan.length_s


def bedside(
    bundle: "Bundle",
    choice: "StreamChoice",
    *,
    settings: "SessionSettings",
    journal: Path,
    broker: "MqttSink",
    sinks: "Sequence[Sink]" = (),
    device: str = "auto",
    view: "View | None" = None,
) -> "Session":
    """Put a session together from its parts."""
    from dataclasses import replace

    import pylsl

    from realtime.core import Plan
    from realtime.inference import Inference, one_thread
    from realtime.session.session import Session
    from realtime.sinks.journal.journal import JournalWriter
    from realtime.sources.lsl.source import LslSource
    from realtime.sources.stream_checks import check_model

    one_thread()
    plan = Plan.from_card(bundle.card)
    # What was imported stays: a collection that goes through all of it takes a tenth of a second,
    # and would come in the middle of some decision.
    gc.collect()
    gc.freeze()
    return Session(
        bundle,
        inference=Inference(bundle, device=device),
        # What comes in the place of a lost stream is tried on a core of its own first.
        make_source=lambda emit, failed: LslSource(
            choice, emit=emit, failed=failed, fits=lambda opened: check_model(plan, opened)
        ),
        settings=replace(settings, local_clock=pylsl.local_clock),
        broker=broker,
        sinks=sinks,
        journal=JournalWriter(journal, on_trouble=print_trouble),
        observer=view,
    )


def print_trouble(message: str) -> None:
    """Report trouble at once, on the error stream; where that is gone, it is lost."""
    from models.outside import printable

    with contextlib.suppress(OSError, ValueError):
        say(f"hemostream: {printable(message, None, lines=True)}", error=True)


def run_loop(session: "Session", before: Coroutine[Any, Any, None] | None = None) -> None:
    """Run a session to its end; Ctrl-C, SIGTERM and a terminal that is closed end it cleanly.

    What is to be done before is awaited first; where it raises, the session never begins.
    """

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # nohup has hang-ups ignored, and so it stays.
            if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
                continue
            # Windows' loop knows no signal handlers; there Ctrl-C cancels the task instead.
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, session.stop)
        if before is not None:
            try:
                await before
            except BaseException:
                await session.abandon()
                raise
        await session.run()

    run_async(main())


@contextlib.contextmanager
def leaving_nothing() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what is begun before the loop as an error does, not on the spot.

    Else the broker's folder stays, and its password with it.
    """

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def remove_journal(path: Path) -> None:
    """Remove a journal in which nothing was written down: no stream was ever heard."""
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
