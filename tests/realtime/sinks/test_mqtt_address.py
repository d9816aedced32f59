"""Which brokers may be spoken to, and how they are named."""

import pytest

from models.errors import BrokerError
from realtime.sinks.mqtt.address import Address, is_loopback

SECRETS = {"HEMOSTREAM_MQTT_USER": "nurse", "HEMOSTREAM_MQTT_PASSWORD": "hush"}


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("mqtt://localhost", "localhost", 1883),
        ("mqtt://127.0.0.1:1999", "127.0.0.1", 1999),
        ("mqtts://127.0.0.1", "127.0.0.1", 8883),
        ("mqtt://[::1]:77/", "::1", 77),
    ],
)
def test_a_url_names_host_and_port(url: str, host: str, port: int) -> None:
    address = Address.parse(url, {})
    assert (address.host, address.port) == (host, port)
    assert (address.tls is not None) == url.startswith("mqtts")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:1883",
        "http://localhost",
        "mqtt://",
        "mqtt://host/a/topic",
        "mqtt://host:x",
        "mqtt://host:99999",
        "",
    ],
)
def test_what_is_no_url_is_shown(url: str) -> None:
    with pytest.raises(BrokerError, match="mqtt://HOST:PORT"):
        Address.parse(url, {})


@pytest.mark.parametrize("url", ["mqtt://nurse:hush@localhost:1883", "mqtt://nurse@localhost"])
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BrokerError, match="HEMOSTREAM_MQTT_PASSWORD in the environment") as caught:
        Address.parse(url, {})
    assert "hush" not in str(caught.value)
    assert "nurse" not in str(caught.value)


def test_credentials_are_taken_from_the_environment_and_never_shown() -> None:
    address = Address.parse("mqtt://localhost", SECRETS)
    assert (address.user, address.password) == ("nurse", "hush")
    assert "hush" not in f"{address} {address!r}"


@pytest.mark.parametrize(
    ("url", "environ", "lacks"),
    [
        ("mqtt://broker.ward", {}, "encryption .* and credentials"),
        ("mqtt://broker.ward", SECRETS, "encryption"),
        ("mqtts://broker.ward", {}, "credentials"),
        ("mqtts://192.168.1.4", {"HEMOSTREAM_MQTT_USER": "nurse"}, "credentials"),
        ("mqtt://localhost.evil.org", {}, "encryption"),
    ],
)
def test_another_machine_wants_encryption_and_credentials(
    url: str, environ: dict[str, str], lacks: str
) -> None:
    with pytest.raises(BrokerError, match=f"another machine, and this connection lacks {lacks}"):
        Address.parse(url, environ)
    assert Address.parse(url, environ, allow_insecure=True).host


def test_another_machine_is_fine_with_both() -> None:
    assert str(Address.parse("mqtts://broker.ward", SECRETS)) == "mqtts://broker.ward:8883"


def test_certificates_that_cannot_be_read_are_named() -> None:
    with pytest.raises(BrokerError, match=r"certificates in /absent\.pem cannot be read"):
        Address.parse("mqtts://localhost", {}, ca_file="/absent.pem")


def test_loopback() -> None:
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.3.2.1", "::1"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "10.0.0.1", "broker", "::"))
