"""How a recording is read for a bundle: as those of its training were, unless a person says otherwise.

A recipe's ``[input]`` says what files do not say themselves, or say wrongly: which stream, which units, what
the channels are.  A bundle's card keeps that, so that it need not be stated again.
"""

import json
from pathlib import Path
from typing import Any

from models.cards.window_card import CardRecording
from models.errors import RecordingError
from offline.base.remarks import show
from offline.recordings import Layout, read_recording
from offline.recordings.series import side_file_seconds
from realtime.sources.recording import Recording


def read_as_trained(
    path: Path,
    card: CardRecording,
    *,
    layout: Layout | None = None,
    allow_damaged: bool = False,
    **asked: Any,
) -> Recording:
    """Read a recording as those that a bundle was trained on.

    Options of `read_recording` that are given (not None) go before those of the bundle's card.

    Raises
    ------
    RecordingError
        As `read_recording`; and where the recording itself contradicts what the card says.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    own = {name: value for name in asked if name not in given and (value := getattr(card, name)) is not None}
    kept = dict(own)
    if layout is None and card.side_file is not None:
        layout = card.side_file
        kept["layout"] = "its side file"
    _refuse_other_seconds(path, own.get("repetition_time"))
    words = ", ".join(f"{name} = {json.dumps(value)}" for name, value in kept.items())
    try:
        read = read_recording(path, layout=layout, allow_damaged=allow_damaged, **given, **own)
    except RecordingError as error:
        if not kept:
            raise
        raise RecordingError(
            f"{error} It was read as the bundle's recordings were ({words}); options of the command go "
            "before these."
        ) from error
    if kept:
        show([f"{path.name}: read as the bundle's recordings were: {words}"])
    return read


def _refuse_other_seconds(path: Path, seconds: float | None) -> None:
    """Refuse a card's repetition time where the recording has another; where it has the same, both hold."""
    found = None if seconds is None else side_file_seconds(path)
    if found is not None and found != seconds:
        raise RecordingError(
            f"{path.with_suffix('.json')} says RepetitionTime {found!r}, the bundle's recordings had "
            f"{seconds!r} s; expected the same. Say which holds: --repetition-time SECONDS."
        )
