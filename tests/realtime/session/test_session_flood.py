"""More entries than can be worked off: timers, signals and the end are still served."""

from pathlib import Path

import pytest

from models.bundle import Bundle
from realtime.log import Received
from realtime.session import session as session_module
from realtime.sinks.journal.journal import read_journal_entries
from tests.realtime.session.test_session import HandedIn, bundle, entries, run_session

__all__ = ["bundle"]


def test_the_end_is_served_before_a_backlog_and_the_backlog_is_kept(
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "SLICE_S", 0.0)
    monkeypatch.setattr(session_module, "END_WITHIN_S", 0.0)
    log = entries(600.0, chunk=1)
    path = tmp_path / "bed.hemostream"
    source = HandedIn(log)
    session, heard = run_session(bundle, source, journal=path)
    assert session.decisions < 500, "all was predicted before the end was looked at"
    kept = [entry for entry in read_journal_entries(path) if isinstance(entry, Received)]
    assert len(kept) == len([entry for entry in log if isinstance(entry, Received)])
    assert len(heard.decisions) == session.decisions
