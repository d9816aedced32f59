"""The broker that comes with hemostream, so that a first run needs nothing installed.

It is rumqttd (through iotcore) in a process of its own, on two loopback ports: one that speaks
MQTT 3.1.1 and one that speaks MQTT 5.  For real use name a broker of your own.

Loopback is open to every account of the machine, so it lets in only who knows a password that is made for
this broker and lies in a folder that only this user can read.  Whoever knows it may subscribe and publish:
rumqttd knows no rights beyond that.
"""

import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import BrokerError
from models.files.private import write_private
from realtime.sinks.mqtt.tls import PASSWORD, USER

LOOPBACK = "127.0.0.1"
MAX_PAYLOAD = 1 << 20
"""Longest message (bytes); iotcore's own default of 20 KiB would refuse a long status."""
ATTEMPTS = 5
"""How often free ports are looked for: another program may take one before the broker does."""
STARTS_WITHIN_S = 20.0
ENDS_WITHIN_S = 5.0
AGAIN_S = (0.1, 5.0)
"""First and longest wait (s) before a broker that ended is started again."""
NAME = "hemostream"
"""The user whom the broker lets in."""
CLIENT_FOLDER, CLIENT_FILE = "XDG_CONFIG_HOME", "mosquitto_sub"
"""Variable and file from which mosquitto's clients read options, so that no password is in a command."""

_CONFIG = """
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""
_LISTENER = """
[{version}.1]
name = "hemostream-{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 100
dynamic_filters = true

[{version}.1.connections.auth]
{user} = "{password}"
"""


class EmbeddedBroker:
    """A broker on this machine only, for as long as the context lasts.

    Its process ends with the context, and by itself when this process ends in any other way.  It is in
    a session of its own and minds no signal to end (`realtime.sinks.mqtt.broker_child`), so whoever ends a
    bedside session by Ctrl-C, by its process group or as a service leaves it time to say goodbye.

    Parameters
    ----------
    port, port_v5 : int or None
        TCP ports for MQTT 3.1.1 and MQTT 5; None takes a free one.
    on_trouble : callable of str
        Called, from a thread of its own, when the broker ended by itself and when it is there again.

    Raises
    ------
    BrokerError
        On entering: a port is in use, or the broker does not start.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        port_v5: int | None = None,
        on_trouble: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._asked = port, port_v5
        self._tell = on_trouble
        self._password = secrets.token_urlsafe(24)
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None
        self._ports = (0, 0)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where MQTT 3.1.1 is spoken."""
        return f"mqtt://{LOOPBACK}:{self._ports[0]}"

    @property
    def url_v5(self) -> str:
        """Where MQTT 5 is spoken."""
        return f"mqtt://{LOOPBACK}:{self._ports[1]}"

    @property
    def environ(self) -> Mapping[str, str]:
        """User and password, as a session takes them (`realtime.sinks.mqtt.address.Address.parse`)."""
        return {USER: NAME, PASSWORD: self._password}

    @property
    def password_file(self) -> Path:
        """Where the password stands, for subscribers of this user; gone with the broker."""
        return self._inside("password")

    def subscribe_command(self, topic: str) -> str:
        """What to type into a shell to see what is published."""
        return f"{CLIENT_FOLDER}={self._inside('')} {CLIENT_FILE} -v -t '{topic}'"

    def _inside(self, name: str) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / name

    def __enter__(self) -> Self:
        for port in self._asked:
            if port is not None and _in_use(port):
                raise _port_taken(port)
        attempts = 1 if None not in self._asked else ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                self._start()
                break
            except OSError as error:  # Another program took a port between our look and the broker's.
                self.close()
                if attempt == attempts:
                    raise _port_taken(*self._ports) from error
            except RuntimeError as error:
                self.close()
                raise BrokerError(
                    f"The embedded broker does not start on ports {self._ports[0]} and {self._ports[1]} "
                    f"({error}). Name a broker of your own with --broker mqtt://HOST:PORT."
                ) from error
        self._closing.clear()
        self._watch = threading.Thread(target=self._keep_running, name="broker-watch", daemon=True)
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the broker; its ports are free afterwards."""
        self._closing.set()
        self._end()
        if self._watch is not None:
            self._watch.join()
            self._watch = None
            self._end()  # What the watch may have started meanwhile.
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _keep_running(self) -> None:
        """Start the broker again, on the same ports and with the same password, whenever it has ended."""
        while not self._closing.is_set():
            process = self._process
            if process is None:
                return
            code = process.wait()
            assert process.stdin is not None
            process.stdin.close()
            if self._closing.is_set():
                return
            self._tell(
                f"The embedded broker {_ended(code)}. It is started again at {self.url} and {self.url_v5}; "
                "subscribers must connect again."
            )
            pause, longest = AGAIN_S
            reported = False
            while not self._closing.wait(pause):
                try:
                    self._run()
                    self._tell("The embedded broker is there again.")
                    break
                except (OSError, RuntimeError) as error:
                    if self._process is not None:  # Its goodbye would remove the configuration.
                        self._process.kill()
                        self._process.wait()
                        assert self._process.stdin is not None
                        self._process.stdin.close()
                    pause = min(2 * pause, longest)
                    if not reported:
                        reported = True
                        self._tell(f"The embedded broker cannot be started again yet: {error}.")

    def _start(self) -> None:
        free = _free_ports(2)
        first, second = (port or free.pop() for port in self._asked)
        self._ports = first, second
        self._folder = tempfile.TemporaryDirectory(prefix="hemostream-broker-")
        listeners = [
            _LISTENER.format(
                version=version,
                host=LOOPBACK,
                port=port,
                payload=MAX_PAYLOAD,
                user=NAME,
                password=self._password,
            )
            for version, port in zip(("v4", "v5"), self._ports, strict=True)
        ]
        write_private(self._inside("broker.toml"), _CONFIG + "".join(listeners))
        write_private(self.password_file, f"{self._password}\n")
        options = {"h": LOOPBACK, "p": first, "u": NAME, "P": self._password}
        write_private(
            self._inside(CLIENT_FILE), "".join(f"-{key} {value}\n" for key, value in options.items())
        )
        self._run()

    def _run(self) -> None:
        """Start the process, and wait until it listens."""
        if any(_in_use(port) for port in self._ports):
            raise OSError("a port was taken by another program")
        script = Path(__file__).with_name("broker_child.py")
        process = self._process = subprocess.Popen(
            # -P: files next to the script (signal.py, say) must not replace Python's own.
            [sys.executable, "-P", str(script), str(self._inside("broker.toml"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not all(_answers(port) for port in self._ports):
            if process.poll() is not None:
                raise RuntimeError(f"it {_ended(process.returncode)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"it does not listen after {STARTS_WITHIN_S:g} s")
            time.sleep(0.02)


def _ended(code: int) -> str:
    """How a process ended, as the end of a sentence."""
    if code < 0:
        return f"was ended by signal {signal.Signals(-code).name}"
    return f"ended with code {code}"


def _free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":  # There it would let two programs share the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def _port_taken(*ports: int) -> BrokerError:
    named = " or ".join(str(port) for port in ports)
    return BrokerError(
        f"Port {named} on {LOOPBACK} is in use by another program. Choose another port, or name the "
        f"broker that is there with --broker mqtt://{LOOPBACK}:{ports[0]}."
    )
