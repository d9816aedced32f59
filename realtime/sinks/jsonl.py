"""Decisions as JSON lines: a file (or a terminal) that holds one decision a line."""

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from models.errors import HemostreamError
from models.files.private import open_private


class JsonLinesSink:
    """Writes each decision as one line, flushed, so that a follower sees it at once.

    A disk that fills up ends the file but not the session; `close` says so.

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
        self._name = str(getattr(to, "name", to))
        self._owned = isinstance(to, Path | str)
        self._error: OSError | None = None
        self.missing = 0
        """Decisions that could not be written."""
        if not isinstance(to, Path | str):
            self._stream = to
            return
        try:
            # The same bytes everywhere: no translation of line ends, no local encoding.
            self._stream = open_private(to, newline="\n")
        except OSError as error:
            raise HemostreamError(f"Decisions cannot be written to {to}: {error.strerror}.") from error

    def publish(self, text: str, window_end: float = 0.0) -> None:
        """Write one decision (`realtime.sinks.Sink`)."""
        if self._error is None:
            try:
                self._stream.write(f"{text}\n")
                self._stream.flush()
            except OSError as error:
                self._error = error
        # After a failure the last line may be half of one: nothing is written behind it.
        self.missing += self._error is not None

    def close(self) -> None:
        """Close the file, if it is ours.

        Raises
        ------
        HemostreamError
            Decisions could not be written; says how many.
        """
        if self._owned:
            with suppress(OSError):  # What is left in its buffer is part of what is missing.
                self._stream.close()
        if self._error is not None:
            raise HemostreamError(
                f"The last {self.missing} decisions are not in {self._name}: {self._error.strerror}. "
                "Make room, and classify the journal or recording again."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
