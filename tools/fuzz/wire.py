"""The same through real LSL outlets and a real broker, at real time: fewer inputs, everything real.

A session listens to one outlet and one marker stream.  Strange outlets come and go beside it, its own stamps
go wild, markers are no text, the outlet dies and what stands in its place is not it.  Before, the session's
run is asked for at a broker that keeps strange statuses under its name.
"""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pylsl

from models.bundle import Bundle
from realtime.core import Core, Plan
from realtime.core.stream_guard import fault_text
from realtime.inference import Inference
from realtime.log import Origin
from realtime.rerun import predict_log
from realtime.session.interfaces import SessionSettings
from realtime.session.session import Session
from realtime.sinks.journal.journal import JournalWriter, read_decisions, read_journal_entries
from realtime.sinks.mqtt.address import Address
from realtime.sinks.mqtt.runs import free_run
from realtime.sinks.mqtt.sink import MqttSink
from realtime.sources.lsl.source import LslSource, StreamChoice
from realtime.sources.lsl.stream_info import marker_info, stream_info
from realtime.status import Status
from tools.fuzz import hostile
from tools.fuzz.damage import Random
from tools.fuzz.hostile_bed import Met
from tools.fuzz.live_session import Watch

NAME = "fuzzed-bed"
BESIDE = 12
"""Strange outlets at a time."""
DEADLINE_S = 120.0
"""Longest wait for a session to decide again, s."""


class GoodOutlet:
    """The good device: samples by the clock, from a thread; at times with stamps that are none.

    Parameters
    ----------
    plan : Plan
        What it must send.
    random : numpy.random.Generator
        Where chance comes from.
    """

    def __init__(self, plan: Plan, random: Random) -> None:
        self._plan, self._random = plan, random
        self._ended = threading.Event()
        self.wild = 0.0
        """Share of samples with a wild stamp."""
        self.sent: Counter[str] = Counter()
        info = stream_info(plan.spec, name=NAME, source_id=NAME, origin=Origin())
        self._outlet: Any = pylsl.StreamOutlet(info)
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        due, number = pylsl.local_clock(), 0
        while not self._ended.is_set():
            time.sleep(max(due - pylsl.local_clock(), 0.0))
            stamp = due
            if self._random.random() < self.wild:
                stamp = float(hostile.stamps(np.array([due]), self._random)[0])
                self.sent["stamps"] += 1
            values = np.exp(0.01 * self._random.normal(size=len(self._plan.spec)))
            self._outlet.push_sample(values.tolist(), stamp if stamp not in (0.0, -1.0) else 1e-9)
            number += 1
            due += 1.0 / self._plan.spec.rate

    def close(self) -> None:
        """It dies."""
        self._ended.set()
        self._thread.join()
        del self._outlet


class Strangers:
    """Outlets of anybody's, which come and go."""

    def __init__(self, plan: Plan, random: Random, sent: Counter[str]) -> None:
        self._plan, self._random, self._sent = plan, random, sent
        self._outlets: list[Any] = []

    def come(self, count: int, source_id: str | None = None) -> None:
        """Some more; the oldest go.

        Parameters
        ----------
        count : int
            How many.
        source_id : str or None
            One that they claim to be; None for any.
        """
        for _ in range(count):
            info = hostile.header(len(self._plan.spec), self._random)
            if source_id is not None:
                rows, rate, kind = info.channel_count(), info.nominal_srate(), info.channel_format()
                info = pylsl.StreamInfo(info.name(), "NIRS", rows, rate, kind, source_id)
            self._outlets.append(pylsl.StreamOutlet(info))
            self._sent["outlets"] += 1
        del self._outlets[:-BESIDE]

    def go(self) -> None:
        """All go."""
        self._outlets.clear()


def ask_for_runs(url: str, count: int, random: Random, met: Met) -> None:
    """Keep strange statuses at a broker, and ask for the session's run each time."""
    import aiomqtt

    address = Address.parse(url, {})
    status = Status.lost(NAME, 1).to_json()

    async def ask() -> None:
        for _ in range(100):  # it may just have been started
            with suppress(OSError):
                socket.create_connection((address.host, address.port), timeout=1.0).close()
                break
            await asyncio.sleep(0.1)
        async with aiomqtt.Client(address.host, address.port) as client:
            for _ in range(count):
                payload = hostile.retained(status, random)
                await client.publish(f"hemostream/{NAME}/status", payload, qos=1, retain=True)
                met.inputs["retained"] += 1
                try:
                    run = await free_run(address, NAME, 1, on_trouble=lambda text: None)
                    SessionSettings(session=NAME, run=run)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                    met.undeclared.append(f"retained: {fault_text(error)}")
            await client.publish(f"hemostream/{NAME}/status", b"", qos=1, retain=True)

    asyncio.run(ask())


def run(
    bundle: Bundle,
    journal: Path,
    url: str,
    inputs: int,
    seed: int,
    tell: Callable[[str], None] = lambda text: None,
) -> Met:
    """Run one session on the wire.

    Parameters
    ----------
    bundle : Bundle
        Its classifier.
    journal : Path
        A new file.
    url : str
        A broker's.
    inputs : int
        How many markers and retained messages, half each; stamps and outlets come beside them.
    seed : int
        Which.
    tell : callable of str
        Told how far it is.
    """
    met, watch = Met(), Watch()
    random = np.random.default_rng(seed)
    plan = Plan.from_card(bundle.card)
    ask_for_runs(url, inputs // 2, np.random.default_rng(seed + 1), met)
    tell("asked for runs")
    choice = StreamChoice(predicate=f"source_id='{NAME}'", events=f"source_id='{NAME}-markers'", wait_s=30.0)
    outlet = GoodOutlet(plan, np.random.default_rng(seed + 2))
    markers = pylsl.StreamOutlet(marker_info(name=NAME, source_id=f"{NAME}-markers", origin=Origin()))
    inference = Inference(bundle, device="cpu")
    session = Session(
        bundle,
        inference=inference,
        make_source=lambda emit, failed: LslSource(
            choice, emit=emit, failed=failed, fits=lambda opened: Core(plan).feed(opened)
        ),
        settings=SessionSettings(session=NAME, local_clock=pylsl.local_clock),
        broker=MqttSink(url, session=NAME, last_will="{}", on_trouble=lambda text: None, environ={}),
        journal=JournalWriter(journal, on_trouble=met.undeclared.append),
        observer=watch,
    )
    thread = threading.Thread(target=_run, args=(session, met), daemon=True)
    thread.start()
    strangers = Strangers(plan, random, met.inputs)
    try:
        _wait(watch, 3)
        tell("decides")
        outlet.wild = 0.2
        for number in range(inputs // 2):
            markers.push_sample([hostile.marker(random).replace(b"\0", b"")], pylsl.local_clock())
            met.inputs["markers"] += 1
            if number % 50 == 0:
                strangers.come(4)
                time.sleep(0.5)
        outlet.wild = 0.0
        tell("the outlet dies")
        for _ in range(3):
            outlet.close()
            met.inputs.update(outlet.sent)
            strangers.come(BESIDE, NAME)
            time.sleep(4.0)
            strangers.go()
            outlet = GoodOutlet(plan, random)
            time.sleep(3.0)
        before = len(watch.decisions)
        _wait(watch, 3, before)
        met.labelled_after = sum(not decision.abstained for decision in watch.decisions[before:])
    finally:
        _stop(session)
        thread.join(60.0)
        outlet.close()
        del markers
    met.faults, met.fault = session._feed.faults, session._feed.fault
    met.decisions = len(watch.decisions)
    met.labelled = sum(not decision.abstained for decision in watch.decisions)
    met.failures = {f"{part}: {why}" for status in watch.statuses for part, why in status.failing.items()}
    met.status = watch.statuses[-1] if watch.statuses else None
    again = predict_log(read_journal_entries(journal), bundle, inference)
    met.same = list(read_decisions(journal)) == [decision.to_json() for decision in again]
    return met


def _run(session: Session, met: Met) -> None:
    async def main() -> None:
        session.loop = asyncio.get_running_loop()  # type: ignore[attr-defined]
        await session.run()

    try:
        asyncio.run(main())
    except Exception as error:  # noqa: BLE001 - what ends a session is what is looked for
        met.ended = fault_text(error)


def _stop(session: Session) -> None:
    loop = getattr(session, "loop", None)
    if loop is not None and not loop.is_closed():
        loop.call_soon_threadsafe(session.stop)


def _wait(watch: Watch, count: int, since: int = 0) -> None:
    """Until so many windows more have a label."""
    deadline = time.monotonic() + DEADLINE_S
    while sum(not decision.abstained for decision in watch.decisions[since:]) < count:
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
