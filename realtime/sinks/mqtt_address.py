"""Where a broker is and how one may speak to it: URLs, credentials, topics.

Decisions are about people.  They leave this machine only encrypted and with credentials, unless
someone says otherwise; and credentials come from the environment, since a URL is shown in
process lists, logs and shell histories.
"""

import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from models.errors import BrokerError

USER = "HEMOSTREAM_MQTT_USER"
PASSWORD = "HEMOSTREAM_MQTT_PASSWORD"
PORTS = {"mqtt": 1883, "mqtts": 8883}

Protocol = Literal["5", "3.1.1"]


@dataclass(frozen=True, slots=True)
class Address:
    """A broker as it is connected to.

    Parameters
    ----------
    host, port : str, int
        Where it listens.
    tls : ssl.SSLContext or None
        None for an unencrypted connection.
    user, password : str or None
        Credentials; never shown.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    @classmethod
    def parse(
        cls,
        url: str,
        environ: Mapping[str, str],
        *,
        allow_insecure: bool = False,
        ca_file: Path | str | None = None,
    ) -> "Address":
        """Read a broker's URL, and its credentials from the environment.

        Parameters
        ----------
        url : str
            ``mqtt://HOST[:PORT]`` or, encrypted, ``mqtts://HOST[:PORT]``.
        environ : mapping of str
            Where ``HEMOSTREAM_MQTT_USER`` and ``HEMOSTREAM_MQTT_PASSWORD`` may stand.
        allow_insecure : bool
            Whether another machine may be spoken to in the clear or without credentials.
        ca_file : path or None
            Certificates to trust (PEM); None trusts those of the system.

        Raises
        ------
        BrokerError
            The URL is not one, holds credentials, or asks for what is not safe.
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError as error:
            raise BrokerError(f"Broker URL has {error}. Expected mqtt://HOST:PORT.") from error
        if parts.username is not None or parts.password is not None:
            raise BrokerError(
                f"The broker URL holds credentials. Set {USER} and {PASSWORD} in the environment instead, "
                f"and name the broker as {parts.scheme}://{host}" + (f":{port}." if port else ".")
            )
        if (
            parts.scheme not in PORTS
            or not host
            or parts.path not in ("", "/")
            or parts.query
            or parts.fragment
        ):
            raise BrokerError(f"Broker URL is {url!r}; expected mqtt://HOST:PORT or mqtts://HOST:PORT.")
        user, password = environ.get(USER) or None, environ.get(PASSWORD) or None
        secure = parts.scheme == "mqtts"
        if not is_loopback(host) and not allow_insecure:
            lacks = [] if secure else ["encryption (mqtts://)"]
            lacks += [] if user and password else [f"credentials ({USER} and {PASSWORD} in the environment)"]
            if lacks:
                raise BrokerError(
                    f"Broker {host} is another machine, and this connection lacks {' and '.join(lacks)}. "
                    "Decisions are about people: add what is missing, or say --allow-insecure."
                )
        try:
            tls = ssl.create_default_context(cafile=str(ca_file) if ca_file else None) if secure else None
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(f"The certificates in {ca_file} cannot be read: {error}.") from error
        return cls(host, port or PORTS[parts.scheme], tls, user, password)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def topic(session: str, what: Literal["status", "decision"]) -> str:
    """The topic of a session's status or decisions.

    Raises
    ------
    BrokerError
        The session's name cannot stand in a topic.
    """
    if not session or re.search(r"[/+#\x00-\x1f\x7f]", session):
        raise BrokerError(
            f"Session name is {session!r}; as part of a topic it must not be empty nor contain '/', '+', '#' "
            "or control characters."
        )
    return f"hemostream/{session}/{what}"
