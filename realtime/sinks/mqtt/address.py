"""Where a broker is and how one may speak to it: URLs and credentials.

Decisions are about people.  They leave this machine only encrypted and with credentials, unless
someone says otherwise; and credentials come from the environment or from files that it names, since
a URL is shown in process lists, logs and shell histories.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from models.errors import BrokerError
from realtime.sinks.mqtt.tls import CERT, PASSWORD, USER, context, exposed, read_password

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
    warnings : tuple of str
        What is not safe, or will hardly work; to be shown.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()

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
            Where the credentials may stand: ``HEMOSTREAM_MQTT_USER`` with ``HEMOSTREAM_MQTT_PASSWORD`` (or
            ``..._PASSWORD_FILE``, a file that holds it), and for mqtts files in PEM: ``HEMOSTREAM_MQTT_CA``
            (whom to trust), ``..._CERT`` and ``..._KEY`` (our own certificate), and
            ``..._KEY_PASSWORD_FILE`` (a file that holds the key's password).
        allow_insecure : bool
            Whether another machine may be spoken to in the clear or without credentials.
        ca_file : path or None
            Certificates to trust (PEM); None trusts those of ``HEMOSTREAM_MQTT_CA``, or of the system.

        Raises
        ------
        BrokerError
            The URL is not one, holds credentials, or asks for what is not safe; a file that the
            environment names cannot be used.
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
        user, password = environ.get(USER) or None, read_password(environ)
        if password and not user:
            raise BrokerError(f"There is a password for the broker and no user. Set {USER}, too.")
        secure = parts.scheme == "mqtts"
        if not is_loopback(host) and not allow_insecure:
            lacks = [] if secure else ["encryption (mqtts://)"]
            if not (user and password) and not (secure and environ.get(CERT)):
                lacks.append(f"credentials ({USER} and {PASSWORD}, or {CERT}, in the environment)")
            if lacks:
                raise BrokerError(
                    f"Broker {host} is another machine, and this connection lacks {' and '.join(lacks)}. "
                    "Decisions are about people: add what is missing, or say --allow-insecure."
                )
        tls, warning = context(environ, ca_file) if secure else (None, "")
        warnings = (*exposed(environ), *([warning] if warning else []))
        return cls(host, port or PORTS[parts.scheme], tls, user, password, warnings)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
