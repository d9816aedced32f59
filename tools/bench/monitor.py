"""``python -m tools.bench.monitor``: what the ward's page costs, and how quickly it shows a decision.

A made-up ward on mosquitto, the real command, Chromium without a window.  Beside the page an MQTT subscriber
receives the same decisions: the floor of how quickly anything can be shown.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, Page, sync_playwright

from realtime.monitor.assets import read_assets
from realtime.monitor.beds import Beds
from tools.bench.monitor_pictures import monitor, mosquitto
from tools.bench.ward_scene import Actor

FRAMES = """() => new Promise((done) => {
  const times = []; let before = performance.now();
  const frame = (now) => { times.push(now - before); before = now;
    now < end ? requestAnimationFrame(frame) : done(times.slice(1)); };
  const end = performance.now() + %d; requestAnimationFrame(frame); })"""
TASKS = """() => { window.long = [];
  const note = (list) => window.long.push(...list.getEntries().map((each) => each.duration));
  new PerformanceObserver(note).observe({ type: "longtask" }); }"""
SHOWN = """() => { window.shown = {}; const look = () => {
  const label = document.querySelector(".now .word")?.textContent;
  const at = (performance.timeOrigin + performance.now()) / 1000;
  if (label && !(label in window.shown)) window.shown[label] = at; };
  const all = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.body, all); }"""


def at(values: Sequence[float], share: float) -> float:
    """A quantile."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid: int) -> float:
    """Memory of a process, MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Load:
    """Publishes for many beds, spread over each second."""

    def __init__(self, port: int, beds: Sequence[Actor]) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.beds, self.sequence = beds, 0
        self.signals: set[str] = set()
        self._over = threading.Event()
        now = time.time()
        for bed in beds:
            self.client.publish(bed.topic("status"), bed.status(now), qos=1, retain=True)
            self.client.publish(bed.topic("channels"), bed.channels(), qos=1, retain=True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more."""
        self._over.set()
        self._thread.join()
        self.client.loop_stop()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._over.is_set():
            self.sequence += 1
            for place, bed in enumerate(self.beds):
                due = began + self.sequence - 1 + place / len(self.beds)
                if self._over.wait(max(0.0, due - time.monotonic())):
                    return
                now = time.time()
                self.client.publish(bed.topic("alive"), bed.alive(now))
                self.client.publish(bed.topic("decision"), bed.decision(self.sequence, now), qos=1)
                if bed.session in self.signals:
                    self.client.publish(bed.topic("signals"), bed.signals(1000.0 + self.sequence))


def frames(page: Page, seconds: float) -> dict[str, float]:
    """Frame times (ms) over so long, and the longest the page was busy at once."""
    page.evaluate(TASKS)
    found = page.evaluate(FRAMES % (seconds * 1000))
    long = page.evaluate("() => window.long")
    return {
        "frames": len(found),
        "frame_ms_p50": round(at(found, 0.5), 1),
        "frame_ms_p95": round(at(found, 0.95), 1),
        "frame_ms_most": round(max(found), 1),
        "tasks_over_50_ms": len(long),
    }


def many(browser: Browser, port: int, seconds: float) -> dict[str, Any]:
    """300 beds, 5 pages: one bed's own with 104 channels at 10 Hz, four overviews."""
    with monitor(port) as (address, pid):
        beds = [Actor(f"bed-{n}", pairs=52 if n == 0 else 4) for n in range(300)]
        load = Load(port, beds)
        load.signals.add("bed-0")
        context = browser.new_context(viewport={"width": 1600, "height": 1000})
        first = context.new_page()
        first.goto(address)
        home = address.split("/enter")[0]
        pages = [first, *(context.new_page() for _ in range(4))]
        for page in pages[1:4]:
            page.goto(home + "/")
        pages[4].goto(home + "/#/bed/bed-0")
        first.wait_for_timeout(5000)
        shown = first.locator(".tile").count()
        # Tabs behind others draw nothing: each is brought to the front for its frames.
        before, since = cpu_s(pid), time.monotonic()
        pages[0].bring_to_front()
        overview = frames(pages[0], seconds)
        pages[4].bring_to_front()
        bed = frames(pages[4], seconds)
        share = (cpu_s(pid) - before) / (time.monotonic() - since)
        result = {
            "tiles": shown,
            "overview": overview,
            "bed_104_channels": bed,
            "server_cpu_percent": round(100 * share, 1),
            "server_rss_mib": round(rss_mib(pid), 1),
        }
        context.close()
        load.end()
        for actor in beds:
            load.client.publish(actor.topic("status"), b"", retain=True)
        return result


def shown_after(browser: Browser, port: int, count: int) -> dict[str, Any]:
    """From the publishing of a decision to the page's DOM, and to a subscriber, ms."""
    with monitor(port) as (address, _):
        actor = Actor("bed-1")
        received: dict[str, float] = {}
        subscriber = paho.Client(CallbackAPIVersion.VERSION2)

        def on_message(_: Any, __: Any, message: Any) -> None:
            received.setdefault(json.loads(message.payload)["label"], time.time())

        subscriber.on_message = on_message
        subscriber.connect("127.0.0.1", port)
        subscriber.subscribe("hemostream/bed-1/decision", qos=1)
        subscriber.loop_start()
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.publish(actor.topic("status"), actor.status(time.time()), qos=1, retain=True)
        page = browser.new_page()
        page.goto(address)
        page.goto(address.split("/enter")[0] + "/#/bed/bed-1")
        sent: dict[str, float] = {}
        for sequence in range(count + 5):
            now = time.time()
            if sequence % 4 == 0:
                client.publish(actor.topic("alive"), actor.alive(now))
            if sequence == 4:
                page.evaluate(SHOWN)
            label = f"label {sequence}"
            text = actor.decision(
                sequence, now, label=label, reasons=(), probabilities={label: 0.9, "other": 0.1}
            )
            sent[label] = time.time()
            client.publish(actor.topic("decision"), text, qos=1)
            page.wait_for_timeout(250)
        shown = page.evaluate("() => window.shown")
        page.close()
        subscriber.loop_stop()
        client.loop_stop()
    labels = [label for label in sent if label in shown and label in received]
    page_ms = [(shown[label] - sent[label]) * 1e3 for label in labels]
    subscriber_ms = [(received[label] - sent[label]) * 1e3 for label in labels]
    return {
        "decisions": len(labels),
        "page_ms_p50": round(statistics.median(page_ms), 1),
        "page_ms_p99": round(at(page_ms, 0.99), 1),
        "subscriber_ms_p50": round(statistics.median(subscriber_ms), 1),
        "subscriber_ms_p99": round(at(subscriber_ms, 0.99), 1),
    }


def day(hours: int, beds: int) -> dict[str, Any]:
    """Memory of what the server keeps while stream hours go by, as fast as they can be taken."""
    now = [0.0]
    kept = Beds(lambda: now[0])
    kept.broker(True)
    actors = [Actor(f"bed-{n}", start=1.8e9, pairs=4) for n in range(beds)]
    for actor in actors:
        kept.take(actor.topic("status"), actor.status(1.8e9).encode())
    kept.follow("bed-0")
    kept.take(actors[0].topic("channels"), actors[0].channels().encode())
    texts = [actor.decision(0, 1.8e9) for actor in actors]
    by_hour = []
    for second in range(hours * 3600):
        now[0] = float(second)
        for actor, text in zip(actors, texts, strict=True):
            kept.take(actor.topic("alive"), actor.alive(1.8e9 + second).encode())
            again = text.replace('"sequence":0,', f'"sequence":{second},', 1)
            kept.take(actor.topic("decision"), again.encode())
        if second % 60 == 0:
            kept.take(actors[0].topic("signals"), actors[0].signals(1000.0 + second).encode())
        if second % 3600 == 3599:
            by_hour.append(round(rss_mib(os.getpid()), 1))
    return {"stream_hours": hours, "beds": beds, "rss_mib_by_hour": by_hour, "refused": kept.refused}


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="for each page's frames")
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--beds", type=int, default=4, help="of the accelerated day")
    given = parser.parse_args()
    chromium = os.environ.get("HEMOSTREAM_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is absent; install it (Debian: apt-get install chromium)")
    assets = {name: asset for name, asset in read_assets().items() if not name.endswith(".txt")}
    found: dict[str, Any] = {
        "page_bytes": sum(len(asset.content) for asset in assets.values()),
        "page_bytes_sent": sum(len(asset.packed) for asset in assets.values()),
        "load_average": os.getloadavg()[0],
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        mosquitto(Path(folder)) as port,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found["shown"] = shown_after(browser, port, given.decisions)
        found["many"] = many(browser, port, given.seconds)
        browser.close()
    found["day"] = day(given.hours, given.beds)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
