"""Samples are the windows that the live core gives, and whose they are; what was lost is counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.recordings import read_recording
from offline.recordings.snirf_writer import write_snirf
from offline.samples.recipe import load_recipe
from offline.samples.replay import replay
from offline.samples.samples import Samples, collect, plan_of
from offline.samples.span import Span
from tests.offline.support import (
    group_recipe,
    series_cohort,
    task_cohort,
    task_recipe,
    write_homer,
    write_table,
)


def test_windows_are_the_cores_own_and_lie_wholly_in_a_labelled_interval(tmp_path: Path) -> None:
    recipe = task_recipe()
    cohort = read_cohort(task_cohort(tmp_path, people=2, sessions=1))
    samples = collect(cohort, recipe)
    recording = read_recording(tmp_path / "p0s0.nirs")
    replayed = replay(recording, plan_of(recipe, samples.spec, samples.labels), chunk_samples=7)
    by_start = {window.start: window for window in replayed.usable}
    own = np.flatnonzero(samples.table.recording == "p0s0.nirs")
    assert len(own) > 20
    intervals = {"rest": (13.0, 20.0), "task": (3.0, 12.0)}
    for i in own:
        window = by_start[samples.table.start[i]]
        assert window.data is not None
        assert np.array_equal(samples.X[i], window.data)
        first, last = intervals[samples.labels[samples.table.target[i]]]
        assert any(
            event.onset + first <= samples.table.start[i] + 1e-6
            and samples.table.stop[i] <= event.onset + last + 1e-6
            for event in recording.events
        )
    assert samples.X.dtype == np.float32
    assert samples.X.shape == (len(samples), len(samples.names), 20)


def test_the_order_of_a_vendors_channels_changes_nothing(tmp_path: Path) -> None:
    def collected(folder: str, order: tuple[int, ...]) -> Samples:
        (tmp_path / folder).mkdir()
        write_homer(tmp_path / folder / "a.nirs", seed=1)
        write_homer(tmp_path / folder / "b.nirs", seed=2, order=order)
        return collect(
            read_cohort(write_table(tmp_path / folder, [("a.nirs", "x"), ("b.nirs", "y")])), task_recipe()
        )

    straight, permuted = collected("straight", ()), collected("permuted", (3, 0, 2, 1))
    assert np.array_equal(straight.X, permuted.X)
    assert straight.names == permuted.names


def test_channels_that_not_all_recordings_have_are_left_out_and_said(tmp_path: Path) -> None:
    write_homer(tmp_path / "a.nirs", seed=1, pairs=3)
    write_homer(tmp_path / "b.nirs", seed=2, pairs=2)
    samples = collect(read_cohort(write_table(tmp_path, [("a.nirs", "x"), ("b.nirs", "y")])), task_recipe())
    assert len(samples.spec) == 4
    assert any("2 channels left out" in remark and "S3_D1 690" in remark for remark in samples.remarks)


def test_named_channels_are_taken_in_the_recipes_order_and_misspelt_ones_refused(tmp_path: Path) -> None:
    cohort = read_cohort(task_cohort(tmp_path, people=2, sessions=1))
    samples = collect(cohort, task_recipe(input={"channels": ["S2_D1 830", "S2_D1 690"]}))
    assert samples.spec.names == ("S2_D1 830", "S2_D1 690")
    with pytest.raises(RecipeError, match="Did you mean 'S2_D1 830'"):
        collect(cohort, task_recipe(input={"channels": ["S2_D1 831", "S2_D1 690"]}))


def test_losses_are_counted(tmp_path: Path) -> None:
    samples = collect(read_cohort(task_cohort(tmp_path, people=1, sessions=1)), task_recipe())
    (account,) = samples.accounts
    assert account.lost == {"warming up": account.windows - account.fit}
    assert account.lost_s == pytest.approx(15.0, abs=1.0)  # baseline and normalisation
    assert sum(account.labelled.values()) == len(samples)


def test_a_span_takes_windows_wholly_inside_it_and_its_past_is_the_same(tmp_path: Path) -> None:
    cohort = read_cohort(task_cohort(tmp_path, people=1, sessions=1))
    whole = collect(cohort, task_recipe())
    half = collect(cohort, task_recipe(), span=Span(0.0, 0.5, fraction=True))
    late = collect(cohort, task_recipe(), span=Span.parse("70:110"))
    assert half.table.stop.max() <= 60.0
    assert late.table.start.min() >= 70.0
    assert late.table.stop.max() <= 110.0
    inside = whole.table.stop <= 59.9
    assert np.array_equal(half.X[half.table.stop <= 59.9], whole.X[inside])


@pytest.mark.parametrize("text", ["half", "1:2:3", "50%:0%", "-5:10", "0%:150%", ""])
def test_spans_that_cannot_be(text: str) -> None:
    with pytest.raises(RecipeError, match=r"(?i)span"):
        Span.parse(text)


def test_labels_of_people_come_from_a_column_and_unmeasured_regions_are_left_out(tmp_path: Path) -> None:
    cohort = read_cohort(series_cohort(tmp_path, ["a", "b", "a", "b"]))
    samples = collect(cohort, group_recipe())
    assert samples.labels == ("a", "b")
    assert samples.X.shape[1:] == (2, 20)
    assert any("hardly measured 1" in remark for remark in samples.remarks)
    of_person = dict(zip(samples.table.person.tolist(), samples.table.target.tolist(), strict=True))
    assert of_person == {"person-0": 0, "person-1": 1, "person-2": 0, "person-3": 1}
    without = collect(cohort, group_recipe(), exclude_people=["person-0"])
    assert "person-0" not in without.table.people
    assert without.X.shape[1] == 3  # whoever is left out decides nothing


def test_a_recording_without_a_labelled_window_is_named(tmp_path: Path) -> None:
    write_homer(tmp_path / "long.nirs", seed=1)
    write_homer(tmp_path / "short.nirs", seed=2, seconds=15)
    cohort = read_cohort(write_table(tmp_path, [("long.nirs", "x"), ("short.nirs", "y")]))
    samples = collect(cohort, task_recipe())
    assert any("short.nirs: no labelled window" in remark for remark in samples.remarks)


def test_what_cannot_be_collected_is_said(tmp_path: Path) -> None:
    cohort = read_cohort(task_cohort(tmp_path, people=2, sessions=1))
    labels = task_recipe().labels.model_dump()
    labels["intervals"]["task"]["events"] = ("go",)
    with pytest.raises(
        RecipeError, match=r"label 'task'. The recipe wants events 'go'; the recordings have .*warming up"
    ):
        collect(cohort, task_recipe(labels=labels))
    with pytest.raises(RecipeError, match="Did you mean 'person-1'"):
        collect(cohort, task_recipe(), exclude_people=["persn-1"])
    with pytest.raises(RecipeError, match="no one remains"):
        collect(cohort, task_recipe(), exclude_people=["person-0", "person-1"])
    with pytest.raises(RecipeError, match="no column 'grup'"):
        collect(cohort, group_recipe(labels={"source": "column", "target": "person", "column": "grup"}))
    with pytest.raises(RecipeError, match="has no channel to work on"):
        collect(cohort, task_recipe(input={"kind": "bold"}))


def test_markers_on_another_clock_are_reported_as_that(tmp_path: Path) -> None:
    """Not as "the recordings have '1'", which the recipe wants."""
    cohort = read_cohort(task_cohort(tmp_path, people=2, sessions=1))
    far = [shifted(row.recording, 1.7e9) for row in cohort.rows]
    with pytest.raises(
        RecipeError, match=r"events lie outside the recordings' time \(5 of 5 in p0s0.snirf; 5 of 5"
    ):
        collect(read_cohort(write_table(tmp_path, [(far[0], "x"), (far[1], "y")])), task_recipe())
    cohort = read_cohort(write_table(tmp_path, [(far[0], "x"), ("p1s0.nirs", "y")]))
    samples = collect(cohort, task_recipe())
    assert any(
        "p0s0.snirf: no labelled window" in remark and "events outside the recording: 5 of 5" in remark
        for remark in samples.remarks
    )


def shifted(path: Path, seconds: float) -> str:
    """The same recording as SNIRF, with its events so much later."""
    recording = read_recording(path)
    events = tuple(replace(event, onset=event.onset + seconds) for event in recording.events)
    return write_snirf(replace(recording, events=events), path.with_suffix(".snirf")).name


def test_the_real_tapping_recordings(data_dir: Path, tmp_path: Path) -> None:
    files = sorted((data_dir / "fnirs/homer3_tapping").glob("subj1/*.nirs"))
    samples = collect(
        read_cohort(write_table(tmp_path, [(str(file), "subj1") for file in files])), load_recipe("tapping")
    )
    assert samples.X.shape[1:] == (102, 35)
    assert set(samples.table.target.tolist()) == {0, 1}
    assert np.isfinite(samples.X.signal).all()
