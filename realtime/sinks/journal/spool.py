"""The journal's spool: which decisions the broker has not acknowledged yet, of this run and of earlier ones.

A decision enters the spool in the very commit that writes it down, and leaves it with the commit
that follows its acknowledgement.  Whatever ends the process in between, what is still in the
spool goes to the broker later, as history; what was acknowledged in the last moment may go twice.
"""

from pathlib import Path

from realtime.sinks.journal.reader import reading
from realtime.sinks.mqtt.outbox import PAGE, Identity, Letter, Page


def read_spool(path: Path | str, since: Identity, before: Identity, limit: int = PAGE) -> Page:
    """Read some of what waits; takes no lock that the writer waits for.

    Parameters
    ----------
    path : path
        A journal, as its writer has opened it.
    since, before : (run, sequence)
        From which identity (inclusive) to which (exclusive).
    limit : int
        Most decisions to read, 1 or more.

    Returns
    -------
    Page
        The first of them, in order, byte for byte as they were written, and how many follow.

    Raises
    ------
    JournalError
        There is no such file, it is not a journal, or it is damaged.
    """
    part = "FROM spool WHERE (spool.run, spool.sequence) >= (?, ?) AND (spool.run, spool.sequence) < (?, ?)"
    with reading(Path(path)) as connection:
        connection.execute("BEGIN")  # Both answers from one state of the file.
        (number,) = connection.execute(f"SELECT count(*) {part}", (*since, *before)).fetchone()
        found = connection.execute(
            "SELECT run, sequence, (SELECT body FROM decisions WHERE decisions.id = spool.id)"
            f" {part} ORDER BY run, sequence LIMIT ?",
            (*since, *before, limit),
        )
        never = float("-inf")
        letters = [Letter(run, sequence, body, never, True) for run, sequence, body in found]
    return Page(letters, number - len(letters))
