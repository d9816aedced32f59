"""Condition a: the bedside session as ``hemostream live`` runs it, journal on disk and all."""

import os
import signal
from pathlib import Path

from models.bundle import read_bundle
from realtime.session.interfaces import SessionSettings
from realtime.sinks.mqtt.sink import MqttSink
from realtime.sources.lsl.source import StreamChoice
from realtime.status import Status
from tools.bench.child import listen, settings, tell
from tools.commands.live_session import bedside, print_trouble, run_loop


def main() -> None:
    given = settings()
    name = given["session"]
    session = bedside(
        read_bundle(given["bundle"]),
        StreamChoice(predicate=f"source_id='{given['source_id']}'", allow_replay=True),
        settings=SessionSettings(session=name),
        journal=Path(given["journal"]),
        broker=MqttSink(
            given["broker"],
            session=name,
            last_will=Status.lost(name, 1).to_json(),
            on_trouble=print_trouble,
        ),
        device=given["device"],
    )
    listen(lambda: os.kill(os.getpid(), signal.SIGTERM))
    tell("made")
    run_loop(session)


if __name__ == "__main__":
    main()
