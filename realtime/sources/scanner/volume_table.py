"""What became of every volume, a line of JSON each, on the disk before the next volume comes: `VolumeTable`.

It stands beside the session's journal, and not in it: no decision depends on a volume's identity, and the
table is
whole also where no session listens, or one starts late.  Both are joined by the stamp, which is the same
number in
the table, on the wire and in the journal, so that a replay of the journal still finds the volume of every
sample.
"""

import json
import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from models.files.private import open_private

MOST_WAITING = 100_000
"""Lines that are kept while there is no room on the disk."""


class VolumeTable:
    """The table of one run of the scanner command.

    Parameters
    ----------
    path : Path
        Of the file; what is there is replaced.

    Raises
    ------
    OSError
        It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] = open_private(path, "wb", buffering=0)
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._part = b""  # of a line that only in part found room
        self.trouble = ""
        """Why lines cannot be written at present; empty where they can."""

    def write(self, values: Mapping[str, Any]) -> None:
        """Write a line and force it onto the disk; keep it where there is no room, and try again with the
        next."""
        text = json.dumps(values, separators=(",", ":"), allow_nan=False)
        self._waiting.append(text.encode() + b"\n")
        self.flush()

    def flush(self) -> None:
        """Try what waits."""
        try:
            while self._part or self._waiting:
                self._part = self._part or self._waiting.popleft()
                self._part = self._part[self._file.write(self._part) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self.trouble = error.strerror or type(error).__name__
        else:
            self.trouble = ""

    @property
    def waiting(self) -> int:
        """Lines that are not on the disk."""
        return len(self._waiting) + bool(self._part)

    def close(self) -> None:
        """Write what is left, and end."""
        self.flush()
        self._file.close()
