"""What comes over MQTT is data; other pages, slow readers and strangers change nothing."""

import http.client
import http.server
import json
import socket
import threading
import time
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.realtime.monitor.conftest import OpenPage
from tests.realtime.monitor.support import KEY, MonitorProcess, Ward, drawn, wait_for
from tests.realtime.sinks.support import Mosquitto
from tools.bench.ward_scene import Actor, alarm

EVIL = "<img src=x onerror=window.hit=1><script>window.hit=1</script>"
ALL = "document.querySelectorAll('.tile[data-current=\"true\"]').length === 3"


def cookie_of(monitor: MonitorProcess) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", monitor.port)
    connection.request("GET", f"/enter?key={KEY}")
    answer = connection.getresponse()
    cookie = (answer.getheader("set-cookie") or "").split(";")[0]
    connection.close()
    return cookie


def next_news(stream: http.client.HTTPResponse) -> tuple[str, dict[str, Any]]:
    """Id and content of the next event."""
    identity = ""
    while True:
        line = stream.readline().decode()
        assert line, "the stream ended"
        if line.startswith("id: "):
            identity = line[4:].strip()
        if line.startswith("data: "):
            return identity, json.loads(line[6:])


def test_script_in_whatever_a_session_says_is_text(
    ward: Ward, broker: Mosquitto, open_page: OpenPage
) -> None:
    name = "<script>window.hit=1<\\script>"
    actor = Actor(name, start=time.time() - 9, reason=EVIL, pairs=4)
    helper = ward.actors["bed-1"]
    page = open_page()
    wait_for(page, ALL)

    def send(what: str, text: str) -> None:
        ward._clients[helper.session].publish(f"hemostream/{name}/{what}", text, qos=1)

    send(
        "status",
        actor.status(time.time(), evaluation=EVIL, failing={EVIL: EVIL}, versions={EVIL: EVIL}, stream=EVIL),
    )
    send("alive", actor.alive(time.time()))
    send("alarms", actor.alarms(alarm("1", EVIL, "high", EVIL, time.time(), acknowledged_by=EVIL)))
    send("channels", actor.channels().replace("S1_D1", EVIL))
    probabilities = {EVIL: 0.9, "b": 0.1}
    send("decision", actor.decision(1, time.time(), label=EVIL, reasons=(), probabilities=probabilities))
    send("history", actor.abstention(2, time.time(), EVIL))
    wait_for(page, "document.querySelectorAll('.tile').length === 4")
    page.get_by_role("link", name=name).click()
    wait_for(page, "document.querySelector('.bed h1') !== null")
    wait_for(page, "document.querySelectorAll('.facts dd').length > 5")
    assert page.locator("h1").inner_text() == name
    assert EVIL in page.locator(".facts").inner_text()
    assert EVIL in page.locator("#alarms").inner_text()
    page.wait_for_timeout(300)
    assert page.evaluate("window.hit") is None
    assert page.locator("main img, main script").count() == 0


def test_huge_and_broken_payloads_disturb_nothing(
    ward: Ward, open_page: OpenPage, monitor: MonitorProcess
) -> None:
    page = open_page()
    wait_for(page, ALL)
    helper = ward.actors["bed-1"]
    for payload in (b"\x00" * 900_000, b"[" * 200_000, b"{}", b"\xff", b'{"session":"bed-2"}', b"1e999"):
        for what in (
            "status",
            "alive",
            "decision",
            "history",
            "alarms",
            "channels",
            "signals",
            "command/answer",
            "x/y/z",
        ):
            ward._clients[helper.session].publish(f"hemostream/bed-2/{what}", payload, qos=1)
    for number in range(1000):
        ghost = Actor(f"ghost-{number}", pairs=1)
        ward._clients[helper.session].publish(ghost.topic("alive"), ghost.alive(time.time()))
    wait_for(page, "document.querySelector('.refused').textContent.startsWith('603 more sessions')", 20.0)
    assert page.evaluate("document.querySelectorAll('.tile').length") == 400
    before = len(drawn(page))
    page.wait_for_timeout(1500)
    seen = drawn(page)
    assert {name for _, name, _ in seen[before:]} == {"bed-1", "bed-2", "bed-3"}
    assert not ward.stale(seen)
    assert monitor.process.poll() is None


def test_another_page_reads_and_writes_nothing(
    ward: Ward, monitor: MonitorProcess, open_page: OpenPage
) -> None:
    """A page of another origin in the same browser, whose visitor is logged in here."""
    page = open_page()
    wait_for(page, ALL)

    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>elsewhere</h1>")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        other = page.context.new_page()
        # The same host: the browser sends our cookie along.
        other.goto(f"http://127.0.0.1:{server.server_port}/")
        target = json.dumps(monitor.origin)
        for call in (
            f"fetch({target} + '/me', {{credentials: 'include'}})",
            f"fetch({target} + '/now', {{credentials: 'include'}})",
        ):
            assert other.evaluate(f"{call}.then(() => 'read', () => 'refused')") == "refused"
        body = json.dumps(json.dumps({"bed": "bed-1", "id": "ab" * 16, "label": "forged"}))
        post = f"{{method: 'POST', mode: 'no-cors', credentials: 'include', body: {body}}}"
        heard: list[str] = []
        client = ward._clients["bed-1"]
        client.on_message = lambda *message: heard.append(message[2].topic)
        client.subscribe("hemostream/+/command/#", qos=1)
        other.evaluate(f"fetch({target} + '/event', {post}).catch(() => null)")
        other.wait_for_timeout(500)
        assert heard == []
        framed = (
            "new Promise((done) => { const frame = document.createElement('iframe');"
            f"frame.src = {target}; frame.onload = () => done(frame.contentDocument === null);"
            "document.body.append(frame); })"
        )
        assert other.evaluate(framed)
        source = (
            "new Promise((done) => {"
            f"const source = new EventSource({target} + '/events', {{withCredentials: true}});"
            "source.addEventListener('news', () => done('read'));"
            "source.onerror = () => { source.close(); done('refused'); }; })"
        )
        assert other.evaluate(source) == "refused"
    finally:
        server.shutdown()
        server.server_close()


def test_stream_goes_on_where_it_was(ward: Ward, monitor: MonitorProcess) -> None:
    cookie = cookie_of(monitor)

    connections = []

    def open_stream(path: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", monitor.port, timeout=10)
        connections.append(connection)
        connection.request("GET", path, headers={"Cookie": cookie, **headers})
        return connection.getresponse()

    first = open_stream("/events?bed=bed-1")
    assert first.getheader("content-type") == "text/event-stream"
    known: set[int] = set()
    while len(known) < 3:
        identity, news = next_news(first)
        known |= {row[0] for row in news.get("decisions", ())}
    connections[0].close()
    first.close()
    time.sleep(2.5)
    second = open_stream("/events?bed=bed-1", **{"Last-Event-ID": identity})
    _, news = next_news(second)
    assert not news["whole"]
    came = [row[0] for row in news["decisions"]]
    assert came[0] == max(known) + 1
    assert len(came) >= 2
    third = open_stream("/events", **{"Last-Event-ID": "of-another-start-7"})
    assert next_news(third)[1]["whole"]
    second.close()
    third.close()
    for connection in connections:
        connection.close()


def test_slow_readers_delay_nobody(ward: Ward, monitor: MonitorProcess, open_page: OpenPage) -> None:
    cookie = cookie_of(monitor)
    slow = []
    for _ in range(20):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.connect(("127.0.0.1", monitor.port))
        host = f"127.0.0.1:{monitor.port}"
        connection.sendall(f"GET /events HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())
        slow.append(connection)
    page = open_page()
    wait_for(page, ALL)
    page.wait_for_timeout(2500)
    assert page.evaluate(ALL)
    assert not ward.stale(drawn(page))
    for connection in slow:
        connection.close()


def violations(page: Page) -> list[str]:
    found = Axe().run(page)
    return [f"{each['id']}: {each['nodes'][0]['target']}" for each in found.response["violations"]]


def test_axe_finds_nothing(ward: Ward, open_page: OpenPage) -> None:
    ward.signals = True
    ward.actors["bed-2"].bad = (1,)
    ward.stall("bed-3")
    actor = ward.actors["bed-2"]
    ward.send(
        actor,
        "alarms",
        actor.alarms(alarm("1", "signal unfit", "medium", "scalp coupling", time.time())),
        retain=True,
    )
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme, bypass_csp=True)
        wait_for(page, "document.querySelectorAll('.tile[data-current=\"true\"]').length === 2")
        assert violations(page) == []
        page.get_by_role("link", name="bed-2").click()
        wait_for(page, "document.querySelector('#probe line') && document.querySelector('.now .word')")
        wait_for(page, "document.querySelector('#alarms li') !== null")
        assert violations(page) == []


def test_by_keyboard_and_on_a_phone(ward: Ward, open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 360, "height": 740})
    wait_for(page, ALL)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#search").fill("bed-2")
    wait_for(page, "document.querySelectorAll('.tile').length === 1")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for(page, "document.querySelector('.bed h1')?.textContent === 'bed-2'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(page.url.split("#")[0] + "#/bed/nobody")
    wait_for(page, "document.querySelector('.empty')?.hidden === false")


def test_an_event_goes_to_the_session_and_its_answer_comes_back(ward: Ward, open_page: OpenPage) -> None:
    page = open_page("/#/bed/bed-1")
    asked: list[dict[str, Any]] = []
    client = ward._clients["bed-1"]

    def on_message(_: Any, __: Any, message: Any) -> None:
        wish = json.loads(message.payload)
        asked.append(wish)
        if len(asked) == 1:
            return  # the first one is not answered
        answer = {"schema": 1, "session": "bed-1", "run": 1, "id": wish["id"], "command": "event", "ok": True}
        answer |= {"reason": "", "time": 1234.5, "time_utc": None, "uncertainty_s": 0.02}
        client.publish("hemostream/bed-1/command/answer", json.dumps(answer), qos=1)

    client.on_message = on_message
    client.subscribe("hemostream/bed-1/command/event", qos=1)
    wait_for(
        page,
        "document.querySelector('#event button')?.disabled === false",
    )
    page.get_by_label("What happened").fill("patient coughs")
    page.get_by_role("button", name="Write into the journal").click()
    wait_for(page, "document.querySelector('#event .answer').textContent.startsWith('No answer')")
    page.get_by_role("button", name="Write into the journal").click()
    wait_for(
        page, "document.querySelector('#event .answer').textContent.startsWith('Written: patient coughs')"
    )
    assert [wish["label"] for wish in asked] == ["patient coughs"] * 2
    assert asked[0]["id"] == asked[1]["id"]
