"""``python -m tools.bench.monitor_pictures FOLDER``: the guide's pictures of the page, of a made-up ward.

Needs mosquitto, Chromium and the packages of the tests.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from PIL import Image
from playwright.sync_api import sync_playwright

from realtime.status import State
from tools.bench.ward_scene import Actor, alarm

BEHIND_S = 300
"""So long the ward was there before anybody looked."""
SIGNALS_S = 62


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A broker on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        sys.exit("mosquitto is absent; install it (Debian: apt-get install mosquitto)")
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([found, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def monitor(port: int) -> Iterator[tuple[str, int]]:
    """The real command; its address and its process."""
    command = [
        sys.executable,
        "-m",
        "tools.cli",
        "monitor",
        "--broker",
        f"mqtt://127.0.0.1:{port}",
        "--port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = next((line.strip() for line in process.stdout if line.startswith("http")), "")
        if not address:
            sys.exit("the monitor did not start")
        yield address, process.pid
    finally:
        process.kill()
        process.wait()


def ward(now: float) -> list[Actor]:
    """Eight sessions, not all of them well."""
    beds = [Actor(f"bed-{number}", start=now - BEHIND_S) for number in range(1, 9)]
    beds[2].state, beds[2].reason, beds[2].since = State.STALLED, "no samples come", now - 14
    beds[5].bad = (3, 6)
    beds[6].state, beds[6].since = State.BASELINE, now - 21
    beds[7].origin = "simulated"
    return beds


class PicturedWard:
    """Publishes for all of them, once a second."""

    def __init__(self, port: int, beds: list[Actor]) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.max_queued_messages_set(0)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.beds = beds
        self.silent: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sequence = BEHIND_S

    def begin(self) -> None:
        """What is there when the page is opened."""
        now = time.time()
        for bed in self.beds:
            self.client.publish(bed.topic("status"), bed.status(now), qos=1, retain=True)
            self.client.publish(bed.topic("channels"), bed.channels(), qos=1, retain=True)
            self.client.publish(bed.topic("alive"), bed.alive(now))
        stalled = alarm("1", "stream stalled", "high", "no samples come", now - 10)
        unfit = alarm("1", "signal unfit", "medium", "scalp coupling: S2_D2, S3_D4", now - 40)
        self.client.publish(self.beds[2].topic("alarms"), self.beds[2].alarms(stalled), qos=1, retain=True)
        self.client.publish(self.beds[5].topic("alarms"), self.beds[5].alarms(unfit), qos=1, retain=True)
        for sequence in range(BEHIND_S):
            for bed in self.beds:
                if bed.state is State.BASELINE or (bed is self.beds[5] and 150 < sequence < 172):
                    continue
                made = now - BEHIND_S + sequence
                moved = bed is self.beds[5] and 95 < sequence < 107
                text = bed.abstention(sequence, made, "motion") if moved else bed.decision(sequence, made)
                what = "decision" if sequence >= BEHIND_S - 48 and bed.state is State.LIVE else "history"
                self.client.publish(bed.topic(what), text, qos=1)
        self._thread.start()

    def fill_signals(self, bed: Actor) -> None:
        """The minute of signals that a page would have seen."""
        for second in range(SIGNALS_S):
            self.client.publish(
                bed.topic("signals"), bed.signals(1000.0 + self.sequence - SIGNALS_S + second)
            )

    def end(self) -> None:
        """No more."""
        self._over.set()
        self._thread.join()
        self.client.loop_stop()

    def _run(self) -> None:
        while not self._over.wait(1.0):
            self.sequence += 1
            for bed in self.beds:
                if bed.session in self.silent:
                    continue
                now = time.time()
                self.client.publish(bed.topic("alive"), bed.alive(now))
                if bed.state is not State.LIVE:
                    continue
                abstains = bed is self.beds[4]
                text = (
                    bed.abstention(self.sequence, now, "motion")
                    if abstains
                    else bed.decision(self.sequence, now)
                )
                self.client.publish(bed.topic("decision"), text, qos=1)
                self.client.publish(bed.topic("signals"), bed.signals(1000.0 + self.sequence))


def main() -> None:
    """Write the three pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    chromium = os.environ.get("HEMOSTREAM_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is absent; install it (Debian: apt-get install chromium)")
    with (
        tempfile.TemporaryDirectory() as made,
        mosquitto(Path(made)) as port,
        monitor(port) as (address, _),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 620}, reduced_motion="reduce")
        page.goto(address)
        page.wait_for_selector(".empty:not([hidden])")
        page.wait_for_timeout(1500)
        publisher = PicturedWard(port, ward(time.time()))
        publisher.begin()
        page.wait_for_timeout(4000)
        page.screenshot(path=folder / "monitor-overview.png")
        page.set_viewport_size({"width": 1240, "height": 1180})
        page.get_by_role("link", name="bed-6").click()
        page.wait_for_selector("#decisions canvas")
        page.wait_for_timeout(500)
        publisher.fill_signals(publisher.beds[5])
        page.wait_for_timeout(3500)
        page.screenshot(path=folder / "monitor-bed.png")
        publisher.silent.add("bed-2")
        page.goto(address.split("/enter")[0] + "/#/")
        page.set_viewport_size({"width": 1240, "height": 400})
        page.wait_for_timeout(6000)
        page.screenshot(path=folder / "monitor-fault.png")
        browser.close()
        publisher.end()
    for each in sorted(folder.glob("monitor-*.png")):
        shrink(each)


def shrink(picture: Path) -> None:
    """Fewer colours, fewer bytes."""
    with Image.open(picture) as whole:
        few = whole.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


if __name__ == "__main__":
    main()
