"""A simulated cohort on disk: what is in the files is what was simulated, the same each time."""

import json
from pathlib import Path

import mne
import numpy as np
import pytest
from scipy.stats import norm

from models.errors import RecipeError
from offline.simulation import Simulation, bayes_ceiling, simulate_person, write_cohort
from offline.simulation.settings import TaskBlocks

SMALL = Simulation(seconds=60.0, n_pairs=4, n_short=2, task=TaskBlocks(lead_in_s=10.0))


def rows(table: Path) -> list[list[str]]:
    return [line.split("\t") for line in table.read_text().splitlines()]


def test_a_cohort_is_files_a_table_and_the_truth(tmp_path: Path) -> None:
    reported: list[str] = []
    table = write_cohort(tmp_path / "new" / "cohort", SMALL, 3, 7, sessions=2, done=reported.append)
    folder = table.parent
    head, *body = rows(table)
    assert head == ["recording", "person", "session", "group", "age", "sex"]
    assert [(row[1], row[2], row[3]) for row in body] == [
        (f"person-{person:03d}", str(session), group)
        for person, group in ((1, "A"), (2, "B"), (3, "A"))
        for session in (1, 2)
    ]
    assert reported == [row[0].removesuffix(".snirf") for row in body]
    assert {path.name for path in folder.iterdir()} == {row[0] for row in body} | {"cohort.tsv", "truth.json"}
    assert {row[5] for row in body} <= {"F", "M"}
    assert all(7 <= float(row[4]) <= 13 for row in body)

    truth = json.loads((folder / "truth.json").read_text())
    assert Simulation.from_json(truth["settings"]) == SMALL
    assert (truth["seed"], truth["people"], truth["sessions"]) == (7, 3, 2)
    assert truth["bayes_ceiling"] == 0.5
    assert "says nothing about autism" in truth["note"]
    for row in body:
        drawn = truth["recordings"][row[0]]
        assert "AB"[drawn["person"]["group"]] == row[3]
        assert drawn["person"]["age"] == float(row[4])


def test_files_hold_what_was_simulated_as_mne_reads_them(tmp_path: Path) -> None:
    write_cohort(tmp_path, SMALL, 2, 3)
    for index in range(2):
        expected, truth = simulate_person(SMALL, (3, index), index)
        raw = mne.io.read_raw_snirf(tmp_path / f"person-{index + 1:03d}_session-1.snirf", verbose="error")
        assert raw.info["sfreq"] == pytest.approx(10.0)
        picks = [raw.ch_names.index(name) for name in expected.spec.names]
        np.testing.assert_allclose(raw.get_data()[picks], expected.data, rtol=1e-12)
        distances = mne.preprocessing.nirs.source_detector_distances(raw.info)[picks]
        assert distances == pytest.approx([channel.distance for channel in expected.spec.channels], abs=1e-6)
        blocks = [a for a in raw.annotations if a["description"] == "task"]
        assert [a["onset"] for a in blocks] == pytest.approx(truth.onsets)
        assert {a["duration"] for a in blocks} == {10.0}


def test_the_same_seed_gives_the_same_bytes_and_a_larger_cohort_begins_with_the_smaller(
    tmp_path: Path,
) -> None:
    one, again, larger, other = (
        write_cohort(tmp_path / name, SMALL, people, seed).parent
        for name, people, seed in (("one", 2, 1), ("again", 2, 1), ("larger", 4, 1), ("other", 2, 2))
    )
    for path in one.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()
        if path.suffix == ".snirf":
            assert path.read_bytes() == (larger / path.name).read_bytes()
            assert path.read_bytes() != (other / path.name).read_bytes()
    assert rows(larger / "cohort.tsv")[:3] == rows(one / "cohort.tsv")


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.5, -1.5])
def test_the_ceiling_is_what_the_best_rule_reaches(effect: float) -> None:
    rng = np.random.default_rng(0)
    group = np.arange(200_000) % 2
    parameters = rng.standard_normal((2, 200_000)) + effect * group
    ratio = np.sum(norm.logpdf(parameters - effect) - norm.logpdf(parameters), axis=0)
    best = np.mean((ratio > 0) == group) if effect else 0.5
    assert bayes_ceiling(effect) == pytest.approx(best, abs=0.005)


@pytest.mark.parametrize(
    ("people", "seed", "sessions", "message"),
    [(0, 0, 1, "people is 0"), (2, -1, 1, "seed is -1"), (2, 0, 0, "sessions is 0")],
)
def test_numbers_out_of_bounds_are_refused(
    tmp_path: Path, people: int, seed: int, sessions: int, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        write_cohort(tmp_path / "x", SMALL, people, seed, sessions)
    assert not (tmp_path / "x").exists()
