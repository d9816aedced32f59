"""The monitor as a whole: where it listens, under which conditions, and what runs in it."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from models.errors import BrokerError
from realtime.monitor.access import Access
from realtime.monitor.app import Monitor, new_key
from realtime.monitor.beds import Beds
from realtime.monitor.inlet import Inlet
from realtime.monitor.passwords import read_accounts
from realtime.monitor.prometheus import metrics_of
from realtime.sinks.mqtt.address import Address, is_loopback

PORT = 8765
KEY = "HEMOSTREAM_MONITOR_KEY"
LOOK_S = 0.1
"""How often it is looked whose heart has stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the monitor is reached, and how.

    Parameters
    ----------
    host, port : str, int
        Where it listens; port 0 takes a free one.
    certificate, private_key : path or None
        For TLS, in PEM.
    users : path or None
        The accounts; None lets in whoever opens the printed address.
    origin : str or None
        The address that people use where that is another one, as behind a proxy.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    certificate: Path | None = None
    private_key: Path | None = None
    users: Path | None = None
    origin: str | None = None

    def check(self) -> None:
        """Refuse what is not safe.

        Raises
        ------
        BrokerError
            It listens beyond this machine without TLS or without accounts.
        """
        if (self.certificate is None) != (self.private_key is None):
            raise BrokerError("TLS needs both --certificate and --key.")
        if self.origin is not None:
            parts = urlsplit(self.origin)
            if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/") or parts.username:
                raise BrokerError(f"--origin is {self.origin!r}; expected https://HOST or https://HOST:PORT.")
            if self.users is None:
                raise BrokerError("Behind a proxy people log in: name their accounts with --users FILE.")
        if is_loopback(self.host):
            return
        lacks = [] if self.certificate else ["TLS (--certificate and --key)"]
        if self.users is None:
            lacks.append("accounts (--users)")
        if lacks:
            raise BrokerError(
                f"--host {self.host} is reached from other machines, and lacks {' and '.join(lacks)}. "
                "Decisions are about people: add what is missing, or let a proxy do it (--origin)."
            )

    def bind(self) -> socket.socket:
        """A socket that listens.

        Raises
        ------
        BrokerError
            The address cannot be used.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            raise BrokerError(
                f"The monitor cannot listen on {self.host}:{self.port} ({error}). Choose another "
                "--port; 0 takes a free one."
            ) from error
        return listener

    def origins(self, port: int) -> list[str]:
        """Under which addresses a browser may ask for it."""
        if self.origin is not None:
            return [self.origin.rstrip("/").lower()]
        scheme, standard = ("https", 443) if self.certificate else ("http", 80)
        names = [f"[{self.host}]" if ":" in self.host else self.host]
        if is_loopback(self.host):
            names += ["localhost", "127.0.0.1"]
        elif self.host in ("0.0.0.0", "::"):
            names = [socket.gethostname(), socket.getfqdn()]
        found = [f"{scheme}://{name}" + ("" if port == standard else f":{port}") for name in names]
        return list(dict.fromkeys(found))


async def serve(
    listening: Listening,
    address: Address,
    *,
    ready: Callable[[str], None],
    on_trouble: Callable[[str], None],
    version: str = "",
    key: str | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run the monitor until it is told to stop.

    Parameters
    ----------
    listening : Listening
        Where it is reached.
    address : Address
        The broker.
    ready : callable of str
        Called with the address to open, once it listens.
    on_trouble : callable of str
        Called when the broker is lost and when it is there again.
    version : str
        Of hemostream; shown.
    key : str or None
        Of the printed address; None makes one.
    stop : asyncio.Event or None
        Ends it when it is set; SIGINT and SIGTERM do, too.

    Raises
    ------
    BrokerError
        It cannot listen so, or may not.
    """
    listening.check()
    accounts = None if listening.users is None else read_accounts(listening.users)
    beds = Beds()
    inlet = Inlet(address, beds, on_trouble=on_trouble)
    key = key or new_key()
    access = Access(accounts=accounts, key=key, clock=beds.clock)
    listener = listening.bind()
    origins = listening.origins(listener.getsockname()[1])
    monitor = Monitor(beds, inlet, access, origins=origins, version=version, metrics=lambda: metrics_of(beds))
    config = uvicorn.Config(
        monitor.app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        limit_concurrency=256,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=16384,
        http="h11",
        ws="none",
        # An address that a client writes into a header is nobody's.
        proxy_headers=False,
    )
    if listening.certificate is not None and listening.private_key is not None:
        config.ssl_certfile, config.ssl_keyfile = str(listening.certificate), str(listening.private_key)
    server = uvicorn.Server(config)
    tasks = [
        asyncio.create_task(inlet.run(), name="monitor inlet"),
        asyncio.create_task(_look(beds), name="monitor look"),
    ]
    if stop is not None:
        tasks.append(asyncio.create_task(_stop(server, stop), name="monitor stop"))
    ready(origins[0] + ("/" if accounts is not None else f"/enter?key={key}"))
    try:
        await server.serve(sockets=[listener])
    except ssl.SSLError as error:
        raise BrokerError(
            f"The certificate {listening.certificate} or its key cannot be used ({error})."
        ) from error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(OSError):
            listener.close()


async def _look(beds: Beds) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        beds.look()


async def _stop(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
