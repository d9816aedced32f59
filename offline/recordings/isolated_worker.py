"""What runs in the separate process (`offline.recordings.isolated`): read what is asked for, say what it was.

It asks nothing and keeps nothing, so it may die at any time.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from models.errors import HemostreamError, RecordingError
from offline.recordings import read_here
from offline.recordings.isolated import size_of
from offline.recordings.wire import send

IDLE_S = 20.0
"""So long without a question it goes on waiting; one cohort's recordings come faster."""
ROOM, ROOM_PER_BYTE = 2**30, 256
"""Bytes of memory that one file may cost: some for the libraries, and some for each of its own bytes."""


def serve() -> None:
    """Answer questions from standard input until there are no more, or none for a while."""
    # What libraries print must not stand between our answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        idle = threading.Timer(IDLE_S, os._exit, [0])
        idle.daemon = True
        idle.start()
        question = sys.stdin.buffer.readline()
        idle.cancel()
        if not question:
            return
        wanted = json.loads(question)
        os.chdir(wanted["folder"])
        _bound(size_of(Path(wanted["path"])))
        _alarm(wanted["patience"] + 5)
        try:
            recording = _read(Path(wanted["path"]), wanted["options"])
        except HemostreamError as error:
            answer = {"error": type(error).__name__, "message": str(error)}
            answers.write(json.dumps(answer).encode() + b"\n")
        else:
            answers.write(b"{}\n")
            send(recording, answers)
            del recording
        answers.flush()
        _alarm(0)


def _read(path: Path, options: dict[str, Any]) -> Any:
    try:
        return read_here(path, **options)
    except MemoryError as error:
        raise RecordingError(
            f"{path} is damaged, or larger than this machine can hold: reading it took more memory than "
            f"{(ROOM + ROOM_PER_BYTE * size_of(path)) / 2**30:.1f} GiB."
        ) from error


def _alarm(seconds: float) -> None:
    """End this process by then, even if who asked is gone and a library goes round in circles."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds))


def _bound(size: int) -> None:
    """Let this process take so much more memory than it has."""
    if sys.platform == "linux":  # macOS does not hold to it, Windows has nothing like it
        import resource

        have = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = have + ROOM + ROOM_PER_BYTE * size
        resource.setrlimit(resource.RLIMIT_AS, (wanted if most < 0 else min(wanted, most), most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
