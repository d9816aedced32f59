"""What becomes of a stream that came in the place of another and cannot be used, and of errors inside.

A first stream that lacks channels ends a session: a person is there to see the message.  A
replacement that does must not: hours later no one may be there, and the right one may come back.
Nor may an entry that the core was not made for: then everything begins anew behind it, and the error is
counted and reported.  So the core is not fed what it cannot use, by a rule that follows from the log alone,
live and when the log is predicted again.
"""

import traceback
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import BundleError, HemostreamError, RecipeError, SignalError
from models.outside import printable
from realtime.core.core import Core
from realtime.decision import Decision
from realtime.log import Entry, Produced, Received, StreamOpened
from realtime.windows import Window

UNUSABLE = (SignalError, RecipeError, BundleError)
"""What says that a stream does not fit the model or its pipeline."""


class StreamGuard:
    """Feeds a core.

    Parameters
    ----------
    core : Core
        Takes the entries.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._taken = 0  # streams that were opened and could be used so far
        self.refused = ""
        """Why the present stream cannot be used; empty where it can."""
        self.faults = 0
        """Unexpected errors so far."""
        self.fault = ""
        """The last of them."""

    def feed(self, entry: Entry) -> list[Window]:
        """Take the next entry of the log; give the windows it completes.

        Raises
        ------
        SignalError, RecipeError, BundleError
            The first stream cannot be used (`Core.feed`).
        StreamError
            Samples came before a stream was opened.
        """
        opening = isinstance(entry, StreamOpened)
        if self.refused and isinstance(entry, Received):
            return []
        try:
            windows = self._core.feed(entry)
        except UNUSABLE as error:
            if self._taken + opening < 2:
                raise
            self.refused = str(error)
            return []
        except HemostreamError:
            raise
        except Exception as error:
            if not self._taken:
                raise
            self._note(error)
            if opening:
                self.refused = self.fault
            self._core.recover(entry.local)
            return []
        if opening:
            self._taken += 1
            self.refused = ""
        return windows

    def decide(
        self, window: Window, logits: npt.NDArray[np.float32] | None, produced: Produced
    ) -> Decision | None:
        """As `Core.decide`; None where that raised an unexpected error.

        Parameters
        ----------
        window : Window
            As given by `feed`.
        logits : (n_labels,) float32, or None
            The network's output.
        produced : Produced
            The reading of the clock.
        """
        try:
            return self._core.decide(window, logits, produced)
        except HemostreamError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._note(error)
            return None

    def _note(self, error: Exception) -> None:
        self.faults += 1
        self.fault = fault_text(error)


def fault_text(error: BaseException) -> str:
    """The report of an unexpected error: its kind, its message, and where it was raised.

    Parameters
    ----------
    error : Exception
        The error.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return printable(f"{type(error).__name__}: {error}".rstrip(": "), 300) + where
