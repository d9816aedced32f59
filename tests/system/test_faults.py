"""What a bed does when the stream, the broker, the disk, the clock or the session itself goes wrong.

Every row is real processes over real LSL and a real broker, a few of them at a time.  What must hold in
all of them: nothing wrong or old is ever shown as current, times are right to a sample period, and the
journal gives the live decisions again, byte for byte.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from models.bundle import write_bundle
from models.cards.window_card import WindowCard
from models.networks.registry import make_model
from tests.realtime.support import FAST, RATE
from tests.system.support import Report
from tools.faults.bed import BedOutcome, FaultyBed
from tools.faults.device import faulty_spec
from tools.faults.rows import ROWS

SPEED = 8.0
PAIRS = 4
MAX_AGE_S = 20.0
AT_ONCE = 4
REPORTED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "nothing": (("waiting", "baseline", "live", "lost", "offline"), ()),
    "gap 5 s": (("live", "recovering", "live"), ("gap", "coverage")),
    "gap 60 s": (("live", "stalled", "live"), ("gap", "coverage")),
    "freeze": (("live", "stalled", "live"), ("stale",)),
    "restart": (("live", "lost", "recovering", "live"), ()),
    "restart +1000 s": (("live", "lost", "recovering"), ("ahead of the clock",)),
    "other rate": (("live", "lost", "recovering", "live"), ()),
    "other order": (("live", "lost", "recovering", "live"), ()),
    "fewer channels": (("live", "lost"), ()),
    "disorder": ((), ("coverage",)),
    "nan": ((), ("coverage", "gap")),
    "inf": ((), ("coverage", "gap")),
    "saturation": ((), ("saturated",)),
    "flat": ((), ("flat",)),
    "all bad": ((), ("flat",)),
    "clock forward": ((), ("ahead of the clock",)),
    "clock back": (("live", "recovering"), ("stale",)),
    "stopped": (("live", "live"), ("stale",)),
    "killed": (("live", "offline", "waiting", "baseline", "live"), ()),
    "raising": ((), ("inference failed",)),
}
"""What must be reported: states in this order (others may stand between), and reasons of decisions."""
DISCONNECTED = {
    "restart",
    "restart +1000 s",
    "other rate",
    "other order",
    "fewer channels",
    "killed",
    "two alike",
}
ALL_RECEIVED = frozenset(ROWS) - DISCONNECTED
"""Rows in which nothing that was sent may lack: the connection lasted."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    spec = faulty_spec(PAIRS, RATE)
    shape: dict[str, int] = {"n_chans": len(spec), "n_times": 70, "n_outputs": 2}
    card = WindowCard(
        model={"kind": "cgrnn", "params": {}, **shape},
        input=spec.to_json(),
        pipeline=[dict(stage) for stage in FAST],
        rate=RATE,
        window={"length_s": 7.0, "step_s": 1.0},
        labels=["rest", "task"],
        policy={
            "min_coverage": 0.9,
            "max_gap_s": 1.0,
            "max_age_s": MAX_AGE_S,
            "max_flat_s": 0.5,
            "min_confidence": 0.0,
        },
        evidence={"memory_s": 20.0},
    )
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write_bundle(folder, card, make_model("cgrnn", {}, **shape))
    return folder


async def play(name: str, folder: Path, bundle: Path) -> BedOutcome:
    bed = FaultyBed(folder, bundle, speed=SPEED, rate=RATE, pairs=PAIRS, max_age_s=MAX_AGE_S)
    async with bed:
        await ROWS[name].play(bed)
        return await bed.end()


@pytest.fixture(scope="module")
def played(
    bundle: Path,
    tmp_path_factory: pytest.TempPathFactory,
    mosquitto_path: str,
) -> Iterator[dict[str, Future[BedOutcome]]]:
    """All rows, a few at a time: they mostly wait."""
    folder = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(
                lambda name=name: asyncio.run(play(name, folder / name.replace(" ", "-"), bundle))
            )
            for name in ROWS
            if name != "two alike"
        }


def appear_in_order(wanted: Sequence[str], found: Sequence[str]) -> bool:
    left = iter(found)
    return all(one in left for one in wanted)


@pytest.mark.parametrize("name", [name for name in ROWS if name != "two alike"])
def test_nothing_wrong_is_shown_as_current(
    name: str, played: dict[str, Future[BedOutcome]], report: Report
) -> None:
    found = played[name].result()
    first = min(json.loads(text)["window_start"] for text in labelled(found))
    error = found.times.error[found.times.given >= first]
    report(
        f"{name}: {found.shown}, error max {error.max():.4f} s, received {found.times.received} of "
        f"{found.times.pushed}, {' > '.join(found.states())}, {sorted(found.reasons())}"
    )
    assert found.code == 0, found.stderr
    assert found.shown.labelled > 0
    assert found.shown.wrong == 0
    assert found.shown.stale == 0
    assert list(found.journaled) == list(found.again)
    states, reasons = REPORTED.get(name, ((), ()))
    assert appear_in_order(states, found.states())
    assert found.reasons() >= set(reasons)
    if name in ALL_RECEIVED:
        assert found.times.received == found.times.pushed
    if not ROWS[name].lies:
        assert error.max() <= 1.0 / RATE + 1e-3


def labelled(found: BedOutcome) -> list[str]:
    """The decisions with a label, as the journal holds them."""
    return [text for text in found.journaled if '"label":"abstain"' not in text]


def statuses(found: BedOutcome) -> list[Mapping[str, Any]]:
    return [values for _, values in found.statuses]


def test_a_replacement_without_the_channels_is_refused_by_name(played: dict[str, Future[BedOutcome]]) -> None:
    reasons = [values["reason"] for values in statuses(played["fewer channels"].result())]
    assert any("S1_D1" in reason for reason in reasons), reasons


def test_what_came_twice_or_out_of_order_is_counted(played: dict[str, Future[BedOutcome]]) -> None:
    assert max(values["clock"]["duplicates"] for values in clocks(played["duplicates"].result())) == 75
    assert max(values["clock"]["disordered"] for values in clocks(played["disorder"].result())) == 75


def test_deduced_stamps_are_reported(played: dict[str, Future[BedOutcome]]) -> None:
    assert any(values["clock"]["invented"] for values in clocks(played["misdeclared chunks"].result()))
    assert not any(values["clock"]["invented"] for values in clocks(played["nothing"].result()))


def test_a_step_of_the_wall_clock_is_reported_and_moves_no_window(
    played: dict[str, Future[BedOutcome]],
) -> None:
    found = played["wall clock"].result()
    assert max(values["wall_clock_steps"] for values in statuses(found)) == 1
    starts = [json.loads(text)["window_start"] for text in found.journaled]
    assert all(abs(b - a - 1.0) < 1e-6 for a, b in pairwise(starts))


def test_a_full_disk_loses_nothing_that_fitted_into_memory(played: dict[str, Future[BedOutcome]]) -> None:
    found = played["full disk"].result()
    # A session that takes its name says so before it has a journal.
    journals = [values["journal"] for values in statuses(found) if values["journal"] is not None]
    assert any(journal["failing"] for journal in journals)
    assert not journals[-1]["failing"]


@pytest.mark.parametrize("name", ["broker away", "broker late", "stopped", "freeze"])
def test_every_decision_reaches_the_subscriber(name: str, played: dict[str, Future[BedOutcome]]) -> None:
    found = played[name].result()
    assert {one.text for one in found.heard} == set(found.journaled)


def test_two_streams_that_match_are_listed(played: dict[str, Future[BedOutcome]], two_alike: str) -> None:
    assert "2 streams match" in two_alike
    assert two_alike.count("'faulty'") == 2


def clocks(found: BedOutcome) -> list[Mapping[str, Any]]:
    return [values for values in statuses(found) if values["clock"] is not None]


@pytest.fixture(scope="module")
def two_alike(bundle: Path, tmp_path_factory: pytest.TempPathFactory, mosquitto_path: str) -> str:
    async def run() -> str:
        folder = tmp_path_factory.mktemp("alike") / "bed"
        bed = FaultyBed(folder, bundle, speed=SPEED, rate=RATE, pairs=PAIRS, max_age_s=MAX_AGE_S)
        async with bed:
            await ROWS["two alike"].play(bed)
            assert bed.session is not None
            assert bed.session.returncode == 2
            return bed.stderr()

    return asyncio.run(run())
