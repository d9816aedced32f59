"""Encryption, certificates, credentials and the access list, with a real mosquitto."""

import asyncio
import gc
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from models.errors import BrokerError
from realtime.sinks.mqtt.address import Address
from realtime.sinks.mqtt.client import VERSIONS
from realtime.sinks.mqtt.outbox import Letter
from realtime.sinks.mqtt.sink import MqttSink
from tests.conftest import absent
from tests.realtime.sinks.certificates import Authority
from tests.realtime.sinks.support import Mosquitto

ASSETS = Path(__file__).parents[3] / "tools" / "assets" / "mosquitto"
Soon = Callable[..., Awaitable[None]]
Start = Callable[..., Mosquitto]

# paho leaves the socket of a failed handshake to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")


@pytest.fixture(scope="module")
def openssl() -> str:
    found = shutil.which("openssl")
    if found is None:
        absent("openssl", "install it (Debian: apt-get install openssl)")
    return str(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(openssl: str, folder: Path) -> Authority:
    return Authority(openssl, folder)


@pytest.fixture(scope="module")
def server(authority: Authority) -> tuple[Path, Path]:
    return authority.sign("broker", names="IP:127.0.0.1,DNS:localhost")


@pytest.fixture
def start(mosquitto_path: str, tmp_path: Path) -> Iterator[Start]:
    """Starts an encrypted mosquitto with a certificate and further settings."""
    started: list[Mosquitto] = []

    def begin(certificate: tuple[Path, Path], settings: str = "allow_anonymous true") -> Mosquitto:
        own = tmp_path / f"broker-{len(started)}"
        own.mkdir()
        broker = Mosquitto(
            mosquitto_path, own, f"certfile {certificate[0]}\nkeyfile {certificate[1]}\n{settings}"
        )
        started.append(broker)
        broker.start()
        return broker

    yield begin
    for broker in started:
        broker.kill()
    gc.collect()


def encrypted(broker: Mosquitto) -> str:
    return broker.url.replace("mqtt://", "mqtts://")


def attempt(
    url: str, environ: dict[str, str], soon: Soon, *, session: str = "bed-1", **options: Any
) -> list[str]:
    """Connect and publish one decision; what was reported, ``taken`` at the end where the broker took it."""
    reported: list[str] = []

    async def scenario() -> None:
        sink = MqttSink(
            url,
            session=session,
            last_will="{}",
            on_trouble=reported.append,
            environ=environ,
            drain_s=0.0,
            **options,
        )
        async with sink:
            sink.publish(Letter(1, 0, "{}"))
            await soon(
                lambda: not sink.waiting or any("is not connected" in line for line in reported), "any answer"
            )
            if not sink.waiting:
                reported.append("taken")

    asyncio.run(scenario())
    return [line for line in reported if "has not acknowledged" not in line]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_proves_itself_is_spoken_to(
    start: Start, server: Any, authority: Authority, soon: Soon, protocol: str
) -> None:
    broker = start(server)
    environ = {"HEMOSTREAM_MQTT_CA": str(authority.certificate)}
    assert attempt(encrypted(broker), environ, soon, protocol=protocol) == ["taken"]
    assert attempt(encrypted(broker), {}, soon, ca_file=authority.certificate) == ["taken"]


def test_a_broker_without_an_authority_is_not(
    start: Start, server: Any, openssl: str, folder: Path, soon: Soon
) -> None:
    broker = start(server)
    (reported,) = attempt(encrypted(broker), {}, soon)
    assert "its certificate is not trusted" in reported
    assert "HEMOSTREAM_MQTT_CA" in reported
    other = Authority(openssl, folder, "stranger")
    (reported,) = attempt(encrypted(broker), {"HEMOSTREAM_MQTT_CA": str(other.certificate)}, soon)
    assert "its certificate is not trusted" in reported


def test_an_expired_certificate_is_reported_as_such(start: Start, authority: Authority, soon: Soon) -> None:
    broker = start(authority.sign("expired", names="IP:127.0.0.1", days=-1))
    (reported,) = attempt(encrypted(broker), {"HEMOSTREAM_MQTT_CA": str(authority.certificate)}, soon)
    assert "its certificate has expired. Renew it on the broker" in reported
    assert "Check that it runs" not in reported


def test_a_certificate_for_another_host_is_reported_as_such(
    start: Start, authority: Authority, soon: Soon
) -> None:
    broker = start(authority.sign("elsewhere", names="DNS:broker.ward"))
    (reported,) = attempt(encrypted(broker), {"HEMOSTREAM_MQTT_CA": str(authority.certificate)}, soon)
    assert "made for another host" in reported


def test_speaking_in_the_clear_to_an_encrypted_broker_is_reported(
    start: Start, server: Any, soon: Soon
) -> None:
    (reported,) = attempt(start(server).url, {}, soon)
    assert "whether it is encrypted" in reported


@pytest.fixture
def strict(start: Start, server: Any, authority: Authority) -> Mosquitto:
    """Wants a certificate of whoever connects."""
    return start(
        server, f"allow_anonymous false\nrequire_certificate true\ncafile {authority.certificate}\n"
        "use_identity_as_username true"
    )  # fmt: skip


def named(authority: Authority, pair: tuple[Path, Path], **more: Path) -> dict[str, str]:
    return {
        "HEMOSTREAM_MQTT_CA": str(authority.certificate),
        "HEMOSTREAM_MQTT_CERT": str(pair[0]),
        "HEMOSTREAM_MQTT_KEY": str(pair[1]),
        **{f"HEMOSTREAM_MQTT_{name}": str(path) for name, path in more.items()},
    }


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_our_own_certificate_opens_the_door(
    strict: Mosquitto, authority: Authority, soon: Soon, protocol: str
) -> None:
    environ = named(authority, authority.sign("bed-1"))
    assert attempt(encrypted(strict), environ, soon, protocol=protocol) == ["taken"]


def test_an_encrypted_key_is_opened_with_the_password_from_a_file(
    strict: Mosquitto, authority: Authority, folder: Path, soon: Soon
) -> None:
    pair = authority.sign("bed-2", password="hush")
    password = folder / "key-password"
    password.write_text("hush\n")
    password.chmod(0o600)
    environ = named(authority, pair, KEY_PASSWORD_FILE=password)
    assert attempt(encrypted(strict), environ, soon) == ["taken"]
    with pytest.raises(BrokerError, match="the password of an encrypted key is in the file"):
        Address.parse("mqtts://localhost", named(authority, pair))


def refused(broker: Mosquitto, environ: dict[str, str], soon: Soon) -> list[str]:
    """What is reported of a refusal; again where the broker had hung up before its answer could be read."""
    for _ in range(5):
        reported = attempt(encrypted(broker), environ, soon)
        if "eof occurred" not in reported[-1]:
            break
    return reported


def test_no_certificate_a_strange_one_and_an_expired_one_are_refused_and_reported(
    strict: Mosquitto, authority: Authority, openssl: str, folder: Path, soon: Soon
) -> None:
    ca = {"HEMOSTREAM_MQTT_CA": str(authority.certificate)}
    (reported,) = refused(strict, ca, soon)
    assert "it refuses our certificate" in reported
    assert "certificate required" in reported
    other = Authority(openssl, folder, "other")
    (reported,) = refused(strict, named(authority, other.sign("bed-4")), soon)
    assert "it refuses our certificate (tlsv1 alert unknown ca)" in reported
    warned, reported = refused(strict, named(authority, authority.sign("bed-5", days=-1)), soon)
    assert "will hardly be accepted: certificate has expired. Have it renewed" in warned
    assert "it refuses our certificate" in reported


def test_files_that_cannot_be_used_are_named(authority: Authority, folder: Path) -> None:
    certificate, key = authority.sign("bed-6")
    other = authority.sign("bed-7")[1]
    nowhere, text, empty = folder / "nowhere", folder / "text", folder / "empty"
    text.write_text("no certificate")
    empty.touch()
    for environ, text_found in [
        ({"CERT": nowhere, "KEY": key}, r"nowhere \(HEMOSTREAM_MQTT_CERT\) cannot be read: No such file"),
        ({"CERT": certificate, "KEY": nowhere}, r"nowhere \(HEMOSTREAM_MQTT_KEY\) cannot be read"),
        ({"CERT": certificate, "KEY": other}, "key values mismatch"),
        ({"CERT": text, "KEY": key}, r"text \(HEMOSTREAM_MQTT_CERT\) cannot be used"),
        ({"KEY": key}, "HEMOSTREAM_MQTT_KEY is set and HEMOSTREAM_MQTT_CERT is not"),
        ({"CA": nowhere}, "certificates in .*nowhere cannot be read"),
        ({"CA": text}, "certificates in .*text cannot be read"),
        ({"PASSWORD_FILE": nowhere}, r"nowhere \(HEMOSTREAM_MQTT_PASSWORD_FILE\) cannot be read"),
        ({"PASSWORD_FILE": empty}, r"empty \(HEMOSTREAM_MQTT_PASSWORD_FILE\) is empty"),
        ({"PASSWORD_FILE": text}, "a password for the broker and no user"),
        ({"PASSWORD_FILE": text, "PASSWORD": "x"}, "Unset one of them"),
    ]:
        with pytest.raises(BrokerError, match=text_found):
            Address.parse(
                "mqtts://localhost",
                {f"HEMOSTREAM_MQTT_{name}": str(value) for name, value in environ.items()},
            )


def test_a_password_may_come_from_a_file_and_must_not_be_for_all_to_read(folder: Path) -> None:
    secret = folder / "secret"
    secret.write_text("hush\n")
    environ = {"HEMOSTREAM_MQTT_USER": "nurse", "HEMOSTREAM_MQTT_PASSWORD_FILE": str(secret)}
    secret.chmod(0o600)
    address = Address.parse("mqtt://localhost", environ)
    assert (address.user, address.password, address.warnings) == ("nurse", "hush", ())
    secret.chmod(0o644)
    (warning,) = Address.parse("mqtt://localhost", environ).warnings
    assert f"every user can read: chmod 600 {secret}" in warning


def test_another_machine_is_fine_with_a_certificate_instead_of_a_password(authority: Authority) -> None:
    environ = named(authority, authority.sign("bed-8"))
    assert Address.parse("mqtts://broker.ward", environ).tls is not None
    with pytest.raises(BrokerError, match="lacks encryption"):
        Address.parse("mqtt://broker.ward", environ)


# ---------------------------------------------------------------------- the example for a ward


def shipped(server: tuple[Path, Path], folder: Path, certificates: Authority | None = None) -> str:
    """The example's settings with the files of this test; only paths and the port are others."""
    text = (ASSETS / "mosquitto.conf").read_text()
    shutil.copy(ASSETS / "acl", folder / "acl")
    (folder / "acl").chmod(0o644)
    if certificates is not None:
        text = re.sub(r"^#(cafile|require_|use_)", r"\1", text, flags=re.MULTILINE)
        text = re.sub(r"^password_file.*\n", "", text, flags=re.MULTILINE)
        text = text.replace("/etc/mosquitto/hemostream/authority.pem", str(certificates.certificate))
    lines = [
        line
        for line in text.replace("/etc/mosquitto/hemostream", str(folder)).splitlines()
        if not line.startswith(("listener", "certfile", "keyfile", "persistence", "#"))
    ]
    return "\n".join(lines)


class Ward:
    """The ward's screen: reads all it is given."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    async def listen(self, port: int, tls: Any, ready: asyncio.Event, **credentials: str) -> None:
        client = aiomqtt.Client("127.0.0.1", port, protocol=VERSIONS["5"], tls_context=tls, **credentials)
        async with client:
            await client.subscribe("hemostream/#", qos=1)
            ready.set()
            async for message in client.messages:
                self.topics.append(message.topic.value)


def sessions_and_ward(
    broker: Mosquitto,
    environs: list[tuple[str, dict[str, str]]],
    ward: Ward,
    ward_environ: dict[str, str],
    soon: Soon,
) -> list[list[str]]:
    """Sessions, each under some credentials, publish a decision and a status while the ward listens."""
    reported: list[list[str]] = [[] for _ in environs]

    async def scenario() -> None:
        ready = asyncio.Event()
        address = Address.parse(encrypted(broker), ward_environ)
        credentials = {"username": address.user, "password": address.password} if address.user else {}
        listening = asyncio.create_task(ward.listen(broker.port, address.tls, ready, **credentials))
        async with asyncio.timeout(10):
            await ready.wait()
        for (session, environ), text_found in zip(environs, reported, strict=True):
            sink = MqttSink(
                encrypted(broker),
                session=session,
                last_will="{}",
                on_trouble=text_found.append,
                environ=environ,
                drain_s=0,
            )
            async with sink:
                sink.publish(Letter(1, 0, "{}"))
                sink.publish(Letter(1, 1, "{}", float("-inf")))
                await soon(
                    lambda sink=sink, text_found=text_found: not sink.waiting or text_found, "any answer"
                )
        await asyncio.sleep(0.1)  # What must not arrive has had its time to.
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(scenario())
    return reported


def test_the_shipped_access_list_keeps_the_beds_separate_and_lets_the_ward_see(
    start: Start, server: Any, authority: Authority, tmp_path: Path, mosquitto_path: str, soon: Soon
) -> None:
    passwords = tmp_path / "passwords"
    passwords.touch()
    tool = shutil.which("mosquitto_passwd") or str(Path(mosquitto_path).with_name("mosquitto_passwd"))
    for user in ("bed-1", "bed-2", "ward"):
        subprocess.run([tool, "-b", str(passwords), user, f"{user}'s"], check=True, capture_output=True)
    passwords.chmod(0o644)
    broker = start(server, shipped(server, tmp_path))

    def environ(user: str) -> dict[str, str]:
        own = {"HEMOSTREAM_MQTT_USER": user, "HEMOSTREAM_MQTT_PASSWORD": f"{user}'s"}
        return {"HEMOSTREAM_MQTT_CA": str(authority.certificate), **own}

    ward = Ward()
    reported = sessions_and_ward(
        broker,
        [
            ("bed-1", environ("bed-1")),
            ("bed-2", environ("bed-2")),
            ("bed-2", environ("bed-1")),  # Bed 1 as bed 2.
            ("bed-1", environ("ward")),  # The ward as bed 1.
            ("bed-1", {**environ("bed-1"), "HEMOSTREAM_MQTT_PASSWORD": "guessed"}),
        ],
        ward,
        environ("ward"),
        soon,
    )
    written = [f"hemostream/bed-{bed}/{what}" for bed in (1, 2) for what in ("decision", "history")]
    assert sorted(ward.topics) == written
    assert reported[:2] == [[], []]
    for text_found, session in zip(reported[2:4], ("bed-2", "bed-1"), strict=True):
        assert f"it does not take what session '{session}' publishes (Not authorized)" in text_found[0]
    assert "it refuses the credentials" in reported[4][0]
    assert "guessed" not in " ".join(reported[4])


def test_the_same_with_certificates(
    start: Start, server: Any, authority: Authority, tmp_path: Path, soon: Soon
) -> None:
    broker = start(server, shipped(server, tmp_path, authority))
    beds = {bed: named(authority, authority.sign(bed)) for bed in ("bed-1", "bed-2", "ward")}
    ward = Ward()
    reported = sessions_and_ward(
        broker, [("bed-1", beds["bed-1"]), ("bed-2", beds["bed-1"])], ward, beds["ward"], soon
    )
    assert sorted(ward.topics) == ["hemostream/bed-1/decision", "hemostream/bed-1/history"]
    assert reported[0] == []
    assert "it does not take what session 'bed-2' publishes" in reported[1][0]
