"""Group ICA finds what was planted and ranks it before what was not; dual regression gives each his own."""

import numpy as np
import pytest
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.utils.estimator_checks import check_estimator

from models.errors import HemostreamError
from offline.features import Components, LocallyLinear
from offline.features.stability import rank

REGIONS, PLANTED = 100, 3


def planted_maps() -> np.ndarray:
    maps = np.zeros((PLANTED, REGIONS))
    for k in range(PLANTED):
        maps[k, 25 * k : 25 * k + 15] = np.linspace(1.0, 2.0, 15)
    return maps


def scans(seed: int, n: int = 12, n_times: int = 120, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    courses = rng.normal(size=(n, PLANTED, n_times))
    return planted_maps().T @ courses + noise * rng.normal(size=(n, REGIONS, n_times)), courses


def alike(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlations of rows with rows, regardless of sign."""
    return np.abs(np.corrcoef(first, second)[: len(first), len(first) :])


def test_planted_components_are_found_and_ranked_first() -> None:
    X, _ = scans(0)
    found = Components(n_components=5, n_runs=8).fit(X)
    assert alike(found.feature_.maps[:PLANTED], planted_maps()).max(axis=0).min() > 0.95
    assert found.stability_[:PLANTED].min() > 0.8
    assert found.stability_[PLANTED] < found.stability_[PLANTED - 1] - 0.1
    assert (np.diff(found.stability_) <= 0).all()
    kept = Components(n_components=5, n_runs=8, n_kept=PLANTED).fit(X)
    np.testing.assert_array_equal(kept.feature_.maps, found.feature_.maps[:PLANTED])


def test_each_gets_their_own_version() -> None:
    """One person's second component reaches another region: it shows in that person's loadings alone."""
    X, _ = scans(1)
    other, courses = scans(2, n=2)
    other[1, 95] += 2 * courses[1, 1]
    found = Components(n_components=PLANTED, n_runs=4).fit(X)
    second = alike(found.feature_.maps, planted_maps())[:, 1].argmax()
    own = found.transform(other).reshape(2, PLANTED, REGIONS)[:, second]
    assert np.abs(own[1, 95]) > 0.7
    assert np.abs(own[0, 95]) < 0.25


def test_connectivity_of_time_courses() -> None:
    rng = np.random.default_rng(3)
    X, _ = scans(3)
    courses = rng.normal(size=(1, PLANTED, 300))
    courses[:, 1] = 0.8 * courses[:, 0] + 0.6 * courses[:, 1]
    other = planted_maps().T @ courses + 0.2 * rng.normal(size=(1, REGIONS, 300))
    found = Components(n_components=PLANTED, n_runs=4, measure="connectivity").fit(X)
    place = alike(found.feature_.maps, planted_maps()).argmax(axis=0)
    said = np.zeros((PLANTED, PLANTED))
    said[np.triu_indices(PLANTED, 1)] = np.tanh(found.transform(other)[0])
    said = np.abs(said + said.T)
    assert said[place[0], place[1]] == pytest.approx(0.8, abs=0.08)
    assert said[place[0], place[2]] < 0.2


def test_a_masked_region_does_not_move_the_rest() -> None:
    X, _ = scans(4)
    found = Components(n_components=PLANTED, n_runs=4).fit(X)
    masked = X.copy()
    masked[:, 5] = 0.0
    whole = found.transform(X).reshape(-1, PLANTED, REGIONS)
    rest = found.transform(masked).reshape(-1, PLANTED, REGIONS)
    assert not rest[:, :, 5].any()
    assert np.abs(np.delete(rest - whole, 5, axis=2)).max() < 0.1


def test_it_is_the_same_again_and_differs_with_the_seed() -> None:
    X, _ = scans(5, n=6)
    first = Components(n_components=6, n_runs=3).fit(X)
    again = Components(n_components=6, n_runs=3).fit(X)
    other = Components(n_components=6, n_runs=3, random_state=1).fit(X)
    np.testing.assert_array_equal(first.feature_.maps, again.feature_.maps)
    assert not np.array_equal(first.feature_.maps, other.feature_.maps)
    assert 0 <= first.n_converged_ <= 3


def test_no_more_components_than_directions_and_none_of_nothing() -> None:
    rng = np.random.default_rng(6)
    X = planted_maps().T @ rng.normal(size=(4, PLANTED, 100))
    X[:, X.std(axis=(0, 2)) < 1e-12] = 0.0
    assert len(Components(n_components=10, n_runs=2).fit(X).feature_.maps) <= PLANTED
    with pytest.raises(HemostreamError, match="No region of the training people varies"):
        Components(n_components=2).fit(np.zeros((2, 5, 30)))


def test_ranking_by_hand() -> None:
    """Found by both runs, whatever its sign; found by one; signs and lengths put right."""
    maps = np.eye(3)[[0, 1, 0, 2]] * np.array([[2.0], [1.0], [-3.0], [1.0]])
    found = rank(maps, np.array([0, 0, 1, 1]), 3)
    np.testing.assert_array_equal(found.maps[0], [1, 0, 0])
    np.testing.assert_allclose(found.stability, [1.0, 0.5, 0.5])
    np.testing.assert_array_equal(found.maps.max(axis=1), 1)


def test_few_rows_are_embedded_in_as_many_dimensions_as_they_have() -> None:
    rows = np.random.default_rng(0).normal(size=(19, 40))
    few = LocallyLinear(n_components=20, n_neighbors=30).fit(rows)
    assert few.transform(rows).shape == (19, 18)
    assert LocallyLinear(n_components=5, n_neighbors=30).fit(rows).transform(rows).shape == (19, 5)


def test_locally_linear_is_scikit_learns() -> None:
    rng = np.random.default_rng(7)
    X, new = rng.normal(size=(60, 5)), rng.normal(size=(10, 5))
    ours = LocallyLinear(n_neighbors=8).fit(X)
    theirs = LocallyLinearEmbedding(n_neighbors=8, n_components=2, eigen_solver="dense").fit(X)
    np.testing.assert_allclose(ours.transform(new), theirs.transform(new), atol=1e-9)


def test_locally_linear_unrolls_a_roll() -> None:
    """People on a curved sheet: who was not there when it was made is placed by where on it they are."""
    rng = np.random.default_rng(8)
    turn = rng.uniform(1.5 * np.pi, 3.5 * np.pi, 900)
    X = np.stack([turn * np.cos(turn), 5 * rng.uniform(size=900), turn * np.sin(turn)], axis=1)
    places = LocallyLinear(n_components=1, n_neighbors=12).fit(X[:800]).transform(X[800:])[:, 0]
    order = np.argsort(np.argsort(places))
    assert abs(np.corrcoef(order, np.argsort(np.argsort(turn[800:])))[0, 1]) > 0.97


def test_locally_linear_passes_scikit_learns_checks() -> None:
    check_estimator(LocallyLinear(), on_skip=None)
