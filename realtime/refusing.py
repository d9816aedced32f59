"""What becomes of a stream that came in the place of another and cannot be used.

A first stream that lacks channels ends a session: somebody is there, who must be told.  A
replacement that does must not: hours later nobody may be there, and the right one may come back.
So the core is not fed what it cannot use, by a rule that follows from the log alone, live and
when the log is judged again.
"""

from models.errors import SignalError
from realtime.core import Core
from realtime.log import Entry, Received, StreamOpened
from realtime.windows import Window


class Refusing:
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

    def feed(self, entry: Entry) -> list[Window]:
        """Take the next entry of the log; give the windows it completes.

        Raises
        ------
        SignalError
            The first stream cannot be used (`Core.feed`).
        StreamError
            Samples came before a stream was opened.
        """
        opening = isinstance(entry, StreamOpened)
        if self.refused and isinstance(entry, Received):
            return []
        try:
            windows = self._core.feed(entry)
        except SignalError as error:
            if self._taken + opening < 2:
                raise
            self.refused = str(error)
            return []
        if opening:
            self._taken += 1
            self.refused = ""
        return windows
