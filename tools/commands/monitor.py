"""``hemostream monitor``: the ward's page."""

import asyncio
import contextlib
import getpass
import os
import sys
import threading
from pathlib import Path
from typing import Literal

from tools.commands.live_session import print_trouble
from tools.event_loop import run_async
from tools.messages import say


def monitor(
    *,
    broker: str = "mqtt://127.0.0.1:1883",
    host: str = "127.0.0.1",
    port: int = 8765,
    users: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    origin: str | None = None,
    add_user: str | None = None,
    role: Literal["read", "write"] = "read",
    allow_insecure: bool = False,
    beside: bool = False,
) -> None:
    """Show all sessions of a broker in a browser: decisions, signals, alarms, and how old they are.

    Research use only: a decision describes a signal, it is not a diagnosis.
    The page needs no internet. The address to open is printed; on this machine it holds a key.

    Parameters
    ----------
    broker : str
        mqtt://host:port or mqtts://host:port, as of "live". Credentials come from the same variables.
    host : str
        Address to listen on. Anything but this machine itself needs --certificate, --key and --users.
    port : int
        Port to listen on; 0 takes a free one.
    users : Path
        File of accounts: who may log in, and who may write events and acknowledge alarms.
    certificate : Path
        Certificate for TLS (PEM).
    key : Path
        Its key (PEM).
    origin : str
        Address that people use (https://...), where a proxy in front does TLS.
    add_user : str
        Add an account of this name to --users, and end. The password is asked for, or read from
        standard input.
    role : {"read", "write"}
        What the account that is added may do.
    allow_insecure : bool
        Allow a broker on another machine without TLS and credentials.
    beside : bool
        End when standard input does, as of a command that started it.
    """
    from models.errors import HemostreamError
    from realtime.monitor.server import KEY, Listening, serve
    from realtime.sinks.mqtt.address import Address
    from tools.cli import our_version

    if add_user is not None:
        if users is None:
            raise HemostreamError("--add-user needs the file to write to: --users FILE.")
        add_account(users, add_user, role)
        return
    address = Address.parse(broker, os.environ, allow_insecure=allow_insecure)
    for warning in address.warnings:
        print_trouble(warning)
    listening = Listening(
        host=host, port=port, certificate=certificate, private_key=key, users=users, origin=origin
    )

    def ready(url: str) -> None:
        say(f"monitor of {address}; research use only. Open:")
        print(url, flush=True)  # a line to copy is not broken

    async def run() -> None:
        stop = asyncio.Event()
        if beside:
            loop = asyncio.get_running_loop()
            threading.Thread(target=wait_for_end, args=(loop, stop), daemon=True).start()
        await serve(
            listening,
            address,
            ready=ready,
            on_trouble=print_trouble,
            version=our_version(),
            key=os.environ.get(KEY),
            stop=stop,
        )

    run_async(run())


def wait_for_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait until standard input ends, then set `stop`."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdin.read()
    with contextlib.suppress(RuntimeError):  # the loop is over already
        loop.call_soon_threadsafe(stop.set)


def add_account(path: Path, name: str, role: Literal["read", "write"]) -> None:
    """Append an account to a file, which only this user can read."""
    from models.errors import HemostreamError
    from realtime.monitor.passwords import account, line, read_accounts

    if path.exists() and name in read_accounts(path):
        raise HemostreamError(
            f"{path} has an account {name!r} already. Delete its line to give another password."
        )
    asked = (
        getpass.getpass(f"Password of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    )
    text = line(account(name, role, asked))
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(text)
    say(f"{name} may {'look and write events' if role == 'write' else 'look'}; see {path}")
