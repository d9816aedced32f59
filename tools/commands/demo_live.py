"""The demo's live half: a replay in a process of its own, a session, and an independent subscriber."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import pylsl

from models.bundle import Bundle
from models.errors import StreamError
from offline.base.remarks import show_remarks
from offline.recordings import read_recording
from offline.samples.recipe import Recipe
from realtime.decision import Decision
from realtime.session.interfaces import SessionSettings
from realtime.session.session import Session
from realtime.sinks.journal.journal import next_run
from realtime.sinks.mqtt.broker import EmbeddedBroker
from realtime.sinks.mqtt.sink import MqttSink
from realtime.sinks.mqtt.tls import PASSWORD, PASSWORD_FILE, USER
from realtime.sources.lsl.source import StreamChoice
from realtime.sources.recording import Recording
from realtime.status import Status
from tools.commands.live_session import bedside, first_after, print_trouble
from tools.event_loop import run_async
from tools.monitor_process import monitor_beside
from tools.plot import plot_decisions
from tools.view import View

SESSION = "demo"
SOURCE_ID = "hemostream-demo"


class DemoSubscriber:
    """An MQTT client that knows nothing of the session but its topic."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._host, _, port = url.removeprefix("mqtt://").partition(":")
        self._port = int(port)
        self.received: list[tuple[float, Decision]] = []
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Subscribe and note each decision with the time at which it was in hand."""
        async with aiomqtt.Client(
            self._host, self._port, username=self._user, password=self._password
        ) as client:
            await client.subscribe(f"hemostream/{SESSION}/decision", qos=1)
            self.ready.set()
            async for message in client.messages:
                now = pylsl.local_clock()
                assert isinstance(message.payload, bytes)
                self.received.append((now, Decision.from_json(message.payload)))


def truth_of(recipe: Recipe, recording: Recording) -> Callable[[Decision], str | None]:
    """The true label of a decided window; None between the blocks."""
    step = recipe.window.step_s

    def truth(decision: Decision) -> str | None:
        # Sample 0 of the recording was the session's first, so it anchors the grid.
        shift = float(recording.times[0]) - (decision.window_start - decision.sequence * step)
        return recipe.labels.label_of(
            decision.window_start + shift, decision.window_end + shift, recording.events
        )

    return truth


def stream_and_classify(
    bundle: Bundle, recipe: Recipe, path: Path, folder: Path, *, seconds: float, view: bool, page: bool
) -> dict[str, Any]:
    """Stream a recording in real time and classify it live.

    Returns
    -------
    dict
        Counts, latency (ms, from the push of a window's completing sample to the subscriber's
        hand), and accuracy over classified and labelled windows, with the majority rate.
    """
    recording = read_recording(path)
    show_remarks(recording, path)
    truth = truth_of(recipe, recording)
    command = [sys.executable, "-m", "tools.cli", "replay", str(path)]
    command += ["--source-id", SOURCE_ID, "--kind", "simulated", "--wait", "60"]
    log = (folder / "replay.log").open("w")
    with log, contextlib.ExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker(on_trouble=print_trouble))
        if page:
            others = {name: value for name, value in os.environ.items() if name != PASSWORD_FILE}
            stack.enter_context(monitor_beside(broker.url, {**others, **broker.environ}))
        replay = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[2]
        )
        stack.callback(replay.wait)
        stack.callback(replay.terminate)
        shown = None
        if view:
            title = "hemostream demo · simulated person"
            shown = stack.enter_context(View(title, first_after_s=first_after(bundle), truth=truth))
        try:
            received = run_async(_live(bundle, broker, folder, seconds, shown))
        except StreamError as error:
            if replay.poll() is None:
                raise
            output = (folder / "replay.log").read_text(encoding="utf-8").strip()
            raise StreamError(
                f"The replay ended before it was taken. It wrote: {output or 'nothing'}"
            ) from error
    plot = plot_decisions(
        [decision for _, decision in received],
        folder / "decisions.png",
        title="Simulated person, not trained on. Research use only.",
        truth=truth,
    )
    return {**summarise(received, truth, recording), "plot": str(plot)}


async def _live(
    bundle: Bundle, broker: EmbeddedBroker, folder: Path, seconds: float, view: View | None
) -> list[tuple[float, Decision]]:
    subscriber = DemoSubscriber(broker.url, broker.environ[USER], broker.environ[PASSWORD])
    listening = asyncio.create_task(subscriber.run(), name="demo-subscriber")
    await subscriber.ready.wait()
    choice = StreamChoice(predicate=f"source_id='{SOURCE_ID}'", allow_replay=True, wait_s=60.0)
    journal = folder / "demo.hemostream"
    run = next_run(journal, SESSION)
    session: Session = bedside(
        bundle,
        choice,
        settings=SessionSettings(
            session=SESSION, run=run, seconds=seconds, signals=True, accept_commands=True
        ),
        journal=journal,
        broker=MqttSink(
            broker.url_v5,
            session=SESSION,
            last_will=Status.lost(SESSION, run).to_json(),
            on_trouble=print_trouble,
            environ=broker.environ,
        ),
        view=view,
    )
    await session.run()
    deadline = pylsl.local_clock() + 5.0
    while sum(d.count for _, d in subscriber.received) < session.decisions and pylsl.local_clock() < deadline:
        await asyncio.sleep(0.02)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    return subscriber.received


def summarise(
    received: list[tuple[float, Decision]],
    truth: Callable[[Decision], str | None],
    recording: Recording,
) -> dict[str, Any]:
    """The demo's figures from what the subscriber received, local times (s) and decisions."""
    period = 1.0 / recording.spec.rate
    predicted = [(at, d) for at, d in received if not d.abstained]
    # The completing sample is the last one before the window's end; it was due one period before it.
    latencies = [at - (d.window_end - period) for at, d in predicted]
    pairs = [(true, d.label) for _, d in predicted if (true := truth(d)) is not None]
    counts = {label: sum(true == label for true, _ in pairs) for label in {true for true, _ in pairs}}
    return {
        "decisions": sum(d.count for _, d in received),
        "abstained": sum(d.count for _, d in received if d.abstained),
        "labelled": len(pairs),
        "latency_ms_p50": _ms(latencies, 50),
        "latency_ms_p99": _ms(latencies, 99),
        "accuracy": round(sum(true == label for true, label in pairs) / len(pairs), 3) if pairs else None,
        "majority_rate": round(max(counts.values()) / len(pairs), 3) if pairs else None,
        "windows_by_label": dict(sorted(counts.items())),
    }


def _ms(seconds: list[float], percentile: float) -> float | None:
    return round(float(np.percentile(seconds, percentile)) * 1e3, 2) if seconds else None
