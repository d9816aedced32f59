"""No signal stands under two people, whatever it came in."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import read_bundle
from models.errors import BundleError, RecipeError
from offline.base.cohort import Cohort, CohortRow, read_cohort
from offline.evaluation.evaluate import evaluate, plan_evaluation
from offline.recordings import read_recording
from offline.recordings.snirf_writer import write_snirf
from offline.retraining.locked import refuse_learnt_from
from offline.samples.fingerprints import (
    alike,
    alike_pairs,
    fingerprint_of,
    fingerprint_of_recording,
    learnt_from,
    signals_for_card,
)
from offline.samples.labels import events_spelt_otherwise, labels_of
from offline.samples.samples import collect
from offline.training.train import train
from realtime.signal import Kind
from tests.offline.support import (
    group_recipe,
    series_cohort,
    task_cohort,
    task_recipe,
    write_homer,
    write_table,
)

people = st.integers(0, 2**32 - 1)
GROUPS = ("a", "b", "n/a", "N/A", "NA")


def signal(seed: int, n: int = 900, channels: int = 4) -> np.ndarray:
    """Slow waves, a pulse and noise, as light has them, (channels, n) float64."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / 8
    slow = np.cumsum(rng.normal(0, 1e-3, (channels, n)), axis=1)
    pulse = 2e-3 * np.sin(2 * np.pi * (1.1 + 0.2 * rng.random()) * t + rng.random((channels, 1)))
    return 0.5 + slow + pulse + rng.normal(0, 3e-4, (channels, n))


@given(people, st.integers(0, 3), st.data())
def test_a_signal_is_known_again_in_any_unit_order_format_and_length(
    seed: int, fewer: int, data: st.DataObject
) -> None:
    its = signal(seed)
    first = data.draw(st.integers(0, 500))
    stop = data.draw(st.integers(first + 300, 900))
    gain = data.draw(st.floats(1e-6, 1e6))
    offset = data.draw(st.sampled_from([0.0, 0.1, 3.0]))
    order = np.random.default_rng(seed).permutation(4)[fewer:]
    copy = gain * (its[order, first:stop] + offset)
    form = data.draw(st.sampled_from(["float64", "float32", "six digits"]))
    if form == "float32":
        copy = copy.astype(np.float32)
    elif form == "six digits":
        copy = np.vectorize(lambda value: float(f"{value:.5e}"))(copy)
    found = alike(fingerprint_of(its), fingerprint_of(copy))
    assert found is not None
    assert found.shift == first
    assert found.samples <= stop - first
    joined = np.concatenate([signal(seed + 1, 200)[: len(copy)], copy / gain], axis=1)
    assert alike(fingerprint_of(its), fingerprint_of(joined)) is not None


@given(people, st.integers(60, 250), st.integers(1, 3))
def test_a_brief_recording_too_is_known_again_with_its_first_samples_cut_off(
    seed: int, n: int, channels: int
) -> None:
    its = np.random.default_rng(seed).normal(size=(6, n)).cumsum(axis=1)[:channels]
    few = n * channels < 120  # too few maxima to be sure
    found = alike(fingerprint_of(its), fingerprint_of(3 * its[:, 1:] + 1))
    assert few or (found is not None and found.shift == 1)
    other = np.random.default_rng(seed + 1).normal(size=(6, n)).cumsum(axis=1)
    assert alike(fingerprint_of(its), fingerprint_of(other)) is None


def test_a_copy_in_optical_density_is_the_signal_of_its_light(tmp_path: Path) -> None:
    its = read_recording(write_homer(tmp_path / "a.nirs", seed=0))
    light = replace(its, data=np.where(its.data > 0, 1.3 * its.data, np.nan))
    channels = [replace(each, kind=Kind.OPTICAL_DENSITY, unit="1") for each in its.spec.channels]
    density = replace(
        its,
        spec=replace(its.spec, channels=tuple(channels)),
        data=-np.log(light.data / light.data.mean(axis=1, keepdims=True)),
    )
    one, other = fingerprint_of_recording(light), fingerprint_of_recording(density)
    found = alike(one, other)
    assert found is not None
    assert found.words > 0.9 * len(one.words)


def test_one_channel_of_many_is_known_again(tmp_path: Path) -> None:
    its = signal(0, n=1600, channels=70)
    for k in range(0, 70, 7):
        assert len(alike_pairs([fingerprint_of(its), fingerprint_of(its[k : k + 1, 3:])])) == 1


@settings(max_examples=30)
@given(st.lists(people, min_size=2, max_size=6, unique=True))
def test_signals_of_several_people_are_never_one(seeds: list[int]) -> None:
    assert alike_pairs([fingerprint_of(signal(seed)) for seed in seeds]) == []


def test_real_recordings_of_different_people_are_different(data_dir: Path) -> None:
    found = [
        fingerprint_of_recording(recording)
        for path in sorted((data_dir / "fnirs/rest").glob("*.snirf"))
        for recording in [read_recording(path)]
    ]
    assert len(found) > 5
    assert alike_pairs(found) == []


@pytest.mark.parametrize("rows", [np.ones((2, 300)), np.full((2, 300), np.nan), np.zeros((2, 5))])
def test_what_never_changes_is_like_nothing(rows: np.ndarray) -> None:
    assert not len(fingerprint_of(rows).words)


def cohort_of(folder: Path, *rows: tuple[str, str]) -> Path:
    for k in range(3):
        write_homer(folder / f"q{k}.nirs", seed=k)
    return write_table(folder, rows)


def test_the_same_bytes_under_two_people_are_refused_even_of_who_is_left_aside(tmp_path: Path) -> None:
    path = cohort_of(tmp_path, ("q0.nirs", "p1"), ("copy.nirs", "p2"), ("q1.nirs", "p3"))
    shutil.copy(tmp_path / "q0.nirs", tmp_path / "copy.nirs")
    said = r"q0.nirs \(line 2, person 'p1'\) and copy.nirs \(line 3, person 'p2'\) are .*byte for byte\. What"
    for aside in ([], ["p2"]):
        samples = collect(read_cohort(path), task_recipe(), exclude_people=aside)
        assert any("two people are the same file, byte for byte" in remark for remark in samples.remarks)
        with pytest.raises(RecipeError, match=said):
            train(path, task_recipe(), tmp_path / "bundle", exclude_people=aside)
    with pytest.raises(RecipeError, match=said):
        evaluate(path, task_recipe(), tmp_path / "report")
    with pytest.raises(RecipeError, match=said):
        plan_evaluation(path, task_recipe())


@pytest.mark.parametrize("length", [None, 400])
def test_the_same_signal_in_another_format_is_refused(tmp_path: Path, length: int | None) -> None:
    path = cohort_of(tmp_path, ("q0.nirs", "p1"), ("copy.snirf", "p2"), ("q1.nirs", "p3"))
    its = read_recording(tmp_path / "q0.nirs")
    cut = replace(
        its, name="copy", data=its.data[:, :length], times=its.times[:length], missing=its.missing[:, :length]
    )
    write_snirf(cut, tmp_path / "copy.snirf")
    samples = collect(read_cohort(path), task_recipe())
    assert any("recordings of two people hold the same signal" in remark for remark in samples.remarks)
    said = r"line 2, person 'p1'.*line 3, person 'p2'.*hold the same signal"
    with pytest.raises(RecipeError, match=said):
        train(path, task_recipe(), tmp_path / "bundle")
    with pytest.raises(RecipeError, match=said):
        evaluate(path, task_recipe(), tmp_path / "report")
    with pytest.raises(RecipeError, match=said):
        plan_evaluation(path, task_recipe())


def test_the_same_signal_twice_under_one_person_is_reported(tmp_path: Path) -> None:
    path = cohort_of(tmp_path, ("q0.nirs", "p1"), ("copy.nirs", "p1"), ("q1.nirs", "p3"))
    shutil.copy(tmp_path / "q0.nirs", tmp_path / "copy.nirs")
    samples = collect(read_cohort(path), task_recipe())
    assert any("two recordings of one person are the same file" in remark for remark in samples.remarks)
    assert not any("p1" in remark for remark in samples.unnamed)


def test_by_time_the_same_signal_twice_under_one_person_is_refused(tmp_path: Path) -> None:
    path = cohort_of(tmp_path, ("q0.nirs", "p1"), ("half.snirf", "p1"), ("q1.nirs", "p2"))
    its = read_recording(tmp_path / "q0.nirs")
    late = replace(its, data=its.data[:, 200:], times=its.times[200:], missing=its.missing[:, 200:])
    write_snirf(late, tmp_path / "half.snirf")
    recipe = task_recipe(evaluation={"by": "time", "blocks": 2, "gap_s": 0.0})
    said = r"line 2, person 'p1'.*line 3, person 'p1'.*hold the same signal.*By time"
    with pytest.raises(RecipeError, match=said):
        evaluate(path, recipe, tmp_path / "report")
    with pytest.raises(RecipeError, match=said):
        plan_evaluation(path, recipe)


def test_words_for_not_known_are_no_spellings_of_a_label(tmp_path: Path) -> None:
    rows = [
        CohortRow(tmp_path / f"{i}.csv", f"p{i}", values={"group": text}) for i, text in enumerate(GROUPS)
    ]
    labels, own = labels_of(rows, Cohort(tmp_path, tuple(rows)), group_recipe().labels)
    assert labels == ("a", "b")
    assert own == ["a", "b", None, None, None]


def test_labels_that_differ_in_case_are_refused(tmp_path: Path) -> None:
    path = series_cohort(tmp_path, ["a", "b", "A", "b"])
    with pytest.raises(RecipeError, match=r"label 'group' 'a' \(line 2\) and 'A' \(line 4\)"):
        collect(read_cohort(path), group_recipe())


def test_events_that_are_nearly_called_as_the_recipe_wants_them_are_reported() -> None:
    recipe = task_recipe()  # wants "1"
    assert events_spelt_otherwise(recipe.labels, {"1", "2", "1\u200b"}) == []
    (remark,) = events_spelt_otherwise(recipe.labels, {"1", "\uff11"})
    assert "'\\uff11'" in remark.text
    assert "recipe's '1'" in remark.text


def test_locked_people_whose_signal_was_learnt_from_are_refused(tmp_path: Path) -> None:
    path = task_cohort(tmp_path, people=3, sessions=1)
    train(path, task_recipe(training={"epochs": 1}), tmp_path / "bundle", exclude_people=["person-2"])
    training = read_bundle(tmp_path / "bundle").card.training
    its = read_recording(tmp_path / "p0s0.nirs")
    write_snirf(
        replace(its, data=its.data[:, 50:], times=its.times[50:], missing=its.missing[:, 50:]),
        tmp_path / "l.snirf",
    )
    write_table(tmp_path, [("p2s0.nirs", "locked-1")])
    refuse_learnt_from(training, collect(read_cohort(tmp_path), task_recipe()))
    write_table(tmp_path, [("l.snirf", "locked-1")])
    with pytest.raises(RecipeError, match=r"1 recordings of --locked .*l\.snirf"):
        refuse_learnt_from(training, collect(read_cohort(tmp_path), task_recipe()))


def test_a_card_knows_the_signals_it_was_trained_on(tmp_path: Path) -> None:
    path = task_cohort(tmp_path, people=3, sessions=1)
    train(path, task_recipe(training={"epochs": 1}), tmp_path / "bundle", exclude_people=["person-2"])
    training = read_bundle(tmp_path / "bundle").card.training
    assert len(training["signals"]) == 2
    for p in range(3):
        its = read_recording(tmp_path / f"p{p}s0.nirs")
        part = replace(its, data=its.data[:, 100:], times=its.times[100:], missing=its.missing[:, 100:])
        found = learnt_from(training, fingerprint_of_recording(part))
        assert (found is None) == (p == 2)
    assert learnt_from({}, fingerprint_of(its.data)) is None  # an earlier version's card


@pytest.mark.parametrize("line", [3, "zz@1", "00", "0f@x", "f" * 20 + "@1"])
def test_a_card_with_other_signals_is_refused(line: object) -> None:
    with pytest.raises(BundleError, match=r"training\.signals"):
        learnt_from({"signals": [line], "people_salt": "0"}, fingerprint_of(signal(0)))


def test_cards_of_one_cohort_with_other_salts_share_no_words() -> None:
    one, other = (set(" ".join(signals_for_card([fingerprint_of(signal(0))], s)).split()) for s in "ab")
    assert one
    assert not one & other
