"""Why a broker is not connected, in words that say what to do about it."""

import ssl
from typing import NamedTuple

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from realtime.sinks.mqtt.client import RefusedError
from realtime.sinks.mqtt.tls import CA, CERT, KEY, PASSWORD, PASSWORD_FILE, USER

REFUSED_CREDENTIALS = {4, 5, 134, 135}
"""MQTT 3.1.1's and MQTT 5's codes for a wrong user or password and for no permission."""
NOT_YET_VALID, EXPIRED = 9, 10
"""OpenSSL's ``X509_V_ERR_CERT_NOT_YET_VALID`` and ``X509_V_ERR_CERT_HAS_EXPIRED``."""
OTHER_NAME = {62, 64}
"""... ``X509_V_ERR_HOSTNAME_MISMATCH`` and ``X509_V_ERR_IP_ADDRESS_MISMATCH``."""


class Trouble(NamedTuple):
    """What is wrong: a word for its kind, and a sentence or two."""

    kind: str
    text: str


def explain(error: aiomqtt.MqttError, *, session: str, brief: bool) -> Trouble:
    """Say what an error means.

    Parameters
    ----------
    error : aiomqtt.MqttError
        With which a connection failed or ended.
    session : str
        Name of the session.
    brief : bool
        Whether the connection was there and held for a moment only.
    """
    if isinstance(error, RefusedError):
        return Trouble(
            "refused",
            f"it does not take what session {session!r} publishes ({error}). Check that its access list lets "
            f"this user write to hemostream/{session}/#.",
        )
    # aiomqtt keeps the error that it found as the cause, or shows only its words.
    found = error.__cause__ or error.__context__
    if isinstance(found, ssl.SSLError):
        return _encryption(found)
    if isinstance(found, aiomqtt.MqttCodeError):
        error = found  # The broker's answer, rather than where we noticed.
    code = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
    if isinstance(error, MqttConnectError) and getattr(code, "value", code) in REFUSED_CREDENTIALS:
        return Trouble(
            "credentials",
            f"it refuses the credentials ({error}). Check {USER} and {PASSWORD} (or {PASSWORD_FILE}, or "
            f"{CERT}) in the environment, and that the broker lets this user in.",
        )
    if brief:
        return Trouble(
            "brief",
            f"{error}. The broker ended the connection soon: if another program publishes as session "
            f"{session!r}, end it or choose another name.",
        )
    hint = "Check that it runs and that the address is right."
    if isinstance(found, ConnectionResetError) or "greeted" in str(error):
        hint = (
            "Check that a broker listens there, and whether it is encrypted: mqtts://, or mqtt:// where not."
        )
    return Trouble("away", f"{error}. {hint}")


def _encryption(error: ssl.SSLError) -> Trouble:
    """What was wrong with a certificate, ours or the broker's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Trouble(f"certificate {error.verify_code}", _broker_certificate(error))
    answer = (error.reason or str(error)).lower().replace("_", " ")
    if "alert" in answer and (
        "certificate" in answer or "unknown ca" in answer or "handshake failure" in answer
    ):
        return Trouble(
            "client certificate",
            f"it refuses our certificate ({answer}). Give it one that it knows and that has not expired: "
            f"name the files in {CERT} and {KEY}.",
        )
    if "wrong version number" in answer or "record layer failure" in answer:
        return Trouble(
            "not encrypted",
            f"no encryption is spoken at this port ({answer}). Check the port; mqtts usually has 8883.",
        )
    return Trouble("encryption", f"the encrypted connection failed: {answer}. Check the broker's log.")


def _broker_certificate(error: ssl.SSLCertVerificationError) -> str:
    why = error.verify_message or str(error)
    if error.verify_code == EXPIRED:
        return (
            "its certificate has expired. Renew it on the broker; if it is still valid, this machine's date "
            "is wrong."
        )
    if error.verify_code == NOT_YET_VALID:
        return "its certificate is not valid yet. Check the dates of this machine and of the broker."
    if error.verify_code in OTHER_NAME:
        return (
            f"its certificate was made for another host ({why}). Name the broker as its certificate does, or "
            "have one made for this name."
        )
    return (
        f"its certificate is not trusted ({why}). If an authority of your own signed it, name that "
        f"authority's certificate (PEM) in {CA}."
    )
