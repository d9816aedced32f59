"""What the page shows when something goes wrong: in a real browser, of a real broker, second by second.

The oracle is the made-up ward's own list of what it decided and when.  Nothing that is drawn as current may
be anything else, at any of the moments at which the page was looked at (every 40 ms).
"""

import os
import signal
import time

import pytest

from tests.realtime.monitor.conftest import OpenPage
from tests.realtime.monitor.support import MonitorProcess, Ward, drawn, tile, wait_for
from tests.realtime.sinks.support import Mosquitto

ALL = "document.querySelectorAll('.tile[data-current=\"true\"]').length === 3"
NONE = "document.querySelectorAll('.tile[data-current=\"true\"]').length === 0"
LOADED_S = 1.5
"""How much later a busy machine may be in a test; what the page promises is 2 s."""


def test_one_stalls_one_is_killed_one_hangs(ward: Ward, open_page: OpenPage) -> None:
    page = open_page()
    wait_for(page, ALL)
    assert page.locator("#link").is_hidden()
    ward.stall("bed-1")
    wait_for(page, f"{tile('bed-1')}.dataset.current === 'false'", 1.0 + LOADED_S)
    assert page.evaluate(f"{tile('bed-1')}.querySelector('.state').textContent").startswith("stalled for ")
    assert page.evaluate(f"{tile('bed-1')}.querySelector('.word').textContent") == "—"
    ward.kill("bed-2")
    wait_for(page, f"{tile('bed-2')}.dataset.current === 'false'", 2.0 + LOADED_S)
    wait_for(page, f"{tile('bed-2')}.dataset.why === 'offline'", 10.0)
    assert "connection was lost" in page.evaluate(f"{tile('bed-2')}.querySelector('.why').textContent")
    ward.hush("bed-3")
    wait_for(page, f"{tile('bed-3')}.dataset.why === 'silent'", 2.0 + LOADED_S)
    assert page.evaluate(f"{tile('bed-3')}.querySelector('.state').textContent").startswith("silent for ")
    # Who needs somebody stands first.
    wait_for(page, "[...document.querySelectorAll('.tile .name')].map((n) => n.textContent)[2] === 'bed-1'")
    seen = drawn(page)
    assert len(seen) > 20
    assert not ward.stale(seen)


def test_broker_stops_and_comes_back(ward: Ward, broker: Mosquitto, open_page: OpenPage) -> None:
    page = open_page()
    wait_for(page, ALL)
    broker.kill()
    wait_for(page, NONE, 2.0 + LOADED_S)
    wait_for(page, "document.body.dataset.link === 'broker'", 2.0 + LOADED_S)
    assert page.locator("#link").inner_text().startswith("The broker has been away for ")
    broker.start()
    wait_for(page, ALL, 15.0)
    assert page.locator("#link").is_hidden()
    assert not ward.stale(drawn(page))


def test_broker_freezes_and_delivers_late(ward: Ward, broker: Mosquitto, open_page: OpenPage) -> None:
    """What it held back comes at once, on the topic of what is current, and is none of it."""
    page = open_page()
    wait_for(page, ALL)
    before = len(drawn(page))
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        wait_for(page, NONE, 2.0 + LOADED_S)
        ward.killed.update(ward.actors)  # what lies in the sockets is the last that they say for now
        time.sleep(6.0)  # longer than the policy
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    page.wait_for_timeout(1500)
    assert not ward.stale(drawn(page))
    ward.killed.clear()
    wait_for(page, ALL, 20.0)
    seen = drawn(page)
    assert len(seen) > before
    assert not ward.stale(seen)


def test_server_is_killed_and_started_again(
    ward: Ward, broker: Mosquitto, monitor: MonitorProcess, open_page: OpenPage
) -> None:
    page = open_page()
    wait_for(page, ALL)
    monitor.kill()
    wait_for(page, NONE, 2.0 + LOADED_S)
    assert page.evaluate("document.body.dataset.link") == "server"
    assert page.locator("#link").inner_text().startswith("No word from the server for ")
    again = MonitorProcess(broker.url, port=monitor.port)
    try:
        # Its cookies are of another start: the page says so, and draws nothing as current.
        wait_for(page, "document.body.dataset.link === 'logged_out'", 10.0)
        assert page.evaluate(NONE)
        page.goto(again.address)
        wait_for(page, ALL)
    finally:
        again.kill()


def test_server_freezes(ward: Ward, monitor: MonitorProcess, open_page: OpenPage) -> None:
    page = open_page("/#/bed/bed-1")
    wait_for(page, "document.querySelector('.now')?.dataset.current === 'true'")
    os.kill(monitor.process.pid, signal.SIGSTOP)
    try:
        wait_for(page, "document.querySelector('.now').dataset.current === 'false'", 2.0 + LOADED_S)
        assert page.evaluate("document.body.dataset.link") == "server"
        ward.killed.update(ward.actors)  # what lies in its socket is the last that they say for now
        time.sleep(5.5)
    finally:
        os.kill(monitor.process.pid, signal.SIGCONT)
    page.wait_for_timeout(2500)
    assert not ward.stale(drawn(page))
    ward.killed.clear()
    wait_for(page, "document.querySelector('.now').dataset.current === 'true'")
    assert not ward.stale(drawn(page))


WRONG_CLOCK = """
const true_ = Date.now.bind(Date);
window.shift = %d;
Date.now = () => true_() + window.shift;
"""


@pytest.mark.parametrize("shift_ms", [3_600_000, -3_600_000])
def test_tablet_whose_clock_is_wrong_or_is_set(ward: Ward, open_page: OpenPage, shift_ms: int) -> None:
    page = open_page(before=WRONG_CLOCK % shift_ms)
    wait_for(page, ALL)
    page.evaluate("window.shift = 0")
    wait_for(page, ALL)
    time.sleep(1.0)
    assert page.evaluate(ALL)
    assert not ward.stale(drawn(page))


def test_laptop_wakes(ward: Ward, open_page: OpenPage) -> None:
    """After a sleep nothing is current until the server has answered, whatever still lies in the socket."""
    page = open_page(before=WRONG_CLOCK % 0)
    wait_for(page, ALL)
    held: list[object] = []
    page.route("**/now", lambda route: held.append(route))
    # performance.now() stands still in a sleep, the wall clock does not.
    page.evaluate("window.shift = 60000")
    wait_for(page, NONE, 1.0 + LOADED_S)
    for _ in range(4):
        page.wait_for_timeout(300)
        assert page.evaluate(NONE)
        assert page.evaluate("document.body.dataset.link") in ("checking", "server")
    assert held
    page.unroute("**/now")
    wait_for(page, ALL)
    assert not ward.stale(drawn(page))


def test_tab_in_the_background_is_drawn_as_unknown_before_anybody_looks(
    ward: Ward, open_page: OpenPage
) -> None:
    page = open_page()
    wait_for(page, ALL)
    page.route("**/now", lambda route: None)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    assert page.evaluate(NONE)
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate(NONE)
    page.unroute("**/now")
    wait_for(page, ALL)


def test_history_and_what_came_late_are_not_current(ward: Ward, open_page: OpenPage) -> None:
    page = open_page()
    wait_for(page, ALL)
    actor = ward.actors["bed-1"]
    ward.hush("bed-1")
    wait_for(page, f"{tile('bed-1')}.dataset.current === 'false'", 2.0 + LOADED_S)
    # On the topic of history even what was just made; on that of decisions what was made ten seconds ago.
    for what, made, retain in (("history", time.time(), False), ("decision", time.time() - 10.0, True)):
        later = ward.sequence + 50 + retain
        ward.send(actor, what, actor.decision(later, made, label="late", reasons=()), retain=retain)
        ward.send(actor, "alive", actor.alive(time.time()))
    # It is alive again by now, and has nothing current to say but what it said on time.
    page.wait_for_timeout(800)
    assert not ward.stale(drawn(page))


def test_session_whose_wall_clock_is_wrong(ward: Ward, open_page: OpenPage) -> None:
    ward.actors["bed-1"].wall_error_s = -7200.0
    page = open_page()
    wait_for(page, ALL)
    ward.actors["bed-1"].wall_error_s = 7200.0  # it is set while it runs
    page.wait_for_timeout(2500)
    wait_for(page, ALL)
    assert not ward.stale(drawn(page))
