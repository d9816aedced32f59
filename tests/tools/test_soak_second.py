"""The second soak: its plan, its truth, its account, and half a minute of the thing itself."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime.log import ClockMeasured, Origin, Produced, Received, SessionStarted, StreamOpened
from realtime.sinks.journal.journal import JournalWriter
from tools.soak.second.account import account, read_truth
from tools.soak.second.plan import DEVICES, WEIGHTS, Device, Life, PlannedFault, count_faults, draw
from tools.soak.second.pushes import Push, pushes
from tools.soak.second.source import PUSH_ROW, ROWS, SAMPLE_ROW
from tools.soak.second.sums import find_violations

STAMPED, CHUNKED = DEVICES["stamps"], DEVICES["chunks"]


def life(*faults: PlannedFault, seconds: float = 20.0, killed: bool = False) -> Life:
    return Life(0, seconds, killed, 0.0, None, faults)


def sent(*faults: PlannedFault, device: Device = STAMPED) -> list[Push]:
    return pushes(device, life(*faults), "seed")


def numbers(found: list[Push]) -> list[int]:
    return [one.number for push in found for one in push.samples]


def errors(found: list[Push]) -> np.ndarray:
    return np.array([one.stamp - one.true for push in found for one in push.samples])


def test_it_shares_no_code_with_the_first_fault_source() -> None:
    house = Path(__file__).resolve().parents[2]
    for path in sorted((house / "tools" / "soak" / "second").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        named = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
        named |= {
            alias.name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        ours = {name for name in named if name and name.startswith("tools")}
        assert all(name.startswith("tools.soak.second") or name == "tools.lsl_config" for name in ours)
        assert '"tools.faults.device"' not in text


def test_a_plan_is_the_same_again_and_holds_every_kind_of_fault() -> None:
    lives = draw("stamps", 1800.0, seed=3)
    assert lives == draw("stamps", 1800.0, seed=3)
    assert lives != draw("chunks", 1800.0, seed=3)
    assert sum(one.seconds + one.away_s for one in lives) == pytest.approx(1800.0)
    assert set(count_faults(lives)) == set(WEIGHTS)
    assert all(count_faults(lives).values())
    assert len({one.killed for one in lives}) == 2
    assert [Life.from_json(json.loads(json.dumps(one.to_json()))) for one in lives] == lives
    assert all(fault.at < one.seconds for one in lives for fault in one.faults)


@pytest.mark.parametrize("bed", list(DEVICES))
@pytest.mark.parametrize("seed", range(5))
def test_truth_rises_and_nothing_is_sent_before_it_is_measured(bed: str, seed: int) -> None:
    for number, one in enumerate(draw(bed, 600.0, seed)):
        found = pushes(DEVICES[bed], one, f"{seed}/{bed}/{number}")
        assert found == pushes(DEVICES[bed], one, f"{seed}/{bed}/{number}")
        assert [push.due for push in found] == sorted(push.due for push in found)
        first = [push for push in found if not push.again]
        true = {each.number: each.true for push in first for each in push.samples}
        assert np.all(np.diff([true[key] for key in sorted(true)]) > 0.0)
        assert all(push.due >= each.true for push in found for each in push.samples)
        assert sorted(numbers(first)) == sorted(set(numbers(first)))
        # Again means again: the same samples with the same stamps.
        once = {push.samples for push in first}
        assert all(push.samples in once for push in found if push.again)


def test_without_faults_every_stamp_is_true() -> None:
    found = sent()
    assert numbers(found) == list(range(200))
    assert not errors(found).any()
    chunks = sent(device=CHUNKED)
    assert {len(push.samples) for push in chunks[:-1]} == {CHUNKED.chunk}
    assert chunks[0].due == chunks[0].samples[-1].true


def test_each_fault_does_what_it_is_called() -> None:
    assert numbers(sent(PlannedFault("loss", 5.0, count=7))) == [*range(51), *range(58, 200)]
    assert numbers(sent(PlannedFault("duplicate", 5.0)))[49:53] == [49, 50, 50, 51]
    again = sent(PlannedFault("late resend", 5.0, seconds=6.0, count=3))
    assert [push.again for push in again].count(True) == 3
    assert [numbers([push])[0] for push in again if push.again] == [48, 49, 50]
    assert all(push.due == 11.0 for push in again if push.again)
    early = errors(sent(PlannedFault("early", 5.0, seconds=0.05)))
    assert early.tolist().count(0.0) == 199
    assert early.min() == pytest.approx(-0.05)
    shifted = sent(PlannedFault("shift", 5.0, seconds=-0.05))
    assert not errors(shifted).any()  # sampling itself moved: the stamps tell the truth
    steps = np.diff([push.samples[0].true for push in shifted])
    assert steps.min() == pytest.approx(STAMPED.period - 0.05)
    jumped = errors(sent(PlannedFault("jump", 5.0, seconds=4.0, by=-300.0)))
    assert set(np.round(jumped)) == {0.0, -300.0}
    paused = sent(PlannedFault("pause", 5.0, seconds=3.0))
    assert numbers(paused) == list(range(200))
    assert [push.due for push in paused].count(8.0) == 30
    mixed = numbers(sent(PlannedFault("disorder", 5.0, count=4)))
    assert mixed != sorted(mixed)
    assert sorted(mixed) == list(range(200))
    assert 0.0 < errors(sent(PlannedFault("jitter", 5.0, seconds=5.0, by=0.01))).std() < 0.01


# --------------------------------------------------------------------- the account


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    from models.bundle import read_bundle
    from tools.soak.second.bundle import write_small_bundle

    folder = tmp_path_factory.mktemp("second") / "bundle"
    write_small_bundle(folder)
    return folder, read_bundle(folder).card.hash


N = 300


class Story:
    """A session that was given so many exact samples, each by itself, and what it decided."""

    def __init__(self, folder: Path, bundle: tuple[Path, str], *, off: np.ndarray | None = None) -> None:
        self.folder, self.bundle = folder, bundle
        self.true = 1000.0 + np.arange(N) / 10.0
        self.stamps = self.true if off is None else self.true + off
        rng = np.random.default_rng(0)
        self.data = np.empty((ROWS, N))
        self.data[:PUSH_ROW] = 0.8 * np.exp(0.01 * rng.normal(size=(PUSH_ROW, N)))
        self.data[PUSH_ROW] = self.data[SAMPLE_ROW] = np.arange(N)
        self.journaled = list(range(N))

    def account(self, *, killed: bool = False):
        from models.bundle import read_bundle
        from realtime.core import Core, Plan

        card = read_bundle(self.bundle[0]).card
        core = Core(Plan.from_card(card))
        spec = Plan.from_card(card).spec
        path = self.folder / "bed.hemostream"
        with JournalWriter(path, on_trouble=lambda _: None) as journal:
            start: list = [
                SessionStarted(0.0, "bed", 1, card.hash),
                StreamOpened(999.0, spec, Origin(), "device", rows=tuple(range(PUSH_ROW))),
                ClockMeasured(999.0, 0.0, None),
            ]
            for i in [None] * len(start) + self.journaled:
                entry = (
                    start.pop(0)
                    if i is None
                    else Received(self.true[i], self.stamps[i : i + 1], self.data[:, i : i + 1])
                )
                journal.append(entry)
                for window in core.feed(entry):
                    produced = Produced(window.end, window.sequence, 0)
                    journal.append(produced)
                    logits = np.array([1.0, 0.0], dtype=np.float32)
                    journal.decide(core.decide(window, logits, produced), lambda _: None)
        truth = self.folder / "truth.csv"
        lines = zip(
            self.data[PUSH_ROW].tolist(),
            self.data[SAMPLE_ROW].tolist(),
            self.true.tolist(),
            self.stamps.tolist(),
            self.data[0].tolist(),
            self.true.tolist(),
            strict=True,
        )
        truth.write_text("".join(",".join(map(repr, line)) + "\n" for line in lines))
        sums = account(
            device=replace(STAMPED, rate=10.0),
            lives=[life(seconds=30.0, killed=killed)],
            truth=read_truth(truth),
            journal=path,
            bundle=self.bundle[0],
            model_hash=self.bundle[1],
        )
        sums.classify_equal = sums.published_equal = True
        find_violations(sums, least_coverage=0.99)
        return sums


def test_a_session_that_did_everything_right_violates_nothing(
    tmp_path: Path, bundle: tuple[Path, str]
) -> None:
    sums = Story(tmp_path, bundle).account()
    assert sums.violations == []
    assert (sums.pushed, sums.journaled, sums.lost, sums.lives, sums.opened) == (N, N, 0, 1, 1)
    assert sums.labelled > 10
    assert sums.windows == sums.labelled + sum(sums.abstained.values())
    assert sums.worst_labelled_s < 1e-3


def test_a_label_on_wrong_times_is_a_violation(tmp_path: Path, bundle: tuple[Path, str]) -> None:
    sums = Story(tmp_path, bundle, off=np.full(N, 0.2)).account()
    assert sums.wrong_labels == sums.labelled > 10
    assert sums.worst_labelled_s == pytest.approx(0.2)
    assert sums.covered < 0.99  # but for the first samples, of which nothing is known yet
    assert any("wrong by more than a period" in text for text in sums.violations)
    assert any("within their claim" in text for text in sums.violations)


def test_what_is_lost_is_counted_apart_from_what_can_be_explained(
    tmp_path: Path, bundle: tuple[Path, str]
) -> None:
    story = Story(tmp_path, bundle)
    story.journaled = [i for i in range(N) if 12 <= i < 295 and i != 100]
    sums = story.account(killed=True)
    assert (sums.before_connected, sums.with_the_killed, sums.lost) == (12, 5, 1)
    assert "1 samples are lost" in sums.violations


def test_what_an_outlet_that_closed_in_order_had_sent_is_lost(
    tmp_path: Path, bundle: tuple[Path, str]
) -> None:
    story = Story(tmp_path, bundle)
    story.journaled = list(range(295))
    assert story.account().lost == 5


def test_what_comes_twice_or_in_another_order_is_counted(tmp_path: Path, bundle: tuple[Path, str]) -> None:
    story = Story(tmp_path, bundle)
    story.journaled = [*range(50), 49, 51, 50, *range(52, N)]
    sums = story.account()
    assert (sums.disordered, sums.lost, sums.changed) == (2, 0, 0)


# ----------------------------------------------------------------------- the thing


@pytest.fixture(scope="module")
def half_a_minute(tmp_path_factory: pytest.TempPathFactory, mosquitto_path: str):
    """Real processes and streams at real time, with faults thick and fast."""
    folder = tmp_path_factory.mktemp("soak")
    command = [sys.executable, "-m", "tools.soak.second", "--minutes", "0.7", "--life", "25", "--every", "6"]
    command += ["--seed", SHORT_SEED, "--out", str(folder / "run"), "--json-out", str(folder / "sums.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode in (0, 1), done.stderr
    return json.loads((folder / "sums.json").read_text()), done.stdout


SHORT_SEED = "1"


def test_nothing_is_lost_and_everything_can_be_had_again(half_a_minute) -> None:
    found, shown = half_a_minute
    assert set(found) == set(DEVICES)
    for sums in found.values():
        assert sums["pushed"] > 200, shown
        for what in ("lost", "changed", "disordered", "foreign", "missing_entries"):
            assert sums[what] == 0, shown
        assert sums["classify_equal"], shown
        assert sums["published_equal"], shown
        assert not any("ended" in text for text in sums["violations"]), shown


def test_no_label_has_wrong_times(half_a_minute) -> None:
    found, shown = half_a_minute
    for sums in found.values():
        assert sums["labelled"], shown
        assert sums["wrong_labels"] == 0, shown
