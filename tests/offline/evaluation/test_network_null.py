"""The network's own null: fitted again to permuted labels, through the same tasks, named conditional."""

import json
from pathlib import Path

import numpy as np
import pytest

from offline.base.cohort import read_cohort
from offline.evaluation.evaluate import evaluate
from offline.evaluation.windows import permuted_samples
from offline.samples.samples import collect
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe


def test_a_permutation_follows_from_its_number_and_keeps_what_must_be_kept(tmp_path: Path) -> None:
    recipe = task_recipe()
    samples = collect(read_cohort(task_cohort(tmp_path, sessions=1)), recipe)
    one, again, other = (permuted_samples(samples, recipe, n).table.target for n in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    for name in np.unique(samples.table.recording):
        here = samples.table.recording == name
        assert (one[here] == 1).any()
        assert (one[here] == 0).any()
    groups = group_recipe()
    (tmp_path / "g").mkdir()
    people = collect(read_cohort(series_cohort(tmp_path / "g", "AABBAB")), groups)
    target = permuted_samples(people, groups, 3).table.target
    for person in people.table.people:
        assert len(set(target[people.table.person == person])) == 1
    assert sum(target == 1) == sum(people.table.target == 1)


def test_a_real_effect_has_a_small_p_and_the_null_is_at_chance(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1)
    recipe = task_recipe(
        training={"epochs": 3, "learning_rate": 0.02, "batch_size": 16},
        evaluation={"permutations": 0, "model_permutations": 19},
    )
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    results = json.loads((tmp_path / "out/results.json").read_text())
    null = results["network_null"]
    assert null["permutations"] == 19
    assert "conditional" in null["of"]
    assert null["mean"]["auc"] == pytest.approx(0.5, abs=0.15)
    assert results["conditions"]["cgrnn"]["by_person"]["auc"]["p"] == 0.05
    assert results["conditions"]["ridge"]["by_person"]["auc"]["p"] is None


def test_under_19_permutations_there_is_no_p(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, sessions=1)
    recipe = task_recipe(
        training={"epochs": 1},
        evaluation={"permutations": 0, "model_permutations": 3},
        budget={"permutations": 2},
    )
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["network_null"]["permutations"] == 2
    assert results["conditions"]["cgrnn"]["by_person"]["auc"]["p"] is None
