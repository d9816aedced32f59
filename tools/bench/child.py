"""How a process of the bench talks with the one that started it: lines of JSON.

A child tells events on its standard output and takes words on its standard input; when that ends,
so does the child, whatever became of its parent.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


def settings() -> dict[str, Any]:
    """What the parent gave on the command line."""
    values: dict[str, Any] = json.loads(sys.argv[1])
    return values


def tell(event: str, **values: Any) -> None:
    """Tell the parent."""
    print(json.dumps({"event": event, **values}), flush=True)


def listen(stop: Callable[[], None], **words: Callable[[], None]) -> None:
    """Listen to the parent in a thread, which costs nothing until there is a word.

    Parameters
    ----------
    stop : callable
        Called at ``stop`` and when the parent is gone.
    words : callables
        Called at the word of their name.  ``cpu`` is always answered: CPU seconds of this process
        so far, user and system, all threads.
    """

    def work() -> None:
        for line in sys.stdin:
            word = line.strip()
            if word == "cpu":
                tell("cpu", seconds=time.process_time(), at=time.monotonic())
            elif word in words:
                words[word]()
            elif word == "stop":
                break
        stop()

    threading.Thread(target=work, name="parent", daemon=True).start()
