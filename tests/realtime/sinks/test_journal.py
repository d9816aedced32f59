"""The journal: what goes in comes out, in order and bit for bit, whatever happens to process or disk."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.errors import JournalError
from realtime.log import (
    ClockMeasured,
    Entry,
    EventReceived,
    Origin,
    OriginKind,
    Produced,
    Received,
    SessionStarted,
    StreamOpened,
    StreamReset,
)
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sinks.journal.format import APPLICATION_ID, EntryRow, decode, encode
from realtime.sinks.journal.journal import (
    JournalWriter,
    is_journal,
    journal_runs,
    next_run,
    read_decisions,
    read_journal_entries,
    read_losses,
)

ROOT = Path(__file__).parents[3]
SPEC = SignalSpec(
    (
        Channel(
            name="S1-D1 760",
            kind=Kind.INTENSITY,
            unit="V",
            source=1,
            detector=1,
            wavelength=760.0,
            distance=0.03,
            source_position=(0.01, -0.02, 0.1),
        ),
        Channel(name="régión β", kind=Kind.BOLD, unit="percent"),
    ),
    7.88,
)


def silent(message: str) -> None:
    raise AssertionError(f"trouble: {message}")


def same(one: Entry, other: Entry) -> bool:
    if isinstance(one, Received) and isinstance(other, Received):
        return (
            one.local == other.local
            and one.data.dtype == other.data.dtype
            and one.data.shape == other.data.shape
            and one.data.tobytes() == other.data.tobytes()
            and one.stamps.tobytes() == other.stamps.tobytes()
        )
    return one == other


def chunk(local: float, value: float = 0.0) -> Received:
    return Received(local, np.array([local - 0.01]), np.full((2, 1), value, dtype=np.float32))


def started(run: int = 1, session: str = "bed-1") -> SessionStarted:
    return SessionStarted(0.0, session, run, "ab" * 32, {"device": "cpu", "threads": 1})


numbers = st.floats(allow_nan=False)
entries = st.one_of(
    st.builds(
        Received,
        numbers,
        hnp.arrays(np.float64, 3),
        hnp.arrays(st.sampled_from([np.float32, np.float64, np.int16, np.dtype(">f4")]), (2, 3)),
    ),
    st.builds(ClockMeasured, numbers, numbers, numbers),
    st.builds(StreamReset, numbers, st.sampled_from(["gap", "clock", "stream"])),
    st.builds(EventReceived, numbers, numbers, st.text(max_size=20)),
    st.builds(Produced, numbers, st.integers(0, 2**60), st.integers(0, 64)),
    st.builds(
        SessionStarted,
        numbers,
        st.text(max_size=5),
        st.integers(1, 99),
        st.text(max_size=5),
        st.dictionaries(
            st.text(max_size=3), st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=3))
        ),
    ),
    st.builds(
        StreamOpened,
        numbers,
        st.just(SPEC),
        st.builds(Origin, st.sampled_from(OriginKind), st.floats(0.1, 100), numbers),
        st.text(max_size=5),
        st.text(max_size=5),
        st.text(max_size=50),
        st.sampled_from([(), (4, 1)]),
    ),
)


@given(entries)
def test_an_entry_comes_back_bit_for_bit(entry: Entry) -> None:
    back = decode(encode(entry))
    if isinstance(entry, Received):
        native = entry.data.astype(entry.data.dtype.newbyteorder("="))
        entry = Received(entry.local, entry.stamps, native)
        assert isinstance(back, Received)
        assert back.data.flags.writeable
    assert same(back, entry)


def test_rows_hold_little_endian_arrays_and_json() -> None:
    row = encode(Received(1.0, np.array([2.0]), np.array([[1.0], [2.0]], dtype=">f4")))
    assert json.loads(row.body) == {"dtype": "<f4", "shape": [2, 1]}
    assert row.data == np.array([1.0, 2.0], dtype="<f4").tobytes()
    assert row.stamps == np.array([2.0], dtype="<f8").tobytes()


def test_an_array_may_be_reused_after_it_was_appended(tmp_path: Path) -> None:
    buffer = np.zeros((2, 1))
    with JournalWriter(tmp_path / "j", on_trouble=silent) as journal:
        journal.append(Received(1.0, np.array([1.0]), buffer))
        buffer[:] = 99.0
    (entry,) = read_journal_entries(tmp_path / "j")
    assert isinstance(entry, Received)
    assert np.all(entry.data == 0.0)


@settings(max_examples=15)
@given(log=st.lists(entries, max_size=30))
def test_the_log_is_read_in_the_order_in_which_it_was_appended(
    tmp_path_factory: pytest.TempPathFactory, log: list[Entry]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j.hemo"
    with JournalWriter(path, on_trouble=silent) as journal:
        for entry in log:
            journal.append(entry)
    back = list(read_journal_entries(path))
    assert len(back) == len(log)
    for one, other in zip(back, log, strict=True):
        if isinstance(other, Received):
            other = Received(other.local, other.stamps, other.data.astype(other.data.dtype.newbyteorder("=")))
        assert same(one, other)


def test_a_decision_is_in_the_file_when_it_is_acknowledged(
    tmp_path: Path, make_decision: Callable[..., Any]
) -> None:
    path = tmp_path / "j"
    seen: list[tuple[list[str], int]] = []
    done = threading.Event()

    def committed(error: JournalError | None) -> None:
        assert error is None
        seen.append((list(read_decisions(path)), len(list(read_journal_entries(path)))))
        done.set()

    with JournalWriter(path, on_trouble=silent, linger_s=60.0) as journal:
        journal.append(started())
        journal.append(chunk(1.0))
        decision = make_decision(0)
        journal.decide(decision, committed)
        assert done.wait(10)
        assert journal.depth == 0
    assert seen == [([decision.to_json()], 2)]


def test_entries_are_written_without_a_decision(tmp_path: Path, until: Callable[..., None]) -> None:
    path = tmp_path / "j"
    with JournalWriter(path, on_trouble=silent, linger_s=0.01) as journal:
        until(lambda: journal._queue.asleep, "the thread to sleep")
        journal.append(chunk(1.0))
        until(lambda: journal.depth == 0, "the commit")
        assert len(list(read_journal_entries(path))) == 1


def test_what_was_committed_is_forced_onto_the_disk_once_a_second(
    tmp_path: Path, until: Callable[..., None], make_decision: Callable[..., Any]
) -> None:
    path = tmp_path / "j"

    def synced() -> int:
        with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as connection:
            found = connection.execute("SELECT id FROM synced").fetchone()
        connection.close()
        return int(found[0]) if found else 0

    with JournalWriter(path, on_trouble=silent, linger_s=0.01, sync_every_s=0.2) as journal:
        journal.append(chunk(1.0))
        until(lambda: synced() == 1, "an fsync where no decision comes")
        journal.decide(make_decision(0), lambda error: None)
        until(lambda: synced() == 2, "an fsync behind a decision")


def test_runs_of_a_session_follow_each_other(tmp_path: Path, make_decision: Callable[..., Any]) -> None:
    path = tmp_path / "j"
    assert next_run(path, "bed-1") == 1
    for run in (1, 2, 3):
        assert next_run(path, "bed-1") == run
        with JournalWriter(path, on_trouble=silent) as journal:
            journal.append(started(run))
            journal.append(chunk(float(run)))
            journal.decide(make_decision(0, run=run), lambda error: None)
    assert [(one.run, one.session) for one in journal_runs(path)] == [
        (1, "bed-1"),
        (2, "bed-1"),
        (3, "bed-1"),
    ]
    assert [entry.local for entry in read_journal_entries(path)] == [0.0, 1.0, 0.0, 2.0, 0.0, 3.0]
    assert [entry.local for entry in read_journal_entries(path, run=2)] == [0.0, 2.0]
    assert [json.loads(text)["run"] for text in read_decisions(path, run=3)] == [3]
    with pytest.raises(JournalError, match=r"no run 7; it has: 1, 2, 3"):
        read_journal_entries(path, run=7)
    with pytest.raises(JournalError, match=r"belongs to session 'bed-1', not 'bed-2'"):
        next_run(path, "bed-2")


def test_a_closed_journal_is_one_file(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j", on_trouble=silent) as journal:
        journal.append(chunk(1.0))
    list(read_journal_entries(tmp_path / "j"))
    assert [found.name for found in tmp_path.iterdir()] == ["j"]


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with (
        JournalWriter(path, on_trouble=silent),
        pytest.raises(JournalError, match="another session writes it"),
    ):
        JournalWriter(path, on_trouble=silent)
    JournalWriter(path, on_trouble=silent).close()


def test_a_reader_does_not_disturb_a_live_session(
    tmp_path: Path, until: Callable[..., None], make_decision: Callable[..., Any]
) -> None:
    path = tmp_path / "j"
    acknowledged: list[JournalError | None] = []
    with JournalWriter(path, on_trouble=silent, linger_s=0.005, sync_every_s=0.05) as journal:
        for index in range(100):
            journal.append(chunk(float(index)))
        until(lambda: journal.depth == 0)
        reading = read_journal_entries(path)
        next(reading)  # A reader in the middle of the file holds its view of it.
        for index in range(100, 200):
            journal.append(chunk(float(index)))
            journal.decide(make_decision(index), acknowledged.append)
        until(lambda: len(acknowledged) == 100)
        assert len(list(reading)) == 99
        assert len(list(read_journal_entries(path))) == 200
    assert acknowledged == [None] * 100


WRITER = """
import sys, time
import numpy as np
from realtime.decision import Decision
from realtime.log import Received, SessionStarted
from realtime.sinks.journal.journal import JournalWriter

text = sys.stdin.readline()
journal = JournalWriter(sys.argv[1], on_trouble=lambda message: sys.exit(message))
journal.append(SessionStarted(0.0, "bed-1", 1, "", {}))
for sequence in range(10**9):
    journal.append(Received(float(sequence), np.array([1.0]), np.full((50, 1), float(sequence))))
    decision = Decision.from_json(text.replace('"sequence":0', f'"sequence":{sequence}'))
    def acknowledge(error, sequence=sequence):
        assert error is None
        sys.stdout.write(f"{sequence}\\n")
        sys.stdout.flush()
    journal.decide(decision, acknowledge)
    while journal.depth > 5:
        time.sleep(0.0005)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    tmp_path: Path, make_decision: Callable[..., Any]
) -> None:
    path = tmp_path / "j"
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        child.stdin.write(make_decision(0).to_json() + "\n")
        child.stdin.flush()
        acknowledged = [int(child.stdout.readline()) for _ in range(random.randint(50, 400))]
        child.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout.read().split("\n")[:-1]]
    assert (tmp_path / "j-wal").stat().st_size, "the journal was closed, not cut"

    decisions = [json.loads(text)["sequence"] for text in read_decisions(path)]
    chunks = [entry for entry in read_journal_entries(path) if isinstance(entry, Received)]
    assert acknowledged == list(range(len(acknowledged)))
    assert decisions == list(range(len(decisions)))
    assert len(decisions) >= len(acknowledged)
    assert len(chunks) >= len(decisions), "a decision stands there without what it follows from"
    assert [entry.data[0, 0] for entry in chunks] == list(range(len(chunks)))

    with JournalWriter(path, on_trouble=silent) as journal:  # and the session can go on
        journal.append(started(next_run(path, "bed-1")))
    assert [one.run for one in journal_runs(path)] == [1, 2]
    assert [json.loads(text)["sequence"] for text in read_decisions(path)] == decisions


DISK_FULL = """
import json, resource, sys, time
import numpy as np
from realtime.decision import Decision
from realtime.log import Received, SessionStarted
from realtime.sinks.journal.journal import JournalWriter, read_journal_entries, read_decisions

decision = Decision.from_json(sys.stdin.readline())
heard, answers, slowest = [], [], 0.0
journal = JournalWriter(sys.argv[1], on_trouble=heard.append, linger_s=0.005, retry_s=(0.02, 0.05))

def wait(holds, why):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, (why, heard, journal.depth)
        time.sleep(0.002)

def append(value):
    global slowest
    begin = time.monotonic()
    journal.append(Received(value, np.array([1.0]), np.full((50, 1), value)))
    slowest = max(slowest, time.monotonic() - begin)

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))   # the disk ends here
count = 0
while not heard:
    append(float(count)); count += 1
    time.sleep(0.0005)
    assert count < 5000
for _ in range(50):
    append(float(count)); count += 1
journal.decide(decision, answers.append)
wait(lambda: answers, "the answer about the decision")
failing = journal.failing, journal.depth
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))      # room is made
wait(lambda: len(heard) == 2 and journal.depth == 0, "the journal to resume")
journal.close()
print(json.dumps({
    "heard": heard, "answers": [str(answer) for answer in answers], "failing": failing,
    "kept": [entry.local for entry in read_journal_entries(sys.argv[1])] == [float(i) for i in range(count)],
    "decisions": len(list(read_decisions(sys.argv[1]))), "dropped": journal.dropped, "slowest": slowest,
}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the disk is made to end with a limit that Windows lacks")
def test_a_full_disk_is_reported_at_once_and_nothing_is_lost_when_there_is_room_again(
    tmp_path: Path, make_decision: Callable[..., Any]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(tmp_path / "j")],
        input=make_decision(0).to_json() + "\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "cannot be written" in result["heard"][0]
    assert "Make room" in result["heard"][0]
    assert "written again" in result["heard"][1]
    assert result["kept"]
    assert result["decisions"] == 1
    assert len(result["answers"]) == 1
    assert "does not hold this decision yet" in result["answers"][0]
    assert result["failing"][0] is True
    assert result["failing"][1] > 0
    assert result["dropped"] == 0
    assert result["slowest"] < 1.0


def test_overflow_is_counted_and_declared_where_it_happened(
    tmp_path: Path, until: Callable[..., None], make_decision: Callable[..., Any]
) -> None:
    path = tmp_path / "j"
    heard: list[str] = []
    answers: list[JournalError | None] = []
    with JournalWriter(
        path, queue_size=10, on_trouble=heard.append, linger_s=0.005, retry_s=(0.01, 0.02)
    ) as journal:
        journal.append(started())
        until(lambda: journal.depth == 0)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # Somebody else's tool holds the file.
        for index in range(1, 31):
            journal.append(chunk(float(index)))
        until(lambda: bool(heard), "the report of the lock")
        assert "locked" in heard[0]
        journal.decide(make_decision(0), answers.append)
        assert len(answers) == 1
        assert "takes no more" in str(answers[0])
        assert journal.depth == 10
        assert journal.dropped == 21
        other.rollback()
        other.close()
        until(lambda: journal.depth == 0, "the journal to go on")
        journal.append(chunk(99.0))
    assert [entry.local for entry in read_journal_entries(path)] == [0.0, *map(float, range(1, 11)), 99.0]
    (loss,) = read_losses(path)
    assert loss == (21, 11.0, 30.0)
    assert "written again" in heard[-1]


def test_a_commit_that_was_completed_after_all_is_not_written_twice(tmp_path: Path) -> None:
    from realtime.sinks.journal.store import JournalStore

    store = JournalStore(tmp_path / "j")
    store.commit([encode(chunk(1.0))])
    store._last = store.written = (
        0  # As if the COMMIT had reported an error after the log was already written.
    )
    store.abandon()
    assert store.ready() == ""
    assert store.written == 1
    store.close()


def test_closing_says_what_could_not_be_written(tmp_path: Path, until: Callable[..., None]) -> None:
    path = tmp_path / "j"
    heard: list[str] = []
    journal = JournalWriter(path, on_trouble=heard.append, linger_s=0.005)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal.append(chunk(1.0))
    until(lambda: bool(heard))
    with pytest.raises(JournalError, match="before 1 entries could be written"):
        journal.close()
    other.close()


@pytest.mark.parametrize(
    ("content", "text_found"),
    [(b"recording\tperson\n" * 100, "cannot be read as a journal"), (None, "not a hemostream journal")],
    ids=["not SQLite", "another SQLite"],
)
def test_a_wrong_file_is_refused_and_left_alone(
    tmp_path: Path, content: bytes | None, text_found: str
) -> None:
    path = tmp_path / "j"
    if content is None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE t (x)")
        other.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=text_found):
        read_journal_entries(path)
    with pytest.raises(JournalError, match=text_found):
        next_run(path, "bed-1")
    with pytest.raises(JournalError, match=r"cannot be|not a hemostream journal"):
        JournalWriter(path, on_trouble=silent)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["j"]


def test_a_file_says_at_once_that_it_is_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "j"
    assert not is_journal(path)
    assert not is_journal(tmp_path)
    path.write_bytes(b"SQLite")
    assert not is_journal(path)
    path.unlink()
    with JournalWriter(path, on_trouble=silent):
        assert is_journal(path)
    assert is_journal(path)


def test_absent_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="There is no journal"):
        read_journal_entries(tmp_path / "j")
    with pytest.raises(JournalError, match="no folder"):
        JournalWriter(tmp_path / "absent" / "j", on_trouble=silent)
    with pytest.raises(JournalError, match="is a folder"):
        JournalWriter(tmp_path, on_trouble=silent)


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j"
    JournalWriter(path, on_trouble=silent).close()
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    other.execute("PRAGMA user_version=99")
    other.commit()
    other.close()
    with pytest.raises(JournalError, match="Update hemostream"):
        read_journal_entries(path)


def test_a_damaged_journal_gives_an_error_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with JournalWriter(path, on_trouble=silent) as journal:
        for index in range(2000):
            journal.append(chunk(float(index)))
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    with pytest.raises(JournalError, match="damaged"):
        list(read_journal_entries(path))


@pytest.mark.parametrize(
    "row",
    [
        EntryRow("samples", 1.0, '{"dtype":"O","shape":[1,1]}', b"", b"\0" * 8),
        EntryRow("samples", 1.0, '{"dtype":"<f8","shape":[2,1]}', b"", b"\0" * 8),
        EntryRow("elsewhere", 1.0, "{}"),
        EntryRow("clock", 1.0, "{"),
        EntryRow("clock", 1.0, '{"offset":1.0}'),
    ],
)
def test_a_row_that_hemostream_did_not_write_is_refused(row: EntryRow) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        decode(row)


def test_what_a_journal_cannot_hold_is_refused() -> None:
    with pytest.raises(JournalError, match="floats and integers"):
        encode(Received(1.0, np.array([1.0]), np.array([["a"]])))


def test_appending_and_deciding_take_no_time_to_speak_of(
    tmp_path: Path, make_decision: Callable[..., Any]
) -> None:
    acknowledged = threading.Semaphore(0)
    waits = []
    with JournalWriter(tmp_path / "j", on_trouble=silent) as journal:
        for index in range(200):
            decision = make_decision(index)
            begin = time.perf_counter()
            journal.append(chunk(float(index)))
            journal.decide(decision, lambda error: acknowledged.release())
            assert acknowledged.acquire(timeout=10)
            waits.append(time.perf_counter() - begin)
    # 0.15 ms on a quiet machine; the bound only holds that no fsync stands in a decision's way.
    assert sorted(waits)[100] < 0.005
