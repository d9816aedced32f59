"""A folder that a scanner exports into: which files are worth reading now (`FolderWatch`).

Two ways at once.  The kernel tells when a writer closes a file or a file is renamed into the folder: such a
file is
given at once.  And the folder is looked at on a schedule: a file whose size and time are the same in two
looks is
given.  On network mounts the kernel tells nothing, and the second way alone must do.  Either way the reader
decides
whether the file is whole; one that is not is given again when it has changed.
"""

import os
import queue
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from models.errors import StreamError

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

RESCAN_S = 1.0
"""How often the folder is looked at where the kernel tells of files, s: it may lose some."""
MOST_FILES = 200_000
"""Files of a folder that is watched; a day of scanning exports some thousands."""

Stamp = tuple[int, int]
"""Size (bytes) and time of the last change (ns) of a file."""


class FolderWatch:
    """The files of a folder as they become whole.

    Parameters
    ----------
    folder : Path
        That is exported into; what lies in folders below it is not looked at.
    poll_s : float or None
        Look at the folder every so many seconds and do not ask the kernel; None asks it.
    clock : callable
        Local time, s.

    Raises
    ------
    StreamError
        There is no such folder.
    """

    def __init__(
        self, folder: Path, *, poll_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not folder.is_dir():
            raise StreamError(
                f"{folder} is no folder; expected the one that the scanner exports into (--watch)."
            )
        self.folder = folder.resolve()
        self._poll_s = poll_s or RESCAN_S
        self._clock = clock
        self._told: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._given: dict[str, Stamp] = {}
        self._seen: dict[str, Stamp] = {}
        self._gone = ""
        self._next_look = clock()
        self._observer: BaseObserver | None = None
        if poll_s is None:
            self._observer = _observe(self.folder, self._told.put)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ask the kernel for nothing any more."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    @property
    def asks_the_kernel(self) -> bool:
        """Whether files are given as soon as they are closed."""
        return self._observer is not None

    @property
    def trouble(self) -> str:
        """Why the folder cannot be looked at; empty where it can."""
        return self._gone

    def standing(self) -> list[Path]:
        """The files that lie there now, by name; they are taken for given, until they change."""
        found = self._listed()
        self._given.update(found)
        self._seen.update(found)
        return [self.folder / name for name in sorted(found)]

    def wait(self, timeout: float) -> list[Path]:
        """Files that are worth reading, in the order in which they became so; none after a while (s)."""
        end = self._clock() + timeout
        while True:
            out = self._of_kernel()
            now = self._clock()
            if now >= self._next_look:
                self._next_look = now + self._poll_s
                out += [path for path in self._looked() if path not in out]
            if out or now >= end:
                return out
            try:
                told = self._told.get(timeout=max(0.0, min(end, self._next_look) - now))
            except queue.Empty:
                continue
            if self._take(told):
                return [told, *(path for path in self._of_kernel() if path != told)]

    def _of_kernel(self) -> list[Path]:
        out: list[Path] = []
        while True:
            try:
                told = self._told.get_nowait()
            except queue.Empty:
                return out
            if self._take(told) and told not in out:
                out.append(told)

    def _take(self, path: Path) -> bool:
        """Whether a file is there and was not given as it is."""
        stamp = _stamp(path)
        if stamp is None or self._given.get(path.name) == stamp:
            return False
        self._given[path.name] = stamp
        return True

    def _looked(self) -> list[Path]:
        """Files that have not changed since the last look, and were not given as they are."""
        found = self._listed()
        steady = [name for name, stamp in found.items() if self._seen.get(name) == stamp]
        self._seen = found
        if not self._gone:
            self._given = {name: stamp for name, stamp in self._given.items() if name in found}
        chosen = [name for name in steady if self._given.get(name) != found[name]]
        self._given.update({name: found[name] for name in chosen})
        return [self.folder / name for name in sorted(chosen, key=lambda name: (found[name][1], name))]

    def _listed(self) -> dict[str, Stamp]:
        """Every file with its stamp; what is there without a name to read (a folder, a hidden file) aside."""
        out: dict[str, Stamp] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if len(out) >= MOST_FILES:
                        break
                    if not entry.name.startswith(".") and (stamp := _stamp(Path(entry.path))) is not None:
                        out[entry.name] = stamp
        except OSError as error:
            self._gone = f"The folder {self.folder} cannot be read ({error.strerror}); it is tried again."
            return dict(self._seen)
        self._gone = ""
        return out


def _stamp(path: Path) -> Stamp | None:
    """Size and time of a file; None where there is no plain file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if path.is_file() else None


def _observe(folder: Path, tell: Callable[[Path], None]) -> "BaseObserver | None":
    """Ask the kernel; None where it cannot tell when a file is closed."""
    if not sys.platform.startswith("linux"):
        return None
    from watchdog.events import FileClosedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.inotify import InotifyObserver

    class Closed(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if isinstance(event, FileClosedEvent | FileMovedEvent):
                name = event.dest_path if isinstance(event, FileMovedEvent) else event.src_path
                path = Path(os.fsdecode(name))
                if name and path.parent == folder and not path.name.startswith("."):
                    tell(path)

    # All events: only then a file that was renamed from elsewhere is told as such, and not as a new one.
    observer = InotifyObserver(generate_full_events=True)
    observer.schedule(Closed(), str(folder))
    try:
        observer.start()
    except OSError:
        return None  # the kernel has no watch left: looking on schedule does
    return observer
