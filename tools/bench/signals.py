"""``python -m tools.bench.signals``: what publishing signals costs a session.

The same stream through the same core twice, as fast as it goes: without a watcher, and with one whose
messages go to the embedded broker (a process of its own) once a stream second.  CPU time of this process over
stream time; a network is not computed.
"""

import asyncio
import json
import time
from typing import Any

import numpy as np
from cyclopts import App

from models.errors import HemostreamError
from realtime.core import Core, Plan
from realtime.log import ClockMeasured, Origin, Produced, Received, SessionStarted, StreamOpened
from realtime.quality.policy import Policy
from realtime.session.signals import SignalCollector
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sinks.mqtt.broker import EmbeddedBroker
from realtime.sinks.mqtt.sink import MqttSink
from tools.bench.machine import describe_machine, load_average

app = App(name="signals", help="What publishing signals costs a session.", help_format="plaintext")

CHANNELS, RATE = 104, 10.0
PIPELINE = (
    {"stage": "optical_density", "baseline_s": 10.0},
    {"stage": "resample", "rate": RATE, "measure_s": 10.0},
    {"stage": "beer_lambert"},
    {"stage": "bandpass", "low": 0.01, "high": 0.2},
)


def spec() -> SignalSpec:
    """104 channels of intensity: 52 pairs at two wavelengths."""
    return SignalSpec(
        tuple(
            Channel(
                name=f"S{p}_D{p} {wavelength:.0f}",
                kind=Kind.INTENSITY,
                unit="V",
                source=p,
                detector=p,
                wavelength=wavelength,
                distance=0.03,
            )
            for p in range(1, CHANNELS // 2 + 1)
            for wavelength in (760.0, 850.0)
        ),
        RATE,
    )


async def once(seconds: int, sink: MqttSink | None) -> tuple[float, list[int]]:
    """CPU seconds of a stream of so many seconds, and the bytes of each message; without a sink none."""
    signal = spec()
    plan = Plan(spec=signal, pipeline=PIPELINE, labels=("rest", "task"), policy=Policy(), model_hash="0" * 64)
    core = Core(plan)
    collector = SignalCollector("bench", 1, plan.policy)
    if sink is not None:
        core.watcher = collector
    core.feed(SessionStarted(0.0, "bench", 1, plan.model_hash))
    core.feed(StreamOpened(0.0, signal, Origin(), "device", measured=True))
    core.feed(ClockMeasured(0.0, 0.0, 1.7e9, uncertainty=0.0))
    rng = np.random.default_rng(0)
    data = np.exp(0.01 * rng.normal(size=(CHANNELS, int(seconds * RATE))))
    sizes: list[int] = []
    before = 0 if sink is None else sink.side.sent["signals"]
    begun = time.process_time()
    for at in range(data.shape[1]):
        now = (at + 1) / RATE
        entry = Received(now, np.array([at / RATE]), data[:, at : at + 1])
        for window in core.feed(entry):
            logits = None if window.data is None else np.zeros(2, dtype=np.float32)
            core.decide(window, logits, Produced(now, window.sequence, 1)).to_json()
        if sink is not None and (at + 1) % round(RATE) == 0:
            signals = collector.take(seconds=1.0, dropped=0, utc=lambda stream: 1.7e9 + stream)
            if signals is not None:
                text = signals.to_json()
                sizes.append(len(text.encode()))
                sink.side.send("signals", text)
                while sink.side.sent["signals"] < before + len(sizes):  # in reality there is a second
                    await asyncio.sleep(0.002)
    spent = time.process_time() - begun
    return spent, sizes


async def measure(seconds: int, rounds: int) -> dict[str, Any]:
    """Rounds without and with signals by turns."""
    without, with_signals, sizes = [], [], []
    with EmbeddedBroker(on_trouble=lambda text: None) as broker:
        sink = MqttSink(
            broker.url_v5,
            session="bench",
            last_will="{}",
            on_trouble=lambda text: None,
            environ=dict(broker.environ),
        )
        async with sink:
            for _ in range(500):
                if sink.connected:
                    break
                await asyncio.sleep(0.02)
            if not sink.connected:
                raise HemostreamError("The embedded broker cannot be reached.")
            await once(30, None)
            for _ in range(rounds):
                without.append((await once(seconds, None))[0] / seconds)
                spent, found = await once(seconds, sink)
                with_signals.append(spent / seconds)
                sizes += found
                await asyncio.sleep(0.1)
            sent, dropped = sink.side.sent["signals"], sink.side.dropped["signals"]
    return {
        "channels": CHANNELS,
        "rate": RATE,
        "stream_seconds": seconds,
        "rounds": rounds,
        "core_share_without": [round(each, 5) for each in without],
        "core_share_with": [round(each, 5) for each in with_signals],
        "share_of_signals_median": round(float(np.median(with_signals) - np.median(without)), 5),
        "message_bytes": {"median": int(np.median(sizes)), "most": max(sizes)},
        "sent": sent,
        "dropped": dropped,
        "load_average": load_average(),
        "machine": describe_machine(),
    }


@app.default
def main(seconds: int = 60, rounds: int = 5) -> None:
    """Measure what publishing signals costs a session.

    Parameters
    ----------
    seconds : int
        Length of the stream, s.
    rounds : int
        How often, without and with signals by turns.
    """
    print(json.dumps(asyncio.run(measure(seconds, rounds)), indent=2))


if __name__ == "__main__":
    app()
