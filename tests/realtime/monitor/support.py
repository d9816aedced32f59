"""A made-up ward on a real broker, the real monitor, and a record of what a page drew."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from playwright.sync_api import Page

from realtime.status import State, Status
from tests.realtime.sinks.support import Mosquitto
from tools.bench.ward_scene import LABELS, WINDOW, Actor

HOUSE = Path(__file__).resolve().parents[3]
KEY = "a-key-of-the-tests"

RECORD = """
window.drawn = [];
setInterval(() => {
  const at = (performance.timeOrigin + performance.now()) / 1000;
  for (const tile of document.querySelectorAll(".tile, .now")) {
    if (tile.dataset.current !== "true") continue;
    const name = tile.querySelector(".name")?.textContent ?? document.querySelector("h1")?.textContent;
    window.drawn.push([at, name, tile.querySelector(".word").textContent]);
  }
}, 40);
"""
"""Notes every 40 ms which labels are drawn as current, by a clock that no test sets."""


class Ward:
    """Sessions that publish once a second, each until it stalls or is killed."""

    def __init__(self, broker: Mosquitto, *actors: Actor) -> None:
        self.broker = broker
        self.actors = {actor.session: actor for actor in actors}
        self.made: list[tuple[float, str, str]] = []
        """When each label was made (wall clock, s), of whom, and which."""
        self.killed: set[str] = set()
        self.sequence = 300
        self.signals = False
        self._over = threading.Event()
        self._clients: dict[str, paho.Client] = {}
        for actor in actors:
            self._connect(actor)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _connect(self, actor: Actor) -> None:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"test-{actor.session}")
        will = Status.lost(actor.session, actor.run).to_json()
        client.will_set(actor.topic("status"), will, qos=1, retain=True)
        client.reconnect_delay_set(1, 1)

        def connected(*_: Any) -> None:
            self.tell(actor)

        client.on_connect = connected
        self._clients[actor.session] = client
        client.connect("127.0.0.1", self.broker.port, keepalive=60)
        client.loop_start()

    def send(self, actor: Actor, what: str, text: str | bytes, *, retain: bool = False) -> None:
        self._clients[actor.session].publish(actor.topic(what), text, qos=1, retain=retain)

    def tell(self, actor: Actor) -> None:
        """Publish its status and channels."""
        self.send(actor, "status", actor.status(time.time()), retain=True)
        self.send(actor, "channels", actor.channels(), retain=True)

    def stall(self, name: str) -> None:
        actor = self.actors[name]
        actor.state, actor.since, actor.reason = State.STALLED, time.time(), "no samples"
        self.tell(actor)

    def kill(self, name: str) -> None:
        """End its connection without a goodbye."""
        self.killed.add(name)
        client = self._clients[name]
        client.loop_stop()
        sock = client.socket()
        assert sock is not None
        sock.close()

    def hush(self, name: str) -> None:
        """Let it be connected and say nothing any more, as a process that hangs."""
        self.killed.add(name)

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        for client in self._clients.values():
            client.loop_stop()

    def _run(self) -> None:
        while not self._over.wait(1.0):
            self.sequence += 1
            for name, actor in self.actors.items():
                if name in self.killed:
                    continue
                now = time.time()
                client = self._clients[name]
                if client.is_connected():
                    client.publish(actor.topic("alive"), actor.alive(now), qos=0)
                if actor.state is not State.LIVE:
                    continue
                label = LABELS[self.sequence % 2]
                text = actor.decision(
                    self.sequence,
                    now,
                    label=label,
                    reasons=(),
                    probabilities={other: 0.9 if other == label else 0.1 for other in LABELS},
                )
                self.made.append((now - 0.05, name, label))
                if client.is_connected():
                    client.publish(actor.topic("decision"), text, qos=1)
                    if self.signals:
                        client.publish(actor.topic("signals"), actor.signals(1000.0 + self.sequence), qos=0)

    def stale(self, drawn: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
        """What was drawn as current and was not the label of a decision within its policy."""
        return [
            (at, name, word)
            for at, name, word in drawn
            if not any(
                who == name and label == word and -0.1 <= at - made <= WINDOW["max_age_s"] + 0.05
                for made, who, label in self.made
            )
        ]


class MonitorProcess:
    """The real command."""

    def __init__(self, broker_url: str, *options: str, port: int = 0, **environ: str) -> None:
        command = [sys.executable, "-m", "tools.cli", "monitor", "--broker", broker_url, "--port", str(port)]
        self.process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=HOUSE,
            env={**os.environ, "HEMOSTREAM_MONITOR_KEY": KEY, **environ},
        )
        assert self.process.stdout is not None
        self.address = ""
        for line in self.process.stdout:
            if line.startswith("http"):
                self.address = line.strip()
                break
        assert self.address, "the monitor ended before it listened"
        self.origin = "/".join(self.address.split("/")[:3])
        self.port = int(self.origin.rpartition(":")[2])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def wait_for(page: Page, condition: str, within_s: float = 10.0) -> float:
    """Wait until an expression in the page holds; how long that took, s."""
    # Not wait_for_function: the page's policy forbids what it does.
    began = time.monotonic()
    while not page.evaluate(condition):
        assert time.monotonic() - began < within_s, f"waited {within_s:g} s in vain for {condition}"
        page.wait_for_timeout(25)
    return time.monotonic() - began


def tile(name: str) -> str:
    """A tile as an expression in the page."""
    named = f"(each) => each.querySelector('.name').textContent === {name!r}"
    return f"[...document.querySelectorAll('.tile')].find({named})"


def drawn(page: Page) -> list[tuple[float, str, str]]:
    """What the record holds."""
    return [tuple(each) for each in page.evaluate("window.drawn")]
