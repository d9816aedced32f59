"""When what was committed is forced onto the disk, so that the end of the power costs a second at most.

An fsync takes milliseconds, and a decision that comes meanwhile waits for it.  The best moment is
right after a decision was acknowledged: none comes for a while.  Where decisions are rare, or none
come, the time that has gone by since the first commit that is not forced out yet decides; it runs
out well between two decisions at the usual step of a second.
"""

BEHIND_A_DECISION = 0.5
"""Part of the promised time that must have passed since the last fsync for one behind a decision."""
WITHOUT_A_DECISION = 0.6
"""Part of the promised time that a commit waits for a decision behind which the fsync can hide.  The
rest is for the writer to look up and for the disk."""


class SyncDue:
    """Keeps the promise that a commit is on the disk within ``every_s``.

    Parameters
    ----------
    every_s : float
        The promise, s; whoever holds one of these must `due` it at least every fifth part of that.
    now : float
        Any monotonic clock, s.
    """

    def __init__(self, every_s: float, now: float) -> None:
        self._every_s = every_s
        self._synced_at = now
        self._first_unsynced: float | None = None

    @property
    def unsynced(self) -> bool:
        """Whether anything is committed and not on the disk."""
        return self._first_unsynced is not None

    def committed(self, now: float) -> None:
        """Something was committed at this time (s)."""
        if self._first_unsynced is None:
            self._first_unsynced = now

    def due(self, now: float, *, decided: bool) -> bool:
        """Whether to force it out now (s), right after a decision or not."""
        if self._first_unsynced is None:
            return False
        if decided and now - self._synced_at >= BEHIND_A_DECISION * self._every_s:
            return True
        return now - self._first_unsynced >= WITHOUT_A_DECISION * self._every_s

    def synced(self, now: float) -> None:
        """Everything is on the disk; the fsync began at this time (s)."""
        self._synced_at, self._first_unsynced = now, None
