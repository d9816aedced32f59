"""Continuous targets: a planted severity is found at sites of any scale, none where none is, no leak."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.errors import RecipeError
from offline.base.progress import silent
from offline.base.row_splits import folds_of_sites, ten_folds_of_sites
from offline.base.splits import Fold
from offline.estimators.ridge import ABSOLUTE
from offline.evaluation.continuous import (
    MEAN,
    ContinuousFit,
    ContinuousProcedure,
    in_site_units,
)
from offline.evaluation.runner import perform
from offline.evaluation.tasks import FitTask
from offline.report.study import TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.scans import Scans, read_scans
from offline.scans.simulated import simulate_table
from offline.scans.targets import with_target
from offline.stats.permutation import permuted_within
from offline.stats.regression import read_continuous
from offline.studies import STUDIES
from offline.studies.continuous import BEYOND, TRAITS
from offline.studies.profile import Profile
from offline.studies.run import run_study

SMALL = Profile("quick", 1, 19)
TABLE = "as it is"


def people(n: int = 160, *, planted: bool = True, effect: float = 0.0, seed: int = 3) -> Scans:
    """A table that carries severity, each site's in a scale of its own; or severity drawn apart from it."""
    scans = simulate_table(n, effect=effect, n_sites=3, seed=seed).scans
    rng = np.random.default_rng(seed)
    amount = scans.scores["severity"] if planted else rng.normal(50.0, 10.0, n)
    for k, site in enumerate(np.unique(scans.site)):
        here = scans.site == site
        amount = np.where(here, (10.0**k) * amount + 100.0 * k, amount)
    return with_target(replace(scans, scores={"severity": amount, "IQ": rng.normal(100, 15, n)}), "severity")


def reported(scans: Scans, out: Path, name: str = "ridge-table", profile: Profile = SMALL) -> dict:
    return run_study(STUDIES[name], scans, out, profile, cache=out / "cache", tell=silent)


def predicted(scans: Scans, targets: np.ndarray, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Targets in the units of sites and what is predicted of them, (n_test, n_targets) each."""
    procedure = ContinuousProcedure({"X": scans.X}, targets, scans.site, by_site=True)
    numbers = [None, *range(targets.shape[1] - 1)]
    results = perform(procedure, [FitTask(fold, "", ContinuousFit("X"), number) for number in numbers])
    both = np.stack([each.scores for each in results], axis=1)
    return both[:, :, 0], both[:, :, 1]


def permuted(target: np.ndarray, site: np.ndarray, n: int) -> np.ndarray:
    """True ones first."""
    each = [permuted_within(target, site, np.random.default_rng(number)) for number in range(n)]
    return np.column_stack([target, *each])


def test_a_planted_severity_is_found_and_none_where_none_is(tmp_path: Path) -> None:
    found = reported(people(), tmp_path / "found")["conditions"]
    none = reported(people(planted=False), tmp_path / "none")["conditions"]
    for condition in (UNSEEN_SITE, TRANSDUCTIVE, TENFOLD, UNSEEN_SITE + BEYOND, TENFOLD + BEYOND):
        its = found[f"{TABLE}, {condition}"]
        assert its["people"] == 160
        assert its["r"]["value"] > 0.6
        assert its["r"]["p"] == 0.05
        assert its["R2"]["value"] > 0.2
        assert its["MAE"]["value"] < found[f"{MEAN}, {TENFOLD}"]["MAE"]["value"]
        assert none[f"{TABLE}, {condition}"]["r"]["value"] < 0.25  # of 160 people: SD 0.08
        assert none[f"{TABLE}, {condition}"]["r"]["p"] > 0.05
        assert none[f"{TABLE}, {condition}"]["R2"]["value"] < 0.05
    assert abs(found[f"{TRAITS}, {TENFOLD}"]["r"]["value"]) < 0.25
    assert found[f"{MEAN}, {TENFOLD}"]["r"]["value"] is None
    assert found[f"{MEAN}, {TENFOLD}"]["R2"]["value"] == pytest.approx(0.0, abs=0.05)


def test_over_many_cohorts_nothing_is_found_where_nothing_is() -> None:
    values = []
    for seed in range(30):
        scans = people(90, planted=False, seed=seed)
        for fold in folds_of_sites(scans.table.person, scans.site):
            y, found = predicted(scans, scans.scores["severity"][:, np.newaxis], fold)
            values.append(np.corrcoef(y[:, 0], found[:, 0])[0, 1])
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values)) < 0.1


def test_what_goes_with_the_diagnosis_alone_is_not_reported_within_it(tmp_path: Path) -> None:
    """Severity of the disorder's people is higher, and the table tells who they are, and no more."""
    scans = people(240, effect=2.4)
    rng = np.random.default_rng(0)
    amount = 2.0 * (scans.y == 1) + rng.normal(size=240)
    conditions = reported(replace(scans, scores={"severity": amount}), tmp_path)["conditions"]
    assert conditions[f"{TABLE}, {TENFOLD}"]["r"]["value"] > 0.3
    alone = conditions[f"{TABLE}, {TENFOLD}, disorder alone"]
    assert alone["people"] == 120
    assert alone["r"]["value"] < 0.2
    assert alone["R2"]["value"] is None


def test_people_are_correlated_within_a_fold_and_a_site(tmp_path: Path) -> None:
    """By hand. Where few of a site have the disorder theirs are high in its units: the site would tell it."""
    scans = people(120)
    results = reported(scans, tmp_path)
    table = read_continuous(tmp_path / "predictions.csv")
    label = f"{TABLE}, {TENFOLD}"
    own = table.of_condition(label)
    person = scans.table.person.tolist()
    rows = np.array([person.index(each) for each in own.person.tolist()])
    fold = np.full(len(scans), -1)
    for k, each in enumerate(ten_folds_of_sites(scans.table.person, scans.site, seed=0)):
        fold[each.test] = k
    for chosen, condition in ((np.arange(120) >= 0, label), (scans.y == 1, f"{label}, disorder alone")):
        centred = []
        for values in (own.y, own.predicted):
            by_person = np.zeros(120)
            by_person[rows] = values
            for site in np.unique(scans.site):
                for k in range(10):
                    cell = chosen & (scans.site == site) & (fold == k)
                    by_person[cell] -= by_person[cell].mean() if cell.any() else 0.0
            centred.append(by_person[chosen])
        one, other = centred
        r = one @ other / np.sqrt((one @ one) * (other @ other))
        assert results["conditions"][condition]["r"]["value"] == pytest.approx(r)


def test_what_age_and_sex_give_is_not_reported_beyond_them(tmp_path: Path) -> None:
    scans = people(200)
    rng = np.random.default_rng(2)
    amount = scans.age + rng.normal(size=200)
    X = rng.normal(size=scans.X.shape)
    X[:, 0] = scans.age + rng.normal(size=200)
    conditions = reported(replace(scans, X=X, scores={"severity": amount}), tmp_path)["conditions"]
    assert conditions[f"{TABLE}, {TENFOLD}"]["r"]["value"] > 0.5
    assert conditions[f"{TRAITS}, {TENFOLD}"]["r"]["value"] > 0.8
    assert conditions[f"{TABLE}, {TENFOLD}{BEYOND}"]["r"]["value"] < 0.25


def test_it_is_scikit_learns_ridge_and_targets_of_the_held_out_reach_no_fit() -> None:
    scans = people()
    person, site = scans.table.person, scans.site
    targets = permuted(scans.scores["severity"], site, 4)
    for fold in (ten_folds_of_sites(person, site, seed=0)[3], folds_of_sites(person, site)[1]):
        y, found = predicted(scans, targets, fold)
        for k in range(5):
            own = in_site_units(targets[:, [k]], site, fold.train)[:, 0]
            model = make_pipeline(StandardScaler(), RidgeCV(ABSOLUTE))
            model.fit(scans.X[fold.train], own[fold.train])
            np.testing.assert_allclose(found[:, k], model.predict(scans.X[fold.test]), atol=1e-8)
            np.testing.assert_allclose(y[:, k], own[fold.test])
        changed = targets.copy()
        changed[fold.test] = 1e3 * np.random.default_rng(0).normal(size=changed[fold.test].shape)
        np.testing.assert_array_equal(predicted(scans, changed, fold)[1], found)


def test_units_are_of_the_training_people_and_permutations_stay_within_a_site() -> None:
    site = np.array(["a"] * 4 + ["b"] * 4)
    amount = np.array([[1.0, 3.0, 5.0, 100.0, 10.0, 20.0, 30.0, 40.0]]).T
    found = in_site_units(amount, site, np.array([0, 1, 2]))[:, 0]
    sd = np.std([1.0, 3.0, 5.0])
    np.testing.assert_allclose(found[:4], (amount[:4, 0] - 3.0) / sd)
    assert found[4:].mean() == pytest.approx(0.0)  # a site that no one was trained on: its own
    assert found[4:].std() == pytest.approx(1.0)
    shuffled = permuted(amount[:, 0], site, 30)
    np.testing.assert_array_equal(shuffled[:, 0], amount[:, 0])
    assert (np.sort(shuffled[:4], axis=0) == np.sort(amount[:4], axis=0)).all()
    assert (shuffled[:, 1:] != amount).any()
    folds = ten_folds_of_sites(np.arange(60).astype(str), np.repeat(["a", "b"], [25, 35]), seed=1)
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(60))
    assert all(2 <= np.count_nonzero(fold.test < 25) <= 3 for fold in folds)


def test_other_scores_are_never_predictors_and_a_run_is_the_same_again(tmp_path: Path) -> None:
    scans = people()
    one = reported(scans, tmp_path / "one")
    given_away = replace(scans, scores={**scans.scores, "IQ": scans.scores["severity"]})
    other = reported(given_away, tmp_path / "other")
    assert one == other
    assert (tmp_path / "one/results.json").read_bytes() == (tmp_path / "other/results.json").read_bytes()
    assert json.loads((tmp_path / "one/results.json").read_text())["data"]["unit"] == "SD of the site"
    page = (tmp_path / "one/report.html").read_text()
    assert "Research use only" in page
    assert "more than chance" in page
    assert not re.search(r'(src|href)="http', page)
    rows = (tmp_path / "one/predictions.csv").read_text().splitlines()
    assert len(rows) == 1 + 160 * 9


def test_who_cannot_be_predicted_is_left_out_and_said(tmp_path: Path) -> None:
    scans = people()
    amount = scans.scores["severity"].copy()
    amount[np.flatnonzero(scans.site == "S2")[5:]] = np.nan
    scans = with_target(replace(scans, scores={"severity": amount}), "severity")
    its = reported(scans, tmp_path)["data"]
    assert set(its["sites"]) == {"S1", "S3"}
    assert any("their 'severity' is not known" in remark for remark in its["remarks"])
    assert any("site S2 left out: 5 people with an amount" in remark for remark in its["remarks"])
    with pytest.raises(RecipeError, match="known of no one"):
        with_target(replace(scans, scores={"severity": np.full(len(scans), np.nan)}), "severity")
    with pytest.raises(RecipeError, match="known of 30 people at sites that are large enough; expected 40"):
        reported(scans.rows(np.flatnonzero(scans.site == "S1")[:30]), tmp_path)
    with pytest.raises(RecipeError, match=r"svm on 'severity': .* expected ridge, ridge-partial"):
        reported(scans, tmp_path, "svm")


def test_one_site_has_ten_folds_alone_and_a_baseline_of_traits_stands_once(tmp_path: Path) -> None:
    scans = people()
    scans = scans.rows(scans.site == "S1")
    conditions = reported(scans, tmp_path, "age-sex", Profile("quick", 2, 2))["conditions"]
    assert set(conditions) == {
        f"{TRAITS}, {TENFOLD}",
        f"{TRAITS}, {TENFOLD}, disorder alone",
        f"{MEAN}, {TENFOLD}",
    }
    assert conditions[f"{TRAITS}, {TENFOLD}"]["r"]["p"] is None  # two permutations give no p


def test_real_severity(data_dir: Path, tmp_path: Path) -> None:
    """ADHD index of 384 people: what the three sites' scales are, and nothing that carries over by R2."""
    scans = read_scans(data_dir / "adhd200", target="score")
    its = reported(scans, tmp_path, profile=Profile("quick", 1, 2))
    assert {name: each["people"] for name, each in its["data"]["sites"].items()} == {
        "NYU": 212,
        "Peking_1": 73,
        "Peking_2/3": 99,
    }
    assert its["data"]["sites"]["NYU"]["least"] == 40.0
    assert its["data"]["sites"]["Peking_1"]["most"] == 68.0
    assert its["conditions"][f"{TABLE}, {UNSEEN_SITE}"]["R2"]["value"] < 0.05
    graphs = read_scans(data_dir / "adhd200", what="graphs", target="score")
    assert set(graphs.site.tolist()) == {"KKI", "Peking_1"}  # OHSU has no index
    assert any("94 people left out: their 'score' is not known" in remark for remark in graphs.remarks)
