"""The embedded broker's own process: a script, run by `realtime.sinks.mqtt.broker` alone.

It ends when its standard input does: when its owner closes it, or is gone, however that went.
Signals to end are not for it.  Whoever ends a session by its process group, its terminal or its
service would otherwise end the broker before the session could say goodbye through it.
"""

import logging
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import iotcore


def main() -> None:
    """Serve as the configuration (a TOML file, the one argument) says."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    # rumqttd notes every message it routes as an error, topics and all.
    logging.disable(logging.CRITICAL)
    threading.Thread(target=_serve, args=(sys.argv[1],), daemon=True).start()
    sys.stdin.buffer.read()
    # Its owner does this too, where it can: passwords lie there.
    shutil.rmtree(Path(sys.argv[1]).parent, ignore_errors=True)
    os._exit(0)


def _serve(config: str) -> None:
    try:
        iotcore.Broker(config_path=config).run_forever()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
