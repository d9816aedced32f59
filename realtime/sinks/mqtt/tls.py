"""Encryption and secrets: who the broker must prove to be, and how we prove who we are.

Names of files come from the environment and secrets from files or the environment, never from the
command line, which every user of a machine can read.
"""

import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from models.errors import BrokerError
from models.files.regular_file import open_regular, read_regular

USER = "HEMOSTREAM_MQTT_USER"
PASSWORD = "HEMOSTREAM_MQTT_PASSWORD"
PASSWORD_FILE = "HEMOSTREAM_MQTT_PASSWORD_FILE"
CA = "HEMOSTREAM_MQTT_CA"
CERT = "HEMOSTREAM_MQTT_CERT"
KEY = "HEMOSTREAM_MQTT_KEY"
KEY_PASSWORD_FILE = "HEMOSTREAM_MQTT_KEY_PASSWORD_FILE"


def read_password(environ: Mapping[str, str]) -> str | None:
    """The broker's password, from the environment or the file that it names; None where there is none.

    Raises
    ------
    BrokerError
        Both are given, or the file cannot be read or is empty.
    """
    if environ.get(PASSWORD) and environ.get(PASSWORD_FILE):
        raise BrokerError(f"Both {PASSWORD} and {PASSWORD_FILE} are set. Unset one of them.")
    return environ.get(PASSWORD) or _secret(PASSWORD_FILE, environ)


def exposed(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Warnings about files of secrets that every user of this machine can read."""
    if os.name != "posix":
        return ()  # Windows keeps that elsewhere than in the mode.
    found = []
    for name in (PASSWORD_FILE, KEY, KEY_PASSWORD_FILE):
        if not environ.get(name):
            continue
        path = Path(environ[name])
        with suppress(OSError):  # That it cannot be read is reported by its reader.
            if path.stat().st_mode & 0o004:
                found.append(f"{path} ({name}) is a secret that every user can read: chmod 600 {path}.")
    return tuple(found)


def context(environ: Mapping[str, str], ca_file: Path | str | None = None) -> tuple[ssl.SSLContext, str]:
    """An encrypted connection's settings: the broker's certificate and host name are always checked.

    Parameters
    ----------
    environ : mapping of str
        Where the files are named.
    ca_file : path or None
        Certificates to trust (PEM); None trusts those named by ``HEMOSTREAM_MQTT_CA``, or the system's.

    Returns
    -------
    ssl.SSLContext, str
        And a warning where our own certificate will hardly be accepted; empty where it may.

    Raises
    ------
    BrokerError
        A file cannot be read, or does not hold what it must; says which.
    """
    ca_file = ca_file or environ.get(CA) or None
    try:
        settings = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"The certificates in {ca_file} cannot be read: {_said(error)}.") from error
    certificate, key = environ.get(CERT) or None, environ.get(KEY) or None
    if certificate is None:
        if key is not None:
            raise BrokerError(f"{KEY} is set and {CERT} is not. Name the certificate of that key, too.")
        return settings, ""
    # Without a password OpenSSL would ask for one at the terminal, in the middle of a start.
    password = _secret(KEY_PASSWORD_FILE, environ) or ""
    _check_readable(CERT, certificate)
    if key is not None:
        _check_readable(KEY, key)
    try:
        settings.load_cert_chain(certificate, key, password)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(
            f"The client certificate {certificate} ({CERT}) cannot be used with the key {key or 'in it'} "
            f"({KEY}): {_said(error)}. Both must be PEM and belong together; the password of an encrypted "
            f"key is in the file that {KEY_PASSWORD_FILE} names."
        ) from error
    return settings, _warning(certificate, key, password)


def _secret(name: str, environ: Mapping[str, str]) -> str | None:
    """What the file holds that a variable names, without the end of the line."""
    if not environ.get(name):
        return None
    _check_readable(name, environ[name])
    try:
        secret = read_regular(environ[name]).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BrokerError(f"{environ[name]} ({name}) is no text in UTF-8.") from error
    if not secret:
        raise BrokerError(f"{environ[name]} ({name}) is empty; expected a password.")
    return secret


def _check_readable(name: str, path: str) -> None:
    try:
        open_regular(path).close()
    except OSError as error:
        raise BrokerError(
            f"{path} ({name}) cannot be read: {error.strerror}. Check the path, and that this user may "
            "read it."
        ) from error


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)


def _warning(certificate: str, key: str | None, password: str) -> str:
    """Show our certificate to a broker of our own, in memory: a date that is over is found at once."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours.check_hostname, ours.verify_mode = False, ssl.CERT_NONE
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # Who signed it is for the real broker to ask.
    to_us, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        for each in (ours, server):
            each.load_cert_chain(certificate, key, password)
        server.load_verify_locations(certificate)
        ends = (ours.wrap_bio(to_us, to_server), server.wrap_bio(to_server, to_us, server_side=True))
        for _ in range(4):  # A handshake has three flights.
            for end in ends:
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return (
            f"The client certificate {certificate} ({CERT}) will hardly be accepted: {error.verify_message}. "
            "Have it renewed."
        )
    except ssl.SSLError:
        return ""  # The real broker will say.
    return ""
