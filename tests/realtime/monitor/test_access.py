"""Who comes in, who may write, and what is refused at the door."""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from models.errors import BrokerError
from realtime.monitor import passwords
from realtime.monitor.access import FORGIVEN_AFTER_S, TRIES, Access, Tries
from realtime.monitor.app import Monitor
from realtime.monitor.beds import Beds
from realtime.monitor.gate import HEADERS
from realtime.monitor.inlet import Inlet
from realtime.monitor.passwords import account, line, matches, read_accounts
from realtime.monitor.seen import SeenAnswer
from realtime.monitor.server import Listening
from realtime.sinks.mqtt.address import Address
from tests.realtime.monitor.web_client import WebClient
from tools.bench.ward_scene import Actor

ORIGIN = "http://127.0.0.1:8765"
ID = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost less to try."""
    monkeypatch.setitem(passwords.COST, "n", 2**4)


class Told(Inlet):
    """An inlet that notes what is sent to sessions."""

    def __init__(self, beds: Beds) -> None:
        super().__init__(Address("127.0.0.1", 1), beds, on_trouble=lambda message: None)
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    async def command(self, session: str, what: str, text: str, identity: str) -> SeenAnswer | None:
        self.sent.append((session, what, json.loads(text)))
        return SeenAnswer(session=session, run=1, id=identity, ok=True, time=12.0, uncertainty_s=0.01)


def application(accounts: dict[str, passwords.Account] | None = None) -> tuple[Monitor, Told]:
    beds = Beds()
    actor = Actor("bed-1")
    beds.take(actor.topic("status"), actor.status(1e9).encode())
    beds.take(actor.topic("alive"), actor.alive(1e9).encode())
    inlet = Told(beds)
    access = Access(accounts=accounts, key="the-key", clock=beds.clock)
    return Monitor(beds, inlet, access, origins=[ORIGIN], metrics=lambda: "up 1\n"), inlet


def client_of(monitor: Monitor) -> WebClient:
    return WebClient(monitor.app, ORIGIN)


@pytest.fixture
def local() -> tuple[WebClient, Told]:
    """Somebody who opened the printed address."""
    monitor, inlet = application()
    client = client_of(monitor)
    assert client.get("/enter?key=the-key").status_code == 303
    return client, inlet


def wish(client: WebClient, **headers: str) -> dict[str, Any]:
    token = client.get("/me").json()["token"]
    return {
        "headers": {"Origin": ORIGIN, "X-Token": token, **headers},
        "json": {"bed": "bed-1", "id": ID, "label": "cough"},
    }


def test_without_the_key_nothing_is_shown() -> None:
    client = client_of(application()[0])
    assert client.get("/").headers["location"] == "/login"
    assert client.get("/enter?key=wrong").headers["location"] == "/login"
    for path in ("/me", "/now", "/events", "/metrics"):
        assert client.get(path).status_code == 401, path
    client.cookies.set("hemostream", "forged")
    assert client.get("/").headers["location"] == "/login"


def test_an_event_is_sent_with_who_and_when(local: tuple[WebClient, Told]) -> None:
    client, inlet = local
    answer = client.post("/event", **wish(client))
    assert answer.json()["ok"]
    ((session, what, command),) = inlet.sent
    assert (session, what, command["label"], command["who"], command["id"]) == (
        "bed-1",
        "event",
        "cough",
        "local",
        ID,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"X-Token": ""},
        {"X-Token": "x.y.z"},
    ],
)
def test_forged_requests_write_nothing(local: tuple[WebClient, Told], headers: dict[str, str]) -> None:
    client, inlet = local
    assert client.post("/event", **wish(client, **headers)).status_code == 403
    assert not inlet.sent


def test_a_token_of_another_login_writes_nothing(local: tuple[WebClient, Told]) -> None:
    client, inlet = local
    asked = wish(client)
    client.cookies.clear()
    client.get("/enter?key=the-key")
    assert client.post("/event", **asked).status_code == 403
    assert not inlet.sent


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"bed": "bed-1", "id": "x", "label": "a"},
        {"bed": "bed-1", "id": ID, "label": ""},
        {"bed": "bed-1", "id": ID, "label": "x" * 201},
        {"bed": "bed-1", "id": ID, "label": ["a"]},
        {"bed": "bed-1", "id": ID, "label": "a", "who": "somebody else"},
    ],
)
def test_wishes_that_are_none_are_refused(local: tuple[WebClient, Told], values: dict[str, Any]) -> None:
    client, inlet = local
    asked = wish(client) | {"json": values}
    assert client.post("/event", **asked).status_code == 400
    assert not inlet.sent


def test_a_bed_that_is_not_there_gets_no_event(local: tuple[WebClient, Told]) -> None:
    client, inlet = local
    asked = wish(client)
    asked["json"]["bed"] = "+/x"
    assert client.post("/event", **asked).status_code == 409
    assert not inlet.sent


def test_large_requests_and_foreign_names_are_refused(local: tuple[WebClient, Told]) -> None:
    client, inlet = local
    asked = wish(client)
    asked["json"]["label"] = "x" * 10_000
    assert client.post("/event", **asked).status_code == 413
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/", headers={"Host": "127.0.0.1.evil.example:8765"}).status_code == 421
    assert client.request("PUT", "/event").status_code == 405
    assert not inlet.sent


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../app.py",
        "/assets/..%2f..%2fapp.py",
        "/assets/%2e%2e/app.py",
        "/assets//etc/passwd",
        "/assets/",
    ],
)
def test_no_path_leads_out_of_the_assets(local: tuple[WebClient, Told], path: str) -> None:
    assert local[0].get(path).status_code == 404


def test_every_answer_has_its_policy(local: tuple[WebClient, Told]) -> None:
    client = local[0]
    for path in ("/", "/me", "/assets/main.js", "/nothing", "/login"):
        answer = client.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, path
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_the_page_has_nothing_inline_and_asks_nobody_else() -> None:
    folder = Path(passwords.__file__).parent / "page"
    for page in folder.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<style" not in text
        assert "style=" not in text
        assert " on" + "click" not in text
        assert "http" not in text
        assert "<script>" not in text
    for script in folder.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ):
            assert word not in text, script


def test_no_word_is_left_over() -> None:
    folder = Path(passwords.__file__).parent / "page"
    words = json.loads((folder / "words.en.json").read_text(encoding="utf-8"))
    code = "".join(
        each.read_text(encoding="utf-8") for each in sorted([*folder.glob("*.js"), *folder.glob("*.html")])
    )
    made = (
        "state_",
        "why_",
        "origin_",
        "alarm_",
        "filter_",
        "reason ",
        "probe_",
        "theme_",
        "signals_",
        "motion_",
    )
    unused = [key for key in words if f'"{key}"' not in code and not key.startswith(made)]
    assert unused == ["language"]


def test_metrics_by_the_key_as_bearer() -> None:
    client = client_of(application()[0])
    answer = client.get("/metrics", headers={"Authorization": "Bearer the-key"})
    assert (answer.status_code, answer.text) == (200, "up 1\n")
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 401


def test_log_in_read_and_write() -> None:
    people = {name: account(name, role, "long enough") for name, role in (("ana", "read"), ("bo", "write"))}  # type: ignore[arg-type]
    monitor, inlet = application(people)
    for name, status in (("ana", 403), ("bo", 200)):
        client = client_of(monitor)
        assert client.get("/enter?key=the-key").headers["location"] == "/login"
        form = {"data": {"name": name, "password": "long enough"}, "headers": {"Origin": ORIGIN}}
        assert client.post("/login", **form).headers["location"] == "/"  # type: ignore[arg-type]
        assert client.get("/me").json()["role"] == people[name].role
        assert client.post("/event", **wish(client)).status_code == status
        assert client.post("/logout", headers=wish(client)["headers"]).status_code == 200
        assert client.get("/me").status_code == 401
    assert [command["who"] for _, _, command in inlet.sent] == ["bo"]
    cookie = client_of(monitor).post("/login", **form).headers["set-cookie"]  # type: ignore[arg-type]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_wrong_passwords_have_to_wait_the_right_one_too() -> None:
    monitor, _ = application({"ana": account("ana", "read", "long enough")})
    client = client_of(monitor)
    for _ in range(TRIES):
        answer = client.post("/login", data={"name": "ana", "password": "no"}, headers={"Origin": ORIGIN})
        assert answer.headers["location"] == "/login?no=1"
    answer = client.post(
        "/login", data={"name": "ana", "password": "long enough"}, headers={"Origin": ORIGIN}
    )
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= FORGIVEN_AFTER_S + 1
    assert client.post("/login", data={"name": "ana"}, headers={"Origin": ORIGIN}).status_code == 400
    assert client.post("/login", data={"name": "ana", "password": "x"}).status_code == 403


def test_tries_are_forgiven_and_their_count_is_bounded() -> None:
    now = [0.0]
    tries = Tries(lambda: now[0])
    for _ in range(TRIES):
        assert tries.wait_s("a") == 0
        tries.wrong("a")
    assert tries.wait_s("a") == FORGIVEN_AFTER_S
    now[0] = FORGIVEN_AFTER_S
    assert tries.wait_s("a") == 0
    for number in range(10_000):
        tries.wrong(str(number))
    assert len(tries._wrong) <= 4096


def test_who_is_not_there_costs_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = passwords._hash
    monkeypatch.setattr(passwords, "_hash", lambda word, salt: hashed.append(word) or real(word, salt))
    access = Access(accounts={}, key="k", clock=lambda: 0.0)
    assert asyncio.run(access.log_in("nobody", "x", "here")) is None
    assert hashed == ["x"]


def test_accounts_are_kept_in_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "users"
    one = account("ana", "write", "long enough")
    file.write_text("# people\n" + line(one))
    file.chmod(0o600)
    assert read_accounts(file) == {"ana": one}
    assert matches(one, "long enough")
    assert not matches(one, "long enougH")
    assert not matches(None, "long enough")
    if os.name == "posix":
        file.chmod(0o644)
        with pytest.raises(BrokerError, match="chmod 600"):
            read_accounts(file)
    file.chmod(0o600)
    for wrong in ("ana write scrypt zz zz\n", "ana admin scrypt 00 00\n", line(one) * 2, "", "a b\n"):
        file.write_text(wrong)
        with pytest.raises(BrokerError):
            read_accounts(file)
    for name, password in (("a b", "long enough"), ("ana", "short")):
        with pytest.raises(BrokerError):
            account(name, "read", password)


def test_beyond_this_machine_only_with_tls_and_accounts(tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    Listening().check()
    Listening(origin="https://ward.example", users=pem).check()
    Listening(host="0.0.0.0", users=pem, certificate=pem, private_key=pem).check()
    for wrong in (
        Listening(host="0.0.0.0"),
        Listening(host="::", users=pem),
        Listening(host="ward.example", certificate=pem, private_key=pem),
        Listening(certificate=pem),
        Listening(origin="https://ward.example"),
        Listening(origin="http://ward.example", users=pem),
    ):
        with pytest.raises(BrokerError):
            wrong.check()


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BrokerError, match="--port"):
            Listening(port=taken.getsockname()[1]).bind()
