"""The journal when anything at all goes wrong in its thread, or its file does not stay where it was."""

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import JournalError
from realtime.log import ClockMeasured, Entry, Origin, Received, SessionStarted, StreamOpened
from realtime.sinks.journal.journal import (
    JournalWriter,
    journal_runs,
    read_decisions,
    read_journal_entries,
    read_losses,
)
from realtime.sinks.journal.queue import JournalQueue
from realtime.sinks.journal.store import JournalStore
from realtime.sinks.journal.sync import SyncDue
from realtime.sinks.journal.writing import WriterThread
from tests.realtime.sinks.support import some_decision
from tests.realtime.support import intensity_spec

Until = Callable[..., None]
QUICK: dict[str, Any] = {"linger_s": 0.005, "sync_every_s": 0.02, "retry_s": (0.002, 0.01)}
HEADS: tuple[Entry, ...] = (
    SessionStarted(0.0, "bed-1", 1, "", {}),
    StreamOpened(0.1, intensity_spec(1), Origin(), "device"),
    ClockMeasured(0.2, 0.0, None),
)
PLACES: dict[str, tuple[type, str]] = {
    "commit": (JournalStore, "commit"),
    "sync": (JournalStore, "sync"),
    "ready": (JournalStore, "ready"),
    "abandon": (JournalStore, "abandon"),
    "first": (JournalQueue, "first"),
    "taken": (JournalQueue, "taken"),
    "acknowledged": (JournalQueue, "acknowledged"),
    "due": (SyncDue, "due"),
    "wait": (WriterThread, "_wait"),
}
"""Where something is made to go wrong in the writer's thread."""
ERRORS = [
    OverflowError("too large"),
    MemoryError(),
    OSError(28, "No space left on device"),
    RecursionError(),
    RuntimeError("Event loop is closed"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ZeroDivisionError(),
    KeyError("run"),
    AssertionError(),
    sqlite3.OperationalError("disk I/O error"),
    sqlite3.ProgrammingError("type 'dict' is not supported"),
    JournalError("anything"),
]


def chunk(local: float) -> Received:
    return Received(local, np.array([local]), np.full((2, 1), local))


def silent(message: str) -> None:
    raise AssertionError(f"trouble: {message}")


def wait_until(holds: Callable[[], object], why: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, why()
        time.sleep(0.0005)


@settings(max_examples=40, deadline=None)
@given(
    places=st.sets(st.sampled_from(sorted(PLACES)), min_size=1, max_size=3),
    error=st.sampled_from(ERRORS),
    skipped=st.integers(0, 3),
    times=st.integers(1, 6),
)
def test_whatever_is_raised_in_the_thread_is_reported_and_recovered_from(
    tmp_path_factory: pytest.TempPathFactory, places: set[str], error: Exception, skipped: int, times: int
) -> None:
    """Nothing is lost, nothing is twice, and the status says that the journal fails as long as it does."""
    path = tmp_path_factory.mktemp("journal") / "j"
    reported: list[tuple[str, bool]] = []
    answers: list[JournalError | None] = []
    raised: list[str] = []
    made: dict[str, JournalWriter] = {}

    def faulty(place: str, real: Callable[..., Any]) -> Callable[..., Any]:
        left = iter([*[False] * skipped, *[True] * times])

        def call(*given: Any, **named: Any) -> Any:
            there = "journal" in made and threading.current_thread().name == "journal"
            if there and next(left, False):
                raised.append(place)
                raise error
            return real(*given, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for place in places:
            of, name = PLACES[place]
            patch.setattr(of, name, faulty(place, getattr(of, name)))
        journal = JournalWriter(
            path, on_trouble=lambda answer: reported.append((answer, journal.failing)), **QUICK
        )
        made["journal"] = journal
        for head in HEADS:
            journal.append(head)
        for number in range(60):
            journal.append(chunk(float(number)))
            if number % 10 == 0:
                journal.decide(some_decision(number), answers.append, spooled=True)
                journal.acknowledge(1, number)
                wait_until(lambda: journal.depth < 5, lambda: (reported, raised, journal.depth))
        wait_until(lambda: not journal.depth and not journal.failing, lambda: (reported, raised))
        patch.undo()
        journal.close()
    locals_ = [entry.local for entry in read_journal_entries(path)]
    assert locals_ == [*(head.local for head in HEADS), *map(float, range(60))]
    assert list(read_decisions(path)) == [some_decision(number).to_json() for number in range(0, 60, 10)]
    assert read_losses(path) == ()
    assert journal.dropped == 0
    assert len(answers) == 6, "each is called once"
    if set(raised) - {"abandon"}:
        answer, failing = reported[0]
        assert failing
        assert "cannot be written" in answer
        assert type(error).__name__ in answer or str(error) in answer
        assert "written again" in reported[-1][0]


def test_a_terminal_that_is_gone_does_not_end_the_record(tmp_path: Path, until: Until) -> None:
    path = tmp_path / "j"

    def gone(message: str) -> None:
        raise OSError(5, "Input/output error")

    with JournalWriter(path, on_trouble=gone, **QUICK) as journal:
        path.unlink()
        journal.append(chunk(1.0))
        until(lambda: journal.depth == 0 and path.exists(), "the record")
    assert [entry.local for entry in read_journal_entries(path)] == [1.0]


def test_one_that_waits_for_a_decision_and_fails_keeps_the_others_waiting_for_nothing(
    tmp_path: Path, until: Until
) -> None:
    reported: list[str] = []
    answers: list[JournalError | None] = []

    def closed(error: JournalError | None) -> None:
        raise RuntimeError("Event loop is closed")

    with JournalWriter(tmp_path / "j", on_trouble=reported.append, **QUICK) as journal:
        for number in range(4):
            journal.decide(some_decision(number), answers.append if number else closed)
        until(lambda: len(answers) == 3, "the others")
        assert not journal.failing
    assert len(list(read_decisions(tmp_path / "j"))) == 4
    assert "Event loop is closed" in reported[0]


@pytest.mark.parametrize("where", [0, 5, 9])
def test_an_entry_that_alone_cannot_be_written_is_declared_and_all_others_are_kept(
    tmp_path: Path, until: Until, where: int
) -> None:
    """A run number beyond SQLite's integers once ended the thread, and `failing` stayed false."""
    path = tmp_path / "j"
    reported: list[str] = []
    answers: dict[int, JournalError | None] = {}
    with JournalWriter(path, on_trouble=reported.append, **QUICK) as journal:
        for number in range(10):
            journal.append(chunk(float(number)))
            if number == where:
                poison = some_decision(number, run=2**63)
                journal.decide(poison, lambda error: answers.update({-1: error}), spooled=True)
                journal.acknowledge(2**63, number)
            journal.decide(
                some_decision(number),
                lambda error, number=number: answers.update({number: error}),
                spooled=True,
            )
        until(lambda: not journal.depth and not journal.failing, "the rest")
        assert journal.dropped == 1
    assert len(list(read_decisions(path))) == 10
    assert [entry.local for entry in read_journal_entries(path)] == list(map(float, range(10)))
    (loss,) = read_losses(path)
    assert loss.missing == 1
    assert isinstance(answers[-1], JournalError)
    assert "OverflowError" in reported[0]
    assert any("cannot hold one entry" in answer for answer in reported)


# ------------------------------------------------------------------ the file


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for found in path.parent.glob(f"{path.name}*"):
        found.unlink()


def remove_beside(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def remove_index(path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink()


def replace_by_text(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("somebody's notes")
    other.replace(path)


def replace_by_a_journal(path: Path) -> None:
    other = path.with_name("other")
    with JournalWriter(other, on_trouble=silent) as journal:
        journal.append(SessionStarted(0.0, "bed-2", 1, "", {}))
    other.replace(path)


def replace_by_a_copy(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def forbid(path: Path) -> None:
    path.chmod(0o000)


WHOLE = [
    remove,
    remove_all,
    remove_beside,
    remove_index,
    replace_by_text,
    replace_by_a_journal,
    replace_by_a_copy,
    replace_by_a_folder,
    forbid,
]


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be removed there")
@pytest.mark.parametrize("harm", WHOLE, ids=lambda harm: harm.__name__)
def test_a_file_that_does_not_stay_in_its_place_is_made_anew_whole(
    tmp_path: Path, until: Until, harm: Callable[[Path], None]
) -> None:
    path = tmp_path / "j"
    reported: list[str] = []
    answers: list[JournalError | None] = []
    with JournalWriter(path, on_trouble=reported.append, **QUICK) as journal:
        for head in HEADS:
            journal.append(head)
        for number in range(100):
            if number == 50:
                until(lambda: journal.depth == 0)
                harm(path)
            journal.append(chunk(float(number)))
            journal.decide(some_decision(number), answers.append, spooled=True)
            if number >= 50 and random.random() < 0.2:
                until(lambda: journal.depth == 0)
        until(lambda: journal.depth == 0 and not journal.failing)
        assert journal.dropped == 0
    locals_ = [entry.local for entry in read_journal_entries(path)]
    assert locals_ == [*(head.local for head in HEADS), *map(float, range(100))]
    assert len(list(read_decisions(path))) == 100
    assert read_losses(path) == ()
    assert [(one.run, one.session) for one in journal_runs(path)] == [(1, "bed-1")]
    assert path.stat().st_mode & 0o777 in (0o600, 0o000)
    if harm is not forbid:
        assert any("removed" in answer or "replaced" in answer for answer in reported), reported
        assert any("made anew" in answer and "all that was written" in answer for answer in reported), (
            reported
        )
    if harm is replace_by_text:
        assert path.with_name("j.found-1").read_text() == "somebody's notes"
    assert not path.with_name("j-anew").exists()


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be removed there")
def test_a_lock_that_is_removed_lets_no_second_writer_in(tmp_path: Path, until: Until) -> None:
    path = tmp_path / "j"
    reported: list[str] = []
    with JournalWriter(path, on_trouble=reported.append, **QUICK) as journal:
        for head in HEADS:
            journal.append(head)
        until(lambda: journal.depth == 0)
        path.with_name("j-lock").unlink()
        journal.append(chunk(1.0))
        until(lambda: journal.depth == 0)
        with pytest.raises(JournalError, match="another session writes it"):
            JournalWriter(path, on_trouble=silent)
        journal.append(chunk(2.0))
    assert any("claimed again" in answer for answer in reported)
    assert [entry.local for entry in read_journal_entries(path)] == [
        *(head.local for head in HEADS),
        1.0,
        2.0,
    ]
    assert [found.name for found in tmp_path.iterdir()] == ["j"]


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be removed there")
def test_one_who_took_the_place_of_a_writer_is_reported_and_waited_for(tmp_path: Path, until: Until) -> None:
    """The lock was removed and another session was quicker: no entries are taken for another's."""
    path = tmp_path / "j"
    reported: list[str] = []
    with JournalWriter(path, on_trouble=reported.append, **QUICK) as journal:
        journal.append(SessionStarted(0.0, "bed-1", 1, "", {}))
        until(lambda: journal.depth == 0)
        path.with_name("j-lock").unlink()
        with JournalWriter(path, on_trouble=silent, **QUICK) as other:
            other.append(SessionStarted(1.0, "bed-1", 2, "", {}))
            other.append(chunk(2.0))
            until(lambda: other.depth == 0)
            for number in range(3, 23):
                journal.append(chunk(float(number)))
            until(lambda: journal.failing)
            assert not other.failing
        until(lambda: journal.depth == 0 and not journal.failing)
    assert any("another session writes it" in answer for answer in reported)
    assert [entry.local for entry in read_journal_entries(path)] == [float(number) for number in range(23)]
    assert read_losses(path) == ()


@pytest.mark.parametrize("size", [0, 100, 4096, 8192])
def test_a_file_that_is_cut_begins_again_with_its_heads_and_says_what_it_lacks(
    tmp_path: Path, until: Until, size: int
) -> None:
    path = tmp_path / "j"
    reported: list[str] = []
    with JournalWriter(path, on_trouble=reported.append, **QUICK) as journal:
        for head in HEADS:
            journal.append(head)
        for number in range(50):
            journal.append(chunk(float(number)))
        until(lambda: journal.depth == 0)
        # As a session of a few minutes has it: the main file holds most of it.
        with sqlite3.connect(path) as other:
            other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        other.close()
        journal.append(chunk(50.0))
        until(lambda: journal.depth == 0)
        os.truncate(path, size)
        for number in range(51, 100):
            journal.append(chunk(float(number)))
        until(lambda: journal.depth == 0 and not journal.failing)
    back = list(read_journal_entries(path))
    locals_ = [entry.local for entry in back]
    assert any("has been cut" in answer for answer in reported)
    assert any("made anew" in answer for answer in reported)
    assert [type(entry) for entry in back[:3]] == [type(head) for head in HEADS]
    lost = sum(loss.missing for loss in read_losses(path))
    assert len(locals_) + lost == 103, "kept or declared"
    assert locals_[-49:] == list(map(float, range(51, 100)))
    assert [one.run for one in journal_runs(path)] == [1]


def test_a_folder_that_is_gone_is_waited_for(tmp_path: Path, until: Until) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    path = folder / "j"
    reported: list[str] = []
    with JournalWriter(path, on_trouble=reported.append, **QUICK) as journal:
        journal.append(chunk(1.0))
        until(lambda: journal.depth == 0)
        folder.rename(tmp_path / "elsewhere")
        journal.append(chunk(2.0))
        until(lambda: journal.failing, "the trouble")
        folder.mkdir()
        until(lambda: journal.depth == 0 and not journal.failing, "the record")
    assert [entry.local for entry in read_journal_entries(path)] == [1.0, 2.0]


@pytest.mark.skipif(os.name != "posix", reason="permissions are kept elsewhere")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_this_user_may_read_a_journal(tmp_path: Path, until: Until, umask: int) -> None:
    before = os.umask(umask)
    try:
        with JournalWriter(tmp_path / "j", on_trouble=silent, **QUICK) as journal:
            journal.append(chunk(1.0))
            until(lambda: journal.depth == 0)
            modes = {found.name: found.stat().st_mode & 0o777 for found in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["j", "j-wal", "j-shm", "j-lock", "j-lock-journal"], 0o600)
