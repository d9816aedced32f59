"""Thresholds come from people who were left out; what the score sees, and cannot see, on real data."""

from pathlib import Path

import numpy as np

from models.novelty import window_features
from offline.base.cohort import read_cohort
from offline.samples.novelty import FEW, FeatureSummary, fit_novelty, share_unlike, summarise
from offline.samples.recipe import load_recipe
from offline.samples.samples import collect
from realtime.quality.policy import WHOLE, Reason
from realtime.windows import Window


def people(n: int, windows: int = 60, spread: float = 0.0, seed: int = 0) -> FeatureSummary:
    """Windows of people who differ in level."""
    rng = np.random.default_rng(seed)
    parts = []
    for person in range(n):
        data = rng.normal(size=(windows, 3, 20)) + spread * rng.normal(size=(1, 3, 1))
        used = np.ones((windows, 3), dtype=bool)
        parts.append(
            FeatureSummary(
                window_features(data), used, np.full(windows, f"p{person}"), np.full(windows, f"r{person}")
            )
        )
    return FeatureSummary.concatenate(parts)


def test_people_who_differ_ask_for_a_wider_threshold() -> None:
    alike, unlike = (fit_novelty(people(6, spread=spread))[0] for spread in (0.0, 2.0))
    narrow = alike.scale[:, 0].mean()
    assert unlike.scale[:, 0].mean() > 2 * narrow
    for spread, fitted in ((0.0, alike), (2.0, unlike)):
        assert share_unlike(fitted, people(6, spread=spread, seed=9)) < 0.05
    # Somebody as far from the alike as the unlike are from one another is reported.
    assert share_unlike(alike, people(6, spread=20.0, seed=9)) > 0.5


def test_few_people_are_called_weak_and_one_weaker_still() -> None:
    for n, weak in ((3, True), (FEW, False)):
        _, how = fit_novelty(people(n))
        assert how["threshold_from"] == "people"
        assert how["units"] == n
        assert ("weak" in how) is weak
    of = people(2)
    alone = FeatureSummary(of.features, of.used, np.full(len(of), "p"), of.recording)
    assert fit_novelty(alone)[1]["threshold_from"] == "recordings of one person"
    single = FeatureSummary(alone.features, alone.used, alone.person, np.full(len(of), "r"))
    how = fit_novelty(single)[1]
    assert how["threshold_from"] == "parts of one recording"
    assert "nobody unseen" in how["weak"]


def test_a_channel_that_was_left_out_is_not_learnt_from() -> None:
    of = people(4)
    half = of.used.copy()
    half[::2, 1] = False
    spoilt = of.features.copy()
    spoilt[~half] = 1e3
    fitted, _ = fit_novelty(FeatureSummary(spoilt, half, of.person, of.recording))
    assert np.abs(fitted.location).max() < 10
    never = np.ones_like(half)
    never[:, 2] = False
    fitted, _ = fit_novelty(FeatureSummary(of.features, never, of.person, of.recording))
    np.testing.assert_array_equal(fitted.location[2], np.median(fitted.location[:2], axis=0))


def test_a_feature_that_never_varied_does_not_make_everything_novel() -> None:
    of = people(4)
    still = of.features.copy()
    still[:, 0] = 0.0
    fitted, _ = fit_novelty(FeatureSummary(still, of.used, of.person, of.recording))
    assert (fitted.scale > 0).all()
    assert np.isfinite(fitted.threshold)
    same = FeatureSummary(of.features * 0.0, of.used, of.person, of.recording)
    assert share_unlike(fit_novelty(same)[0], same) == 0.0


def test_seen_remembers_which_channels_were_left_out() -> None:
    data = np.ones((2, 4), dtype=np.float32)
    window = Window(0, 1, 0.0, 1.0, data, WHOLE, (), rejected_channels={Reason.COVERAGE: ("b",)})
    of = summarise([window], ("a", "b"), "p", "r")
    np.testing.assert_array_equal(of.used, [[True, False]])
    assert len(summarise([], ("a", "b"), "p", "r")) == 0


def test_on_a_real_unseen_person(data_dir: Path, tmp_path: Path) -> None:
    """The share of an unseen person that is refused, and what the score sees and cannot see."""
    folder = data_dir / "fnirs/homer3_tapping"
    rows = [f"{path}\t{path.parent.name}" for path in sorted(folder.glob("subj*/*.nirs"))]
    table = tmp_path / "cohort.tsv"
    table.write_text("recording\tperson\n" + "\n".join(rows) + "\n")
    samples = collect(read_cohort(table), load_recipe("tapping"))
    for person in samples.table.people:
        unseen = samples.feature_summary.person == person
        fitted, how = fit_novelty(samples.feature_summary.rows(~unseen))
        assert "weak" in how
        assert share_unlike(fitted, samples.feature_summary.rows(unseen)) < 0.02

        windows = samples.X[samples.table.person == person].astype(np.float64)

        def refused(data: np.ndarray, fitted: object = fitted) -> float:
            everything = np.ones(data.shape[:2], dtype=bool)
            whose = np.full(len(data), "foreign")
            return share_unlike(fitted, FeatureSummary(window_features(data), everything, whose, whose))  # type: ignore[arg-type]

        rng = np.random.default_rng(0)
        assert refused(rng.standard_normal(windows.shape)) == 1.0
        assert refused(windows * 10) > 0.99
        assert refused(windows * 0) == 1.0
        # What it cannot see, held here so that no one believes otherwise.
        for blind in (-windows, windows[:, :, ::-1], windows[:, ::-1]):
            assert refused(blind) < 0.05
