"""A real Chromium, a real broker, the real monitor."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import absent
from tests.realtime.monitor.support import RECORD, MonitorProcess, Ward
from tests.realtime.sinks.support import Mosquitto
from tools.bench.ward_scene import Actor

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, found on the path or by `HEMOSTREAM_CHROMIUM`."""
    found = (
        os.environ.get("HEMOSTREAM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if found is None:
        absent("Chromium", "install it (Debian: apt-get install chromium), or name it in HEMOSTREAM_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def broker(mosquitto_path: str, tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto that lets anyone in."""
    broker = Mosquitto(mosquitto_path, tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def monitor(broker: Mosquitto) -> Iterator[MonitorProcess]:
    """The command on that broker."""
    process = MonitorProcess(broker.url)
    yield process
    process.kill()


@pytest.fixture
def ward(broker: Mosquitto) -> Iterator[Ward]:
    """Three live beds."""
    start = time.time() - 300
    ward = Ward(broker, *(Actor(f"bed-{i}", start=start) for i in (1, 2, 3)))
    ward.start()
    yield ward
    ward.end()


@pytest.fixture
def open_page(browser: Browser, monitor: MonitorProcess) -> Iterator[OpenPage]:
    """Opens the monitor's page in a context of its own; fails on whatever the page reports as wrong."""
    contexts = []
    wrong: list[str] = []

    def open_page(path: str = "/", *, before: str = "", **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.add_init_script(before + RECORD)
        page.goto(monitor.address)
        if path != "/":
            page.goto(monitor.origin + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong
