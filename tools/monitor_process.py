"""The ward's page beside a command: a process of its own that ends with it."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.messages import say

READY_WITHIN_S = 30.0
ENDS_WITHIN_S = 3.0


@contextmanager
def monitor_beside(broker: str, environ: Mapping[str, str], *, allow_insecure: bool = False) -> Iterator[str]:
    """Show the sessions of a broker for as long as the context lasts, and say under which address.

    The page is on a free port of this machine.  Where it cannot be started, that is said, and the
    command goes on without it.

    Parameters
    ----------
    broker : str
        Its URL (for MQTT 3.1.1).
    environ : mapping of str
        The whole environment, with the broker's credentials.
    allow_insecure : bool
        As of `realtime.sinks.mqtt.address.Address.parse`.

    Yields
    ------
    str
        The address; empty where there is none.
    """
    command = [sys.executable, "-m", "tools.cli", "monitor", "--broker", broker, "--port", "0", "--beside"]
    process = subprocess.Popen(
        [*command, *(["--allow-insecure"] if allow_insecure else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(environ),
        cwd=Path(__file__).parents[1],
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    found: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("http"):
                found.append(line.strip())
                return

    reader = threading.Thread(target=read, name="monitor address", daemon=True)
    reader.start()
    try:
        reader.join(READY_WITHIN_S)
        if found:
            say("the page, research use only:")
            print(found[0], flush=True)  # a line to copy is not broken
        else:
            say("hemostream: the page could not be started; all else goes on.", error=True)
        yield found[0] if found else ""
    finally:
        process.stdin.close()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        process.stdout.close()
