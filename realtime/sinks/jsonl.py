"""Decisions as JSON lines: a file (or a terminal) that holds one decision a line."""

from pathlib import Path
from types import TracebackType
from typing import IO, Self

from models.errors import HemostreamError


class JsonLinesSink:
    """Writes each decision as one line, flushed, so that a follower sees it at once.

    Parameters
    ----------
    to : path or text stream
        A path is created or replaced, and closed at the end; a stream that is already open (standard
        output) is written to and left open.

    Raises
    ------
    HemostreamError
        The file cannot be created.
    """

    def __init__(self, to: Path | str | IO[str]) -> None:
        self._owned = isinstance(to, Path | str)
        if not isinstance(to, Path | str):
            self._stream = to
            return
        try:
            # The same bytes everywhere: no translation of line ends, no local encoding.
            self._stream = Path(to).open("w", encoding="utf-8", newline="\n")  # noqa: SIM115
        except OSError as error:
            raise HemostreamError(f"Decisions cannot be written to {to}: {error.strerror}.") from error

    def publish(self, text: str, window_end: float = 0.0) -> None:
        """Write one decision (`realtime.sinks.Sink`)."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file, if it is ours."""
        if self._owned:
            self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
