"""A stream that dies, freezes and comes back as something else: real outlets in processes of their own."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pylsl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StreamError
from realtime.core import Core, Plan
from realtime.log import ClockMeasured, Entry, Received, StreamLost, StreamOpened
from realtime.sources.lsl.connection import PULL_MOST, StreamConnection, watch_buffer_s
from realtime.sources.lsl.events import find_events
from realtime.sources.lsl.search_again import StreamIdentity, choose_again
from realtime.sources.lsl.source import LslSource, StreamChoice, find_stream
from tests.realtime.support import fast_plan, intensity_spec

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60.0
RATE = 20.0
PLAN = fast_plan(intensity_spec(2))


class Outlets:
    """Starts outlets of one name, and ends them all."""

    def __init__(self) -> None:
        self.name = f"device-{uuid.uuid4().hex[:8]}"
        self._children: list[subprocess.Popen[str]] = []

    def start(self, *, before: Sequence[str] = (), **reported: Any) -> "subprocess.Popen[str]":
        words = {"name": self.name, "source_id": self.name, "rate": RATE, "channels": [0, 1, 2, 3]}
        words |= {"burst": 0, "wait": False} | reported
        module = "tests.realtime.sources.outlet_child"
        child = subprocess.Popen(
            [*before, sys.executable, "-m", module, json.dumps(words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        return child

    def close(self) -> None:
        for child in self._children:
            child.kill()
            child.communicate()


@pytest.fixture
def outlets() -> Iterator[Outlets]:
    started = Outlets()
    yield started
    started.close()


class Listening:
    """A source and the log that it gives."""

    def __init__(self, name: str, plan: Plan = PLAN) -> None:
        self.log: list[Entry] = []
        self.errors: list[Exception] = []
        self.source = LslSource(
            StreamChoice(predicate=f"name='{name}'", wait_s=DEADLINE_S),
            emit=self.log.append,
            failed=self.errors.append,
            fits=lambda opened: Core(plan).feed(opened),
        )

    def __enter__(self) -> "Listening":
        self.source.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()
        assert not self.errors

    def wait(self, holds: Callable[[], object], why: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, f"waited in vain for {why}: {self.kinds()}"
            time.sleep(0.01)

    def of(self, kind: type) -> list[Any]:
        return [entry for entry in list(self.log) if isinstance(entry, kind)]

    def kinds(self) -> list[str]:
        """The log without samples and comparisons."""
        return [type(e).__name__ for e in list(self.log) if not isinstance(e, Received | ClockMeasured)]

    def numbers(self, opened: int = 0) -> list[int]:
        """Numbers of the samples that came after the stream was opened for the n-th time."""
        given: list[int] = []
        seen = -1
        for entry in list(self.log):
            seen += isinstance(entry, StreamOpened)
            if isinstance(entry, Received) and seen == opened:
                given += np.floor(entry.data[0]).astype(int).tolist()
        return given


def test_an_outlet_that_is_killed_comes_back_in_another_order(outlets: Outlets) -> None:
    first = outlets.start()
    with Listening(outlets.name) as heard:
        heard.wait(lambda: len(heard.numbers()) > 20, "samples")
        first.kill()
        heard.wait(lambda: heard.of(StreamLost), "the loss")
        outlets.start(channels=[3, 1, 0, 2])
        heard.wait(lambda: len(heard.numbers(1)) > 20, "samples of the new outlet")
    assert heard.kinds() == ["StreamOpened", "StreamLost", "StreamOpened"]
    assert heard.numbers() == list(range(len(heard.numbers())))
    # The clocks were compared before any sample of the new outlet was logged.
    at = heard.log.index(heard.of(StreamOpened)[1])
    assert isinstance(heard.log[at + 1], ClockMeasured)
    later = heard.numbers(1)
    assert later == list(range(later[0], later[0] + len(later)))
    opened = heard.of(StreamOpened)[1]
    assert [c.name for c in opened.spec.channels] == [PLAN.spec.channels[i].name for i in (3, 1, 0, 2)]
    assert ((heard.of(Received)[-1].data % 1) * 8).ravel()[:4].tolist() == [3, 1, 0, 2]


def test_a_clock_that_starts_a_thousand_seconds_off_is_compared_before_its_samples(outlets: Outlets) -> None:
    ahead = ["unshare", "-T", "--monotonic", "1000"]
    if shutil.which("unshare") is None or subprocess.run([*ahead, "true"], capture_output=True).returncode:
        pytest.skip("no time namespaces here (they need root)")
    first = outlets.start()
    with Listening(outlets.name) as heard:
        heard.wait(lambda: len(heard.numbers()) > 5, "samples")
        first.kill()
        heard.wait(lambda: heard.of(StreamLost), "the loss")
        outlets.start(before=ahead)
        heard.wait(lambda: len(heard.numbers(1)) > 5, "samples of the new outlet")
    offset = 0.0
    for entry in heard.log:
        if isinstance(entry, ClockMeasured):
            offset = entry.offset
        if isinstance(entry, Received):
            # Never sooner than it was stamped, and not a thousand seconds later.
            late = entry.local - (entry.stamps + offset)
            assert np.all((late > -0.05) & (late < DEADLINE_S))
    assert offset == pytest.approx(-1000.0, abs=1.0)


def test_what_comes_back_with_fewer_channels_is_refused_by_name_until_the_right_one_is_there(
    outlets: Outlets,
) -> None:
    first = outlets.start()
    with Listening(outlets.name) as heard:
        heard.wait(lambda: len(heard.numbers()) > 5, "samples")
        first.kill()
        heard.wait(lambda: heard.of(StreamLost), "the loss")
        fewer = outlets.start(channels=[0, 1])
        heard.wait(lambda: len(heard.of(StreamLost)) > 1, "the refusal")
        fewer.kill()
        outlets.start(rate=25.0)
        heard.wait(lambda: len(heard.numbers(1)) > 5, "samples of the right one")
    assert heard.kinds() == ["StreamOpened", "StreamLost", "StreamLost", "StreamOpened"]
    reason = heard.of(StreamLost)[1].reason
    assert "cannot be used" in reason
    assert "2 of the 4 channels that the model needs are lacking: S2_D2 760" in reason
    assert [o.spec.rate for o in heard.of(StreamOpened)] == [RATE, 25.0]
    assert all(r.data.shape[0] == 4 for r in heard.of(Received))


def test_a_stream_that_is_refused_later_is_left_and_not_taken_again(outlets: Outlets) -> None:
    outlets.start()
    with Listening(outlets.name) as heard:
        heard.wait(lambda: len(heard.numbers()) > 5, "samples")
        heard.source.refuse("much too slow")
        heard.wait(lambda: heard.of(StreamLost), "the loss")
        outlets.start()
        heard.wait(lambda: len(heard.numbers(1)) > 5, "samples of another one")
    assert heard.of(StreamLost)[0].reason == "the stream that came back cannot be used: much too slow"


class Held(Listening):
    """A source whose log takes nothing behind the first samples until it is let go: we are busy."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(name)
        self.go = threading.Event()
        self.connections: list[StreamConnection] = []

        def connect(info: pylsl.StreamInfo) -> StreamConnection:
            self.connections.append(StreamConnection(info))
            return self.connections[-1]

        monkeypatch.setattr("realtime.sources.lsl.source.StreamConnection", connect)
        self.source._emit = self._hold

    def _hold(self, entry: Entry) -> None:
        self.log.append(entry)
        if isinstance(entry, Received):
            assert self.go.wait(DEADLINE_S)

    def reached(self) -> int:
        """How many samples have reached this process."""
        return len(self.numbers()) + (self.connections[0].waiting() if self.numbers() else 0)


def test_a_burst_before_death_is_not_lost_though_we_are_busy(
    outlets: Outlets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """liblsl throws away what an inlet holds when it is lost; what reached us must reach the log."""
    child = outlets.start(burst=4000)
    done = threading.Event()

    def spin() -> None:
        while not done.is_set():
            sum(range(1000))

    busy = threading.Thread(target=spin)
    busy.start()
    try:
        with Held(outlets.name, monkeypatch) as heard:
            # What a process has not sent when it dies is lost.
            heard.wait(lambda: heard.reached() == 4000, "all of the burst in liblsl's hands")
            child.kill()
            child.wait()
            heard.wait(lambda: heard.connections[0].is_lost(), "the watch")
            heard.go.set()
            heard.wait(lambda: heard.of(StreamLost), "the loss")
    finally:
        done.set()
        busy.join()
    assert heard.numbers() == list(range(4000))
    assert max(len(entry.stamps) for entry in heard.of(Received)) <= PULL_MOST


def test_what_liblsl_throws_away_of_a_stream_without_a_source_id_is_counted(
    outlets: Outlets, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = outlets.start(burst=100, source_id="")
    with Held(outlets.name, monkeypatch) as heard:
        heard.wait(lambda: heard.reached() == 100, "the burst")
        child.kill()
        child.wait()
        heard.wait(lambda: heard.connections[0].is_lost(), "the watch")
        heard.go.set()
        heard.wait(lambda: heard.of(StreamLost), "the loss")
    kept = len(heard.numbers())
    assert heard.numbers() == list(range(kept))
    reported = f"; {100 - kept} samples that had arrived were lost with it"
    # On a busy machine all of it may have been taken before the connection went.
    assert (reported if kept < 100 else "") in heard.of(StreamLost)[0].reason
    assert ("lost with it" in heard.of(StreamLost)[0].reason) == (kept < 100)


def test_a_backlog_beyond_the_bound_is_a_gap_in_the_stamps_and_nothing_else(
    outlets: Outlets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest go; what is left has its own stamps, so no window takes the hole for measured."""
    monkeypatch.setattr("realtime.sources.lsl.connection.BUFFER_S", 20)
    child = outlets.start(burst=4000, wait=True)
    assert child.stdin is not None
    assert child.stdout is not None
    with Held(outlets.name, monkeypatch) as heard:
        heard.wait(lambda: heard.numbers(), "the first sample")
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.readline() == "sent\n"
        heard.go.set()
        heard.wait(lambda: heard.numbers()[-1] == 3999, "the end of the burst")
    numbers = heard.numbers()
    assert len(numbers) < 4000
    assert np.count_nonzero(np.diff(numbers) != 1) >= 1
    # The stamps are the device's own, so the clock sees the hole.
    stamps = np.concatenate([entry.stamps for entry in heard.of(Received)])
    assert np.diff(stamps) * RATE == pytest.approx(np.diff(numbers), abs=1e-6)


@given(st.floats(0.001, 1000.0))
def test_the_watch_never_holds_a_single_sample(rate: float) -> None:
    """liblsl counts a buffer as seconds times rate, rounded down; closing a queue of one never ends."""
    info = pylsl.StreamInfo("device", "NIRS", 1, rate, "float32", "id")
    assert int(watch_buffer_s(info) * info.nominal_srate()) > 1


def test_a_slow_stream_that_ends_is_reported_and_let_go(outlets: Outlets) -> None:
    """Below 2 Hz one second is less than two samples."""
    first = outlets.start(rate=1.5)
    with Listening(outlets.name) as heard:
        heard.wait(lambda: len(heard.numbers()) > 2, "samples")
        first.kill()
        heard.wait(lambda: heard.of(StreamLost), "the loss")


def test_an_outlet_that_was_frozen_loses_nothing_and_is_not_lost(outlets: Outlets) -> None:
    child = outlets.start()
    with Listening(outlets.name) as heard:
        heard.wait(lambda: len(heard.numbers()) > 20, "samples")
        child.send_signal(signal.SIGSTOP)
        n = len(heard.of(ClockMeasured))
        heard.wait(lambda: len(heard.of(ClockMeasured)) > n, "a comparison meanwhile")
        before = len(heard.numbers())
        child.send_signal(signal.SIGCONT)
        heard.wait(lambda: len(heard.numbers()) > before + 40, "the burst")
    assert heard.kinds() == ["StreamOpened"]
    assert heard.numbers() == list(range(len(heard.numbers())))


def test_the_signal_is_no_stream_of_its_own_markers(outlets: Outlets) -> None:
    outlets.start()
    (info,) = pylsl.resolve_bypred(f"name='{outlets.name}'", minimum=1, timeout=DEADLINE_S)
    with pytest.raises(StreamError, match="is the signal itself; expected a stream of markers for --events"):
        find_events(f"name='{outlets.name}'", named=True, signal=info.uid())


def test_two_that_are_alike_are_an_error_that_distinguishes_them(outlets: Outlets) -> None:
    outlets.start()
    outlets.start()
    choice = StreamChoice(predicate=f"name='{outlets.name}'", wait_s=DEADLINE_S)
    with pytest.raises(StreamError, match="2 streams match") as reported:
        find_stream(choice)
    infos = pylsl.resolve_bypred(choice.predicate, minimum=2, timeout=DEADLINE_S)
    assert len(infos) == 2
    for info in infos:
        assert f"uid {info.uid()}" in str(reported.value)
    assert "created at" in str(reported.value)
    with pytest.raises(StreamError, match=r"2 streams match .* --events"):
        find_events(choice.predicate, named=True, signal="")

    # The same two, when one is looked for that was lost.
    before = StreamIdentity.of(infos[0])
    found, why = choose_again(infos, before, ())
    assert found is None
    assert "2 streams came back with the same source_id" in why
    assert infos[1].uid() in why
    found, why = choose_again(infos, before, {infos[1].uid()})
    assert found is not None
    assert (found.uid(), why) == (infos[0].uid(), "")
    # Another source_id on the same machine under the same name: devices that make one up at each start.
    other = before._replace(source_id="made up at another start")
    assert choose_again(infos[:1], other, ())[0] is not None
    for stranger in (other._replace(host="another bed"), other._replace(name="another device")):
        found, why = choose_again(infos[:1], stranger, ())
        assert found is None
        assert "not certainly the same device" in why
    assert choose_again([], before, ()) == (None, "")
