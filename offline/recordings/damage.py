"""A recording of which much cannot be read is not taken for a recording, unless somebody says so."""

from pathlib import Path

from models.errors import RecordingError
from realtime.sources.recording import Recording

LOST_SHARE = "lost_share"
"""Note of a recording: the part of what its file holds or declares that could not be read, 0 to 1."""
MOST_LOST = 0.1
"""A tenth: what is left of a session of 10 minutes then lacks one, and nobody knows which events with it."""


def refuse_damaged(recording: Recording, path: Path) -> None:
    """Refuse a recording of which more than `MOST_LOST` could not be read.

    Parameters
    ----------
    recording : Recording
        As read.
    path : Path
        Of the recording, for messages.

    Raises
    ------
    RecordingError
        States the share and what the reader remarked.
    """
    share = recording.notes.get(LOST_SHARE, 0.0)
    if isinstance(share, int | float) and share > MOST_LOST:
        raise RecordingError(
            f"{path} is damaged: {share:.0%} of what it should hold cannot be read, expected at most "
            f"{MOST_LOST:.0%} ({'; '.join(recording.remarks) or 'no more is known'}). Fetch the file again "
            "from where it was made, or take what is left with --allow-damaged (in a recipe: allow_damaged = "
            "true under [input])."
        )
