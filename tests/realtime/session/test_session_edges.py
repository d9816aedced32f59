"""Nothing that comes from outside ends a session, or hides in it."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.bundle import Bundle
from realtime.core import Core
from realtime.inference import Inference
from realtime.log import Entry, Received, SourceTrouble
from realtime.rerun import predict_log
from realtime.session.interfaces import SessionSettings
from realtime.sinks.journal.journal import read_journal_entries
from tests.realtime.session import test_session
from tests.realtime.session.test_session import HandedIn, Listener, entries, run_session

bundle = test_session.bundle
STEADY = itertools.repeat(130.0).__next__


def at_sample(log: list[Entry], number: int) -> int:
    """Index of the entry that holds a sample."""
    return next(i for i, e in enumerate(log) if isinstance(e, Received) and e.stamps[-1] >= 100 + number / 10)


def run(bundle: Bundle, log: Iterable[Entry], path: Path) -> Listener:
    """A session over a log; its journal must give its decisions again."""
    _, heard = run_session(bundle, HandedIn(log), journal=path, clock=STEADY)
    again = predict_log(read_journal_entries(path), bundle, Inference(bundle, device="cpu"))
    assert [decision.to_json() for decision in again] == heard.texts
    sequences = [decision.sequence for decision in heard.decisions]
    assert sequences == sorted(set(sequences))
    assert max(sequences) < 2 * len(sequences) + 60, "the sequence leapt"
    return heard


@pytest.mark.parametrize("bad", [1e19, 1.7e18, -1e19, np.nan, np.inf, 1e308, 1.7e12, 5e9, 1e11])
def test_a_wild_stamp_costs_its_sample_and_nothing_else(
    bundle: Bundle,
    tmp_path: Path,
    bad: float,
) -> None:
    plain = run(bundle, entries(60.0), tmp_path / "plain")
    log = entries(60.0)
    at = at_sample(log, 300)
    entry = log[at]
    assert isinstance(entry, Received)
    log[at] = replace(entry, stamps=np.array([*entry.stamps[:-1], bad]))
    heard = run(bundle, log, tmp_path / "wild")
    assert [d.sequence for d in heard.decisions] == [d.sequence for d in plain.decisions]
    assert sum(d.abstained for d in heard.decisions) <= sum(d.abstained for d in plain.decisions) + 7
    status = heard.states[-1]
    assert status.rejected == {"stamps": 1}
    assert status.clock is not None
    assert status.clock.dropped >= 1
    assert any("no clock gives" in state.reason for state in heard.states)


def test_stamps_in_nanoseconds_are_reported_and_the_sequence_comes_back(
    bundle: Bundle,
    tmp_path: Path,
) -> None:
    log = entries(90.0)
    first, last = at_sample(log, 200), at_sample(log, 400)
    for i in range(first, last):
        entry = log[i]
        assert isinstance(entry, Received)
        log[i] = replace(entry, stamps=entry.stamps * 1e9 + 1.7e18)
    heard = run(bundle, log, tmp_path / "j")
    assert heard.states[-1].rejected["stamps"] == 3 * (last - first)
    assert any(not d.abstained for d in heard.decisions if d.window_end < 120.0)
    assert any(not d.abstained for d in heard.decisions if d.window_end > 180.0)


def test_a_clock_that_is_set_by_years_is_reported_and_leaps_no_sequence(
    bundle: Bundle,
    tmp_path: Path,
) -> None:
    log = entries(120.0)
    first, last = at_sample(log, 400), at_sample(log, 800)
    for i in range(first, last):
        entry = log[i]
        assert isinstance(entry, Received)
        log[i] = replace(entry, stamps=entry.stamps + 1e9)
    heard = run(bundle, log, tmp_path / "j")
    assert any("clock was set" in state.reason for state in heard.states)
    assert any(not d.abstained for d in heard.decisions if d.window_end > 210.0 and d.window_end < 300.0)


@pytest.mark.parametrize("value", [1e16, -1e300, 1e308, np.inf])
def test_a_value_that_nothing_measures_is_missing(bundle: Bundle, tmp_path: Path, value: float) -> None:
    log = entries(60.0)
    entry = log[at_sample(log, 250)]
    assert isinstance(entry, Received)
    entry.data[:, 0] = value
    heard = run(bundle, log, tmp_path / "j")
    assert heard.states[-1].rejected == {"values": 4}
    assert not heard.decisions[-1].abstained


def counted(log: list[Entry], counts: np.ndarray, dtype: type = np.float64) -> list[Entry]:
    """The log of a device whose first row counts its frames."""
    n, out = 0, []
    for entry in log:
        if isinstance(entry, Received):
            here = counts[n : n + len(entry.stamps)]
            n += len(here)
            entry = replace(entry, data=np.vstack([here, entry.data]).astype(dtype))
        elif hasattr(entry, "frame_row"):
            entry = replace(entry, rows=(1, 2, 3, 4), frame_row=0)
        out.append(entry)
    return out


@pytest.mark.parametrize(
    ("counts", "dtype"),
    [
        (np.full(600, 7.0), np.float64),
        (2.0**24 - 300 + np.arange(600), np.float32),
        (2.0**53 - 300 + np.arange(600), np.float64),
        (np.where(np.arange(600) < 300, np.arange(600), 1e300), np.float64),
        (np.where(np.arange(600) < 300, np.arange(600), 299), np.float64),
    ],
)
def test_a_counter_that_cannot_be_believed_loses_no_sample(
    bundle: Bundle,
    tmp_path: Path,
    counts: np.ndarray,
    dtype: type,
) -> None:
    heard = run(bundle, counted(entries(60.0), counts, dtype), tmp_path / "j")
    status = heard.states[-1]
    assert status.rejected == {"frame counters": 1}
    assert any("frame counter is not believed" in state.reason for state in heard.states)
    assert status.clock is not None
    assert status.clock.dropped < 10
    assert not heard.decisions[-1].abstained
    assert heard.decisions[-1].coverage > 0.99


def test_a_counter_that_counts_is_not_reported(bundle: Bundle, tmp_path: Path) -> None:
    heard = run(bundle, counted(entries(60.0), np.arange(600.0)), tmp_path / "j")
    assert heard.states[-1].rejected == {}


def test_an_error_inside_is_reported_and_everything_begins_anew(
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed = Core.feed

    def raising(self: Core, entry: Entry) -> Any:
        if isinstance(entry, Received) and entry.stamps[0] <= 125.0 <= entry.stamps[-1]:
            raise ZeroDivisionError("what was not expected")
        return feed(self, entry)

    monkeypatch.setattr(Core, "feed", raising)
    heard = run(bundle, entries(90.0), tmp_path / "j")
    assert any("ZeroDivisionError" in state.failing.get("core", "") for state in heard.states)
    assert any("everything starts over" in state.reason for state in heard.states)
    assert heard.states[-1].failing == {}
    assert not heard.decisions[-1].abstained


def test_a_sink_that_raises_keeps_nothing_from_the_others(bundle: Bundle) -> None:
    class Broken(Listener):
        def publish(self, text: str, window_end: float) -> None:
            raise OSError("gone")

    _, heard = run_session(bundle, HandedIn(entries(30.0)), clock=STEADY, listener=Broken())
    assert len(heard.decisions) == 24
    assert heard.states[-1].failing == {"sink Broken": "OSError: gone"}


def test_a_network_that_raises_anything_abstains(bundle: Bundle, tmp_path: Path) -> None:
    class Raising(Inference):
        def logits(self, windows: Any, *, size: int | None = None, **how: Any) -> Any:
            raise ValueError("\x1b[31m what was not expected")

    _, heard = run_session(
        bundle, HandedIn(entries(30.0)), clock=STEADY, inference=Raising(bundle, device="cpu")
    )
    assert len(heard.decisions) == 24
    assert {reason for d in heard.decisions[5:] for reason in d.reasons} >= {"inference failed"}
    assert "\\x1b[31m what" in heard.states[-2].reason


def test_what_the_source_met_is_reported_and_journaled(bundle: Bundle, tmp_path: Path) -> None:
    log = entries(30.0)
    log[50:50] = [
        SourceTrouble(105.0, "markers", "stamped inf s, which no clock gives", 3),
        SourceTrouble(105.1, "clock comparisons", "RuntimeError: x", 0, failing=True),
    ]
    log[60:60] = [SourceTrouble(106.0, "markers", "the same", 2)]
    log[70:70] = [SourceTrouble(107.0, "clock comparisons", "", 0)]
    heard = run(bundle, log, tmp_path / "j")
    assert heard.states[-1].rejected == {"markers": 5}
    assert any(state.failing == {"clock comparisons": "RuntimeError: x"} for state in heard.states)
    assert heard.states[-1].failing == {}
    assert [e for e in read_journal_entries(tmp_path / "j") if isinstance(e, SourceTrouble)] == [
        e for e in log if isinstance(e, SourceTrouble)
    ]


def test_a_set_time_is_counted_in_windows_not_in_stamps(bundle: Bundle) -> None:
    log = entries(60.0)
    for i in range(at_sample(log, 300), len(log)):
        entry = log[i]
        if isinstance(entry, Received):
            log[i] = replace(entry, stamps=entry.stamps + 1e6)
    _, heard = run_session(bundle, HandedIn(log), clock=STEADY, seconds=1000.0)
    assert max(d.window_end for d in heard.decisions) > 1e6


@pytest.mark.parametrize("run_number", [2**63 - 1, -1, 2**31 + 1])
def test_a_run_that_no_session_has_is_refused_before_it_begins(run_number: int) -> None:
    from models.errors import HemostreamError

    with pytest.raises(HemostreamError, match="Run is"):
        SessionSettings(session="bed-1", run=run_number)
