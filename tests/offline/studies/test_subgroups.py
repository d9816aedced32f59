"""For whom a study's figures hold: every group is counted from its own people, and small ones say nothing."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.base.predictions import Predictions, read_predictions
from offline.base.progress import silent
from offline.report.study import GROUP_HEAD, TENFOLD, UNSEEN_SITE
from offline.report.study import subgroups as section
from offline.scans import Scans
from offline.scans.simulated import simulate_series, simulate_table
from offline.stats.metrics import auc
from offline.studies import STUDIES
from offline.studies.profile import Profile
from offline.studies.run import run_study
from offline.studies.subgroups import LEAST, groups_of, subgroups


def people(n: int = 240, seed: int = 0) -> Scans:
    scans = simulate_table(n, seed=seed).scans
    rng = np.random.default_rng(seed)
    age = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(5.0, 40.0, n))
    motion = np.where(rng.random(n) < 0.1, np.nan, scans.motion)
    return replace(scans, age=age, motion=motion, sex=rng.choice(["F", "M", ""], n, p=[0.3, 0.6, 0.1]))


def said(scans: Scans, log_odds: np.ndarray, condition: str = UNSEEN_SITE) -> Predictions:
    second = 1.0 / (1.0 + np.exp(-log_odds))
    n = len(scans)
    return Predictions(
        scans.labels,
        fold=np.char.add("site ", scans.site),
        condition=np.full(n, condition),
        sample=np.arange(n),
        person=scans.table.person,
        y=scans.y,
        scores=np.stack([1.0 - second, second], axis=1),
        repeat=np.zeros(n, dtype=np.int64),
    ).rows(np.random.default_rng(1).permutation(n))


@given(st.integers(0, 1000), st.integers(20, 200))
@settings(max_examples=25, deadline=None)
def test_groups_add_up_to_everybody_once(seed: int, n: int) -> None:
    scans = people(n, seed)
    for groups in groups_of(scans).values():
        assert (sum(members.astype(int) for members in groups.values()) == 1).all()
    found = subgroups(said(scans, np.zeros(n)), scans)["divisions"]
    for division in found.values():
        assert sum(group["people"] for group in division) == n
        for label in (0, 1):
            of_label = sum(group["n"][scans.labels[label]] for group in division)
            assert of_label == np.count_nonzero(scans.y == label)
        for group in division:
            assert (group["figures"] is None) == (min(group["n"].values()) < LEAST)


def test_figures_are_those_of_the_groups_own_people_compared_within_sites() -> None:
    scans = people()
    rng = np.random.default_rng(2)
    old = scans.age >= 18
    # Right of everybody who is 18 or over, and drawn at random of the others; sites shift scores.
    shift = np.unique(scans.site, return_inverse=True)[1] * 0.1
    odds = np.where(old, 2.0 * scans.y - 1.0, rng.normal(size=len(scans))) + shift
    found = {g["group"]: g for g in subgroups(said(scans, odds), scans)["divisions"]["age"]}
    grown = found["18 years and over"]["figures"]
    assert grown["accuracy"]["value"] == grown["balanced_accuracy"]["value"] == grown["auc"]["value"] == 1.0
    for name, members in groups_of(scans)["age"].items():
        its = found[name]["figures"]
        if its is None:
            continue
        assert its["accuracy"]["value"] == pytest.approx(np.mean((odds > 0) == (scans.y == 1), where=members))
        expected = auc((scans.y == 1)[members], odds[members], scans.site[members])
        assert its["auc"]["value"] == pytest.approx(expected)
        for figure in ("accuracy", "balanced_accuracy", "auc"):
            low, high = its[figure]["interval"]
            assert low <= its[figure]["value"] <= high
    assert found["under 12 years"]["figures"]["auc"]["value"] < 0.8


def test_thirds_are_thirds_and_who_moved_alike_is_together() -> None:
    scans = people()
    sizes = [np.count_nonzero(m) for name, m in groups_of(scans)["motion"].items() if name != "unknown"]
    assert max(sizes) - min(sizes) <= 1
    assert sum(sizes) == np.isfinite(scans.motion).sum()
    alike = groups_of(replace(scans, motion=np.full(len(scans), 0.1)))["motion"]
    assert [int(m.sum()) for m in alike.values()] == [len(scans)]
    unknown = groups_of(replace(scans, motion=np.full(len(scans), np.nan)))["motion"]
    assert list(unknown) == ["unknown"]


def test_other_arms_are_not_counted_and_without_an_unseen_site_there_is_nothing() -> None:
    scans = people()
    odds = np.random.default_rng(3).normal(size=len(scans))
    alone = subgroups(said(scans, odds), scans)
    both = Predictions.concatenate([said(scans, -odds, TENFOLD), said(scans, odds)])
    assert subgroups(both, scans) == alone
    assert subgroups(said(scans, odds, TENFOLD), scans) == {}
    assert section({"subgroups": {}}) is None


def test_a_small_group_shows_its_number_and_no_figure() -> None:
    scans = people()
    sex = np.where(np.arange(len(scans)) < 2 * LEAST - 2, "F", "M")  # LEAST - 1 of each label
    its = subgroups(said(scans, np.zeros(len(scans))), replace(scans, sex=sex))
    shown = section({"subgroups": its})
    assert shown is not None
    words, *tables = shown.blocks
    rows = {row[0]: row for table in tables if table.head[0] == "sex" for row in table.rows}
    assert rows["female"][1:] == (
        str(2 * LEAST - 2),
        f"{LEAST - 1} TD, {LEAST - 1} disorder",
        "–",
        "too few",
        "–",
        "–",
    )
    assert len(rows["male"]) == len(GROUP_HEAD) + 1
    assert "to" in rows["male"][-1]
    assert f"under {LEAST} people of either label" in words.text


def test_a_run_says_for_whom_it_holds_and_how_unlabelled_people_were_used(tmp_path: Path) -> None:
    scans = simulate_series(120, n_regions=8, n_times=60, n_sites=3, seed=1).scans
    site = np.where(np.arange(120) < 12, "small", scans.site)
    scans = replace(scans, table=replace(scans.table, site=site))
    out = tmp_path / "ridge-combat"
    run_study(STUDIES["ridge-combat"], scans, out, Profile("quick", 1, 0), cache=tmp_path, tell=silent)
    results = json.loads((out / "results.json").read_text())
    assert results["subgroups"] == subgroups(read_predictions(out / "predictions.csv"), scans)
    assert [group["people"] for group in results["subgroups"]["divisions"]["site"]] == [36, 36, 36, 12]
    page = (out / "report.html").read_text()
    assert page.count(">balanced accuracy (95 %)</th>") == 4
    assert "12 to under 18 years" in page
    assert (
        "without labels. Sites with under 20 people are predicted there as in the first condition: small."
        in page
    )
