"""The journal when the process is killed, the power ends, or the disk is full: what was promised is kept."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.log import Received, SessionStarted
from realtime.sinks.journal.format import TABLES, encode
from realtime.sinks.journal.journal import (
    JournalWriter,
    journal_runs,
    next_run,
    read_decisions,
    read_journal_entries,
    read_losses,
)
from realtime.sinks.journal.store import Decided, JournalStore, Started
from realtime.sinks.journal.sync import SyncDue
from tests.realtime.sinks.support import some_decision

ROOT = Path(__file__).parents[3]
EVERYTHING = ((0, 0), (99_999, 0))


def silent(message: str) -> None:
    raise AssertionError(f"trouble: {message}")


# A nursery: imports once, then has a hundred children, each of which writes as fast as it can into the
# same journal until it is killed.  A child tells by a pipe what was acknowledged to it, and which
# acknowledgements of a broker it handed on whose note is surely committed.
NURSERY = """
import os, random, signal, sys, time
import numpy as np
from realtime.log import Received, SessionStarted
from realtime.sinks.journal.journal import JournalWriter, next_run
from tests.realtime.sinks.support import some_decision

def child(path, run, out):
    journal = JournalWriter(path, on_trouble=lambda message: os._exit(7), linger_s=0.002, sync_every_s=0.02)
    journal.append(SessionStarted(0.0, "bed-1", run, "", {}))
    for sequence in range(10**9):
        for part in range(3):
            value = sequence * 3.0 + part
            journal.append(Received(value, np.array([1.0]), np.full((20, 1), value)))
        def committed(error, sequence=sequence):
            os.write(out, b"%d %s\\n" % (sequence, b"error" if error else b"kept"))
            if sequence % 2 == 0:  # The broker has every other decision.
                journal.acknowledge(run, sequence)
        journal.decide(some_decision(sequence, run=run), committed, spooled=True)
        while journal.depth > 8:
            time.sleep(0.0001)

path, kills = sys.argv[1], int(sys.argv[2])
for _ in range(kills):
    run = next_run(path, "bed-1")
    into, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(into)
        child(path, run, out)
    os.close(out)
    reported = b""
    while b"\\n" not in reported:  # It has begun.
        reported += os.read(into, 65536)
    time.sleep(random.random() * 0.03)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while part := os.read(into, 65536):
        reported += part
    os.close(into)
    lines = reported.decode().splitlines()
    lines = lines if reported.endswith(b"\\n") else lines[:-1]
    assert all(line.endswith("kept") for line in lines), lines
    print(run, len(lines), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_nothing_acknowledged_is_lost_by_a_hundred_kills(tmp_path: Path) -> None:
    path = tmp_path / "j"
    done = subprocess.run(
        [sys.executable, "-c", NURSERY, str(path), "100"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reported = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert [run for run, _ in reported] == list(range(1, 101)), "each run continues the journal"
    assert [one.run for one in journal_runs(path)] == list(range(1, 101))
    decided: dict[int, list[int]] = {run: [] for run, _ in reported}
    for text in read_decisions(path):
        decision = json.loads(text)
        decided[decision["run"]].append(decision["sequence"])
    chunks: dict[int, list[float]] = {}
    for entry in read_journal_entries(path):
        if isinstance(entry, SessionStarted):
            chunks[entry.run] = of_run = []
        elif isinstance(entry, Received):
            assert float(entry.data[0, 0]) == entry.local
            of_run.append(entry.local)
    for run, acknowledged in reported:
        assert decided[run] == list(range(len(decided[run]))), "in order, none twice, none missing between"
        assert len(decided[run]) >= acknowledged > 0
        assert chunks[run] == list(map(float, range(len(chunks[run]))))
        assert len(chunks[run]) >= 3 * len(decided[run]), "a decision stands there without its samples"
    assert read_losses(path) == ()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    _check_spool(path, decided)


def _check_spool(path: Path, decided: dict[int, list[int]]) -> None:
    """What the broker never had is all there; what it had is gone, but for the last moment's."""
    with JournalWriter(path, on_trouble=silent) as journal:
        waiting: set[tuple[int, int]] = set()
        since = EVERYTHING[0]
        while (page := journal.spool(since, EVERYTHING[1])).letters:
            identities = [letter.identity for letter in page.letters]
            assert identities == sorted(identities)
            waiting |= set(identities)
            since = (identities[-1][0], identities[-1][1] + 1)
    odd = {(run, one) for run, found in decided.items() for one in found if one % 2}
    even = {(run, one) for run, found in decided.items() for one in found if not one % 2}
    assert odd <= waiting
    assert waiting <= odd | even
    for run, found in decided.items():
        # A note goes with the next commit, and no more than eight items ever waited.
        repeated = [one for of, one in waiting & even if of == run]
        assert all(one > found[-1] - 20 for one in repeated)


def test_the_spool_is_what_is_not_acknowledged(tmp_path: Path, until: Callable[..., None]) -> None:
    path = tmp_path / "j"
    with JournalWriter(path, on_trouble=silent) as journal:
        for run in (1, 2):
            for sequence in range(100):
                journal.decide(some_decision(sequence, run=run), lambda _: None, spooled=True)
        journal.decide(some_decision(100, run=2), lambda _: None)
        until(lambda: journal.depth == 0)
        for sequence in range(90):
            journal.acknowledge(1, sequence)
        assert journal.spool(*EVERYTHING).left == 200 - 64, "noted with the next commit, not before"
        journal.append(Received(0.0, np.zeros(1), np.zeros((1, 1))))
        until(lambda: journal.depth == 0)
        page = journal.spool(*EVERYTHING)
        assert [letter.identity for letter in page.letters[:10]] == [(1, index) for index in range(90, 100)]
        assert page.letters[10].identity == (2, 0)
        assert (len(page.letters), page.left) == (64, 46)
        assert page.letters[0].text == some_decision(90, run=1).to_json()
        assert not any(letter.fresh_until > 0 for letter in page.letters)
        assert journal.spool((1, 95), (2, 3)).letters == page.letters[5:13]
        journal.acknowledge(1, 99)
    with JournalWriter(path, on_trouble=silent) as journal:
        assert journal.spool((1, 98), (2, 0)).letters == [page.letters[8]], "the last note is kept at the end"


def test_an_acknowledgement_that_comes_before_the_row_is_kept(
    tmp_path: Path, until: Callable[..., None]
) -> None:
    """A journal that fails lets decisions go; the broker may have them before the disk does."""
    path = tmp_path / "j"
    reported: list[str] = []
    answers: list[Any] = []
    with JournalWriter(path, on_trouble=reported.append, retry_s=(0.01, 0.02)) as journal:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for sequence in range(3):
            journal.decide(some_decision(sequence), answers.append, spooled=True)
        until(lambda: len(answers) == 3, "the refusals")
        assert all(answers)
        journal.acknowledge(1, 0)
        journal.acknowledge(1, 2)
        other.rollback()
        other.close()
        until(lambda: journal.depth == 0, "the journal to go on")
        assert [letter.identity for letter in journal.spool(*EVERYTHING).letters] == [(1, 1)]


def test_a_journal_of_the_first_version_is_continued(tmp_path: Path) -> None:
    """Its decisions count as acknowledged: they were published by a session that knew of no spool."""
    path = tmp_path / "j"
    store = JournalStore(path)
    row = encode(SessionStarted(0.0, "bed-1", 1, "", {}))
    store.commit([Started(1, "bed-1", row), Decided(1, 0, some_decision(0).to_json())])
    store.finish()
    store.close()
    old = sqlite3.connect(path)
    old.executescript("DROP TABLE spool; PRAGMA user_version=1;")
    old.close()
    assert next_run(path, "bed-1") == 2, "readers read it as it is"
    assert len(list(read_decisions(path))) == 1
    with JournalWriter(path, on_trouble=silent) as journal:
        assert journal.spool(*EVERYTHING).letters == []
        journal.decide(some_decision(0, run=2), lambda _: None, spooled=True)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        assert tables == {line.split()[2] for line in TABLES.splitlines() if line.startswith("CREATE TABLE")}
    connection.close()
    assert [json.loads(text)["run"] for text in read_decisions(path)] == [1, 2]


@given(
    every=st.floats(0.05, 10.0),
    looks=st.lists(st.tuples(st.floats(0.0, 0.2), st.booleans(), st.booleans()), min_size=1, max_size=200),
)
def test_what_is_committed_is_on_the_disk_within_the_promised_time(
    every: float, looks: list[tuple[float, bool, bool]]
) -> None:
    """Whenever things are committed, with a decision or without: the end of the power costs no more."""
    now, oldest = 0.0, None
    due = SyncDue(every, now)
    for wait, committed, decided in looks:
        now += wait * every  # The writer looks at least every fifth part.
        if committed:
            due.committed(now)
            oldest = now if oldest is None else oldest
        assert due.unsynced == (oldest is not None)
        if due.due(now, decided=committed and decided):
            assert oldest is not None
            due.synced(now)
            oldest = None
        assert oldest is None or now - oldest <= 0.8 * every, "the rest is for the disk"


def test_an_fsync_follows_a_decision_but_not_every_one() -> None:
    due = SyncDue(1.0, 0.0)
    synced = []
    for tenth in range(1, 51):
        now = tenth / 10
        due.committed(now)
        if due.due(now, decided=True):
            due.synced(now)
            synced.append(now)
    assert synced == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]


DISK_FULL = """
import json, resource, sys, time
import numpy as np
from realtime.log import Received
from realtime.sinks.journal.journal import JournalWriter
from tests.realtime.sinks.support import some_decision

reported, answers = [], []
journal = JournalWriter(sys.argv[1], queue_size=40, on_trouble=reported.append, linger_s=0.005,
                        retry_s=(0.02, 0.05))

def wait(holds, why):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, (why, reported, journal.depth)
        time.sleep(0.001)

def append(value):
    journal.append(Received(value, np.array([1.0]), np.full((50, 1), value)))

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
count, episodes = 0, []
for episode in range(3):
    size = sum(p.stat().st_size for p in __import__("pathlib").Path(sys.argv[1]).parent.glob("j*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 60_000, hard))  # the disk ends here
    before = len(reported)
    while len(reported) == before:
        append(float(count)); count += 1
        wait(lambda: journal.depth < 30 or len(reported) > before, "the writer")
    at_once = journal.failing
    for _ in range(100):
        append(float(count)); count += 1
    journal.decide(some_decision(episode), answers.append, spooled=True)
    wait(lambda: len(answers) == episode + 1, "the answer about the decision")
    episodes.append((at_once, journal.depth, journal.dropped))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))  # room is made
    wait(lambda: journal.depth == 0 and not journal.failing, "the journal to resume")
    append(float(count)); count += 1
    wait(lambda: journal.depth == 0, "the next commit")
journal.close()
print(json.dumps({"heard": reported, "answers": [str(one) for one in answers], "episodes": episodes,
                  "count": count, "dropped": journal.dropped}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the disk is made to end with a limit that Windows lacks")
def test_what_a_full_disk_costs_is_declared_to_the_entry(tmp_path: Path) -> None:
    """Three times the disk is full for longer than the queue can bear."""
    path = tmp_path / "j"
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert len(result["heard"]) == 6
    for failed, again in zip(result["heard"][::2], result["heard"][1::2], strict=True):
        assert "cannot be written" in failed
        assert "written again" in again
    assert all(answer.startswith("The journal") for answer in result["answers"])
    assert all(at_once and depth == 40 for at_once, depth, _ in result["episodes"])
    kept = [entry.local for entry in read_journal_entries(path)]
    losses = read_losses(path)
    assert len(losses) == 3
    assert sum(loss.missing for loss in losses) == result["dropped"] > 0
    decisions = len(list(read_decisions(path)))
    assert len(kept) + decisions + result["dropped"] == result["count"] + 3, "kept or declared"
    # Each loss stands for exactly the entries that are not there.
    missing = sorted(set(map(float, range(result["count"]))) - set(kept))
    for loss in losses:
        assert {value for value in missing if loss.first <= value <= loss.last}
    assert all(any(loss.first <= value <= loss.last for loss in losses) for value in missing)
    assert kept == sorted(kept)
