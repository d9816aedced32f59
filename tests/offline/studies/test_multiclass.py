"""Three labels: planted ones are found by every system, none where none are; types come from phenotypes."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from models.errors import RecipeError
from offline.base.predictions import read_predictions
from offline.base.progress import silent
from offline.base.row_splits import unseen_sites
from offline.base.splits import Fold
from offline.report.study import TENFOLD, TRANSDUCTIVE, UNSEEN_SITE, recall_words
from offline.scans import Scans, read_scans
from offline.scans.simulated import simulate_series, simulate_table
from offline.stats.metrics import balanced_accuracy
from offline.studies import STUDIES
from offline.studies.base import Role
from offline.studies.figures import figures_of
from offline.studies.fitting import log_odds, probabilities_of
from offline.studies.multiclass import OneAgainstRest, area
from offline.studies.profile import Profile
from offline.studies.run import run_study
from offline.studies.tables import TABLES
from tests.offline.studies.fits import fitted, task_of

SMALL = Profile("quick", 1, 19)
LABELS = ("TD", "combined", "inattentive")


def three(effect: float, seed: int = 5, n: int = 210) -> Scans:
    """A table in which two of three labels each have three columns of their own, the controls none."""
    scans = simulate_table(n, effect=0.0, n_sites=3, seed=seed).scans
    y = np.random.default_rng(seed).permutation(np.arange(n) % 3)
    X = scans.X.copy()
    for label in (1, 2):
        X[np.ix_(y == label, np.arange(10 * label, 10 * label + 3))] += effect
    return replace(scans, table=replace(scans.table, target=y), labels=LABELS, X=X)


@cache
def series(effect: float) -> Scans:
    """Region series: the second label is planted by the simulator, the third moves other regions together."""
    two = simulate_series(240, effect=effect, n_regions=16, n_times=90, seed=5).scans
    rng = np.random.default_rng(0)
    y = two.y.copy()
    X = two.X.astype(np.float64)
    # Drawn, for every second one would be those of every second site.
    for i in rng.permutation(np.flatnonzero(y == 0))[:60].tolist():
        y[i] = 2
        n = int(two.n_times[i])
        if effect:  # a shared slow swing, of its own strength in every spectrum
            swing = np.sin(2 * np.pi * 0.05 * np.arange(n) * two.repetition_time[i] + rng.uniform(0, 6.28))
            X[i, :6, :n] += 1.5 * float(np.nanstd(two.X[i])) * swing
    return replace(two, table=replace(two.table, target=y), labels=LABELS, X=X.astype(np.float32))


def halves(scans: Scans) -> Fold:
    rows = np.arange(len(scans))
    cut = 2 * len(rows) // 3
    return Fold(tuple(sorted(scans.table.person[cut:].tolist())), rows[:cut], rows[cut:], "half")


def predicted(name: str, scans: Scans) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    X = TABLES[STUDIES[name].table](scans).astype(np.float32)
    fold = halves(scans)
    done = fitted(STUDIES[name], X, scans.table, task_of(TENFOLD, fold, setting=0))
    return scans.y[fold.test], done.scores


@pytest.mark.parametrize(
    "name",
    [name for name in STUDIES if STUDIES[name].role is Role.SYSTEM]
    + ["ridge", "svm", "connectivity-ensemble"],
)
def test_every_system_tells_three_labels(name: str) -> None:
    y, said = predicted(name, series(2.4))
    assert said.shape == (len(y), 3)
    np.testing.assert_allclose(np.exp(said).sum(axis=1), 1.0, atol=1e-9)
    # Mean of three labels against the rest, 80 people: chance has SD 0.045, the third label is plain to see.
    assert area(y, said) > 0.6
    assert area(*predicted(name, series(0.0))) == pytest.approx(0.5, abs=0.15)


def test_three_planted_labels_are_found_on_unseen_sites_and_none_where_none_are(tmp_path: Path) -> None:
    ran = {
        effect: run_study(
            STUDIES["ridge-table"], three(effect), tmp_path / str(effect), SMALL, cache=tmp_path, tell=silent
        )
        for effect in (1.5, 0.0)
    }
    found, none = (ran[effect]["conditions"] for effect in (1.5, 0.0))
    assert set(found) == {UNSEEN_SITE, TRANSDUCTIVE, TENFOLD}
    for condition in found:
        assert found[condition]["people"] == 210
        assert found[condition]["balanced_accuracy"]["value"] > 0.6
        assert found[condition]["balanced_accuracy"]["interval"][0] > 1 / 3
        assert min(low for low, _ in found[condition]["recall_interval"].values()) > 1 / 3
        assert none[condition]["balanced_accuracy"]["value"] == pytest.approx(1 / 3, abs=0.12)
        assert none[condition]["auc"]["value"] == pytest.approx(0.5, abs=0.12)
    assert found[TENFOLD]["auc"]["p"] == 0.05
    assert none[TENFOLD]["auc"]["p"] > 0.05
    assert ran[1.5]["null"]["balanced_accuracy"]["mean"] == pytest.approx(1 / 3, abs=0.04)
    assert found[TENFOLD]["majority_rate"] == pytest.approx(1 / 3)
    page = (tmp_path / "1.5/report.html").read_text()
    assert recall_words(found[UNSEEN_SITE]) in page.replace("\u00a0", " ")
    assert "inattentive" in page


def test_figures_are_of_people_and_by_hand(tmp_path: Path) -> None:
    two = Profile("quick", 1, 2)
    run_study(STUDIES["ridge-table"], three(1.5), tmp_path, two, cache=tmp_path, tell=silent)
    table = read_predictions(tmp_path / "predictions.csv").of_condition(UNSEEN_SITE)
    said = table.scores.argmax(axis=1)
    its = figures_of(table, {})[UNSEEN_SITE]
    assert its["accuracy"] == pytest.approx(np.mean(said == table.y))
    assert its["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy(table.y, said, 3))
    for k, label in enumerate(LABELS):
        right = float(np.mean(said[table.y == k] == k))
        low, high = its["recall_interval"][label]
        assert its["recall"][label] == pytest.approx(right)
        assert low < right < high
    assert its["balanced_accuracy"]["p"] is None  # no permuted labels were given


def test_one_against_rest_is_a_linear_discriminant_whose_labels_weigh_the_same() -> None:
    """Of least squares on minus and plus one, against scikit-learn's discriminant with equal priors."""
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=4000, p=(0.7, 0.2, 0.1))
    X = rng.normal(size=(4000, 5))
    X[:, 0] += 1.0 * (y == 1)
    X[:, 1] += 1.0 * (y == 2)

    class Squares:
        def fit(self, X: npt.NDArray[np.float64], y: npt.NDArray[np.int64]) -> "Squares":
            ones = np.column_stack([np.ones(len(X)), X])
            self.weights = np.linalg.lstsq(ones, 2.0 * y - 1.0, rcond=None)[0]
            return self

        def decision_function(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return np.asarray(self.weights[0] + X @ self.weights[1:])

    ours = log_odds(OneAgainstRest(Squares).fit(X, y), X).argmax(axis=1)
    theirs = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(X, y).predict(X)
    assert np.mean(ours == theirs) > 0.85
    assert balanced_accuracy(y, ours, 3) == pytest.approx(balanced_accuracy(y, theirs, 3), abs=0.02)
    raw = OneAgainstRest(Squares).fit(X, y)
    plain = np.stack([each.decision_function(X) for each in raw.each_], axis=1).argmax(axis=1)
    assert np.mean(plain == 0) > 0.9  # what is taken out: the commonest label of nearly everybody


def test_two_labels_are_as_they_were() -> None:
    scans = simulate_table(120, effect=2.4, seed=5).scans
    y, said = predicted("ridge-table", scans)
    assert said.ndim == 1
    assert area(y, said) > 0.7
    np.testing.assert_allclose(probabilities_of(said)[:, 1], 1.0 / (1.0 + np.exp(-said)))


def test_too_few_of_a_label_and_sites_that_cannot_be_predicted(tmp_path: Path) -> None:
    scans = three(1.0, n=60)
    y = np.where(scans.y == 2, 0, scans.y)
    y[np.flatnonzero(scans.y == 2)[:4]] = 2
    few = replace(scans, table=replace(scans.table, target=y))
    with pytest.raises(RecipeError, match=r"There are 36 TD, 20 combined, 4 inattentive; expected 5"):
        run_study(STUDIES["ridge-table"], few, tmp_path, SMALL, cache=tmp_path, tell=silent)
    site = np.where(np.arange(60) < 20, "a", np.where(np.arange(60) < 40, "b", "c"))
    y = np.arange(60) % 3
    y[site != "a"] = np.arange(40) % 2
    y[-2:] = 2  # without a, two people of the third label are left to learn from
    table = replace(scans.table, site=site, target=y)
    assert [fold.name for fold in unseen_sites(table)] == ["site b", "site c"]


def test_types_are_reported_of_adhd200_alone_and_never_from_the_labels_of_graphs(data_dir: Path) -> None:
    types = read_scans(data_dir / "adhd200", target="type")
    assert (types.labels, types.target) == (LABELS, "type")
    assert np.bincount(types.y).tolist() == [197, 99, 86]
    pair = read_scans(data_dir / "adhd200", target="type-pair")
    assert np.bincount(pair.y).tolist() == [99, 86]
    graphs = read_scans(data_dir / "adhd200", what="graphs", target="type")
    assert np.bincount(graphs.y).tolist() == [164, 46, 34]  # of the phenotypes
    assert any("no diagnoses and are not used" in remark for remark in graphs.remarks)
    with pytest.raises(RecipeError, match=r"only the phenotypes of ADHD-200 hold; .* read as 'impac'"):
        read_scans(data_dir / "impac", target="type")
    with pytest.raises(RecipeError, match=r"no target 'severity'.*inattentive"):
        read_scans(data_dir / "adhd200", target="severity")


def test_real_types_on_unseen_sites_are_at_chance(data_dir: Path, tmp_path: Path) -> None:
    scans = read_scans(data_dir / "adhd200", target="type")
    quick = Profile("quick", 1, 2)
    its = run_study(STUDIES["ridge-table"], scans, tmp_path, quick, cache=tmp_path, tell=silent)
    assert its["data"]["target"] == "type"
    assert its["conditions"][UNSEEN_SITE]["people"] == 382
    low, high = its["conditions"][UNSEEN_SITE]["auc"]["interval"]
    assert low < 0.5 < high
    assert its["conditions"][UNSEEN_SITE]["accuracy"] < its["conditions"][UNSEEN_SITE]["majority_rate"]
