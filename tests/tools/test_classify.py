"""``classify`` of a journal that says itself that something is missing."""

from pathlib import Path

import pytest

from realtime.log import EventReceived, SessionStarted
from realtime.sinks.journal import JournalWriter
from tools.classify import warn_of_losses


@pytest.mark.parametrize("too_many", [0, 3])
def test_what_a_journal_lacks_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], too_many: int
) -> None:
    path = tmp_path / "bed.hemostream"
    troubles: list[str] = []
    # The thread looks rarely, so that the queue is full before it does.
    with JournalWriter(path, on_trouble=troubles.append, queue_size=5, linger_s=30.0) as journal:
        journal.append(SessionStarted(10.0, "bed", 1, "0" * 64))
        for i in range(4 + too_many):
            journal.append(EventReceived(11.0 + i, 11.0 + i, "tap"))
    warn_of_losses(path)
    said = capsys.readouterr().err
    if too_many:
        assert "lacks 3 entries" in said
        assert "15.0 s" in said
    else:
        assert said == ""
    assert troubles == []
