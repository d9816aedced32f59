"""From a bundle and a new person's minutes to a bundle of their own."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.bundle import read_bundle, write_bundle
from models.cards.window_card import CardEvidence
from models.errors import BundleError, HemostreamError, RecipeError, RecordingError
from models.evidence.accumulation import Law
from offline.base.cohort import read_cohort
from offline.base.people_hash import person_hash
from offline.recordings import read_recording
from offline.retraining.calibrate import NOT_EVALUATED, calibrate
from offline.retraining.labelled_minutes import label_rules, minutes_of
from offline.samples.samples import collect
from offline.training.temperature import logits_of
from offline.training.train import train
from realtime.inference import Inference
from realtime.log import SessionStarted
from realtime.plan import Plan
from realtime.rerun import predict_recording
from realtime.sinks.journal.journal import JournalWriter
from realtime.sources.recording import entries
from tests.models.evidence.test_unseen import unseen
from tests.offline.support import (
    group_recipe,
    series_cohort,
    task_cohort,
    task_recipe,
    write_homer,
    write_table,
)
from tools.cli import main


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ridge bundle of three people, and one locked."""
    folder = tmp_path_factory.mktemp("calibrate")
    cohort = task_cohort(folder, people=4, effect=0.004)
    train(cohort, task_recipe(model={"kind": "ridge"}), folder / "bundle", lock=["person-3"])
    return folder / "bundle"


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    """Of a person whose response is the other way round."""
    return write_homer(tmp_path / "new.nirs", seed=50, seconds=240.0, effect=-0.004)


def test_a_person_who_differs_is_met_live(bundle: Path, minutes: Path, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in bundle.iterdir()}
    done = calibrate(bundle, [minutes], tmp_path / "own", person="new-1")
    assert {file.name: file.read_bytes() for file in bundle.iterdir()} == before
    later = read_recording(write_homer(tmp_path / "later.nirs", seed=51, seconds=240.0, effect=-0.004))
    shares = []
    for folder in (bundle, tmp_path / "own"):
        its = read_bundle(folder)
        rules = label_rules(its.card)
        decisions = predict_recording(later, its, Inference(its, device="cpu"), session="later")
        told = [
            (d.label, true)
            for d in decisions
            if (true := rules.label_of(d.window_start, d.window_end, later.events)) and not d.abstained
        ]
        shares.append(np.mean([label == true for label, true in told]))
    assert shares[0] < 0.5 < 0.8 < shares[1]
    assert read_bundle(tmp_path / "own", done.hash).card.hash == done.hash


def test_the_card_tells_what_it_was_calibrated_by_and_nobody(
    bundle: Path, minutes: Path, tmp_path: Path
) -> None:
    done = calibrate(bundle, [minutes], tmp_path / "own", person="new-1")
    card, parent = read_bundle(tmp_path / "own").card, read_bundle(bundle).card
    its = card.training["calibrated"]
    salt = parent.training["people_salt"]
    assert its["blocks"] == done.minutes.blocks
    assert min(its["blocks"].values()) >= 9
    assert sum(its["windows"].values()) == len(done.minutes.y)
    assert 3.0 < its["minutes"] < 4.0
    assert its["moved"]
    assert its["log_loss_after"] < its["log_loss_before"]
    assert its["evaluation"] == NOT_EVALUATED
    assert card.evaluation == {}
    assert card.training["from"] == its["parent"] == parent.hash
    assert its["person_hash"] == person_hash(salt, "new-1")
    assert set(card.training["people_hashes"]) == {*parent.training["people_hashes"], its["person_hash"]}
    assert "new-1" not in str(card)
    assert "new.nirs" not in str(card)
    assert card.training["locked_people_hashes"] == parent.training["locked_people_hashes"]
    for field in ("model", "network", "input", "pipeline", "window", "policy", "novelty", "calibration"):
        assert getattr(card, field, None) == getattr(parent, field, None)


def evaluated(folder: Path, to: Path) -> Path:
    """The same bundle, as if a report and a law of how windows add up were on its card."""
    old = read_bundle(folder)
    law = Law(centre=0.0, mu=0.5, between=0.4, within=1.0, tau=12.0)
    card = old.card.model_copy(
        update={
            "unseen": unseen(),
            "policy": {**old.card.policy, "min_confidence": None},
            "evidence": CardEvidence(memory_s=9.0, law=law),
            "weights_sha256": "",
            "hash": "",
        }
    )
    write_bundle(to, card, old.network)
    return to


def test_weights_that_moved_keep_no_word_of_what_the_old_ones_were_worth(
    bundle: Path, minutes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = evaluated(bundle, tmp_path / "parent")
    done = calibrate(parent, [minutes], tmp_path / "own")
    card = read_bundle(tmp_path / "own").card
    assert done.adapted.moved
    assert card.unseen is None
    assert card.evidence == CardEvidence(memory_s=9.0)
    assert Plan.from_card(card).min_confidence is None
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["info", str(tmp_path / "own")])
    text = " ".join(capsys.readouterr().out.split())
    assert "Calibrated: to one person by 3." in text
    assert "; not evaluated since" in text
    assert "Evaluated: never evaluated on unseen people" in text
    assert "train by it, and calibrate that bundle" in text


def test_weights_that_stayed_keep_their_evaluation(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = evaluated(bundle, tmp_path / "parent")
    same = write_homer(tmp_path / "same.nirs", seed=70, seconds=90.0, effect=0.004)
    done = calibrate(parent, [same], tmp_path / "own")
    assert not done.adapted.moved
    card = read_bundle(tmp_path / "own").card
    assert card.unseen == unseen()
    assert card.evidence.law is not None
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["info", str(tmp_path / "own")])
    assert "nothing was gained: the weights are the old ones" in " ".join(capsys.readouterr().out.split())


def test_windows_are_those_of_training_by_the_same_recording(bundle: Path, tmp_path: Path) -> None:
    """Minutes are replayed and labelled as the cohort was, but for windows unlike the training."""
    write_homer(tmp_path / "p.nirs", seed=60)
    table = write_table(tmp_path, [("p.nirs", "p")])
    samples = collect(read_cohort(table), task_recipe())
    card = read_bundle(bundle).card.model_copy(update={"novelty": {}})
    found = minutes_of([("p", read_recording(tmp_path / "p.nirs"))], card, label_rules(card))
    np.testing.assert_array_equal(found.X[:], samples.X[:])
    np.testing.assert_array_equal(found.y, samples.table.target)


def test_of_a_person_like_the_others_the_weights_may_stay(bundle: Path, tmp_path: Path) -> None:
    same = write_homer(tmp_path / "same.nirs", seed=70, seconds=90.0, effect=0.004)
    done = calibrate(bundle, [same], tmp_path / "own")
    old, new = read_bundle(bundle), read_bundle(tmp_path / "own")
    assert new.card.training["calibrated"]["person_hash"] is None
    if not done.adapted.moved:
        X = done.minutes.X[:]
        np.testing.assert_array_equal(logits_of(old.network, X), logits_of(new.network, X))
        assert new.card.weights_sha256 == old.card.weights_sha256
    assert done.adapted.after <= done.adapted.before


def test_what_was_learnt_from_and_who_is_locked_is_refused(
    bundle: Path, minutes: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecordingError, match="has learnt from this signal already"):
        calibrate(bundle, [bundle.parent / "p0s0.nirs"], tmp_path / "own")
    with pytest.raises(RecipeError, match="locked for this bundle"):
        calibrate(bundle, [minutes], tmp_path / "own", person="person-3")
    calibrate(bundle, [minutes], tmp_path / "own")
    with pytest.raises(RecordingError, match="start from the bundle before it"):
        calibrate(tmp_path / "own", [minutes], tmp_path / "again")
    copied = shutil.copy(minutes, tmp_path / "copy.nirs")
    with pytest.raises(RecordingError, match=r"new.nirs and copy.nirs hold the same signal"):
        calibrate(bundle, [minutes, copied], tmp_path / "again")
    with pytest.raises(RecipeError, match="is the old bundle itself"):
        calibrate(bundle, [minutes], bundle)
    assert not (tmp_path / "again").exists()


def test_too_little_is_refused_with_what_was_found(bundle: Path, tmp_path: Path) -> None:
    brief = write_homer(tmp_path / "brief.nirs", seed=80, seconds=45.0, effect=0.004)
    with pytest.raises(RecipeError, match=r"2 blocks of every label or more; found 1 of 'rest', 1 of 'task'"):
        calibrate(bundle, [brief], tmp_path / "own")
    table = tmp_path / "events.tsv"
    table.write_text("onset\ttrial_type\n20\tother\n")
    with pytest.raises(RecipeError, match="begin at events '1'; the recordings have 'other'"):
        calibrate(bundle, [brief], tmp_path / "own", event_table=table)
    table.write_text("time\tname\n20\t1\n")
    with pytest.raises(RecordingError, match="expected columns 'onset'"):
        calibrate(bundle, [brief], tmp_path / "own", event_table=table)
    assert not (tmp_path / "own").exists()


def test_events_may_come_from_a_table_and_minutes_from_several_recordings(
    bundle: Path, minutes: Path, tmp_path: Path
) -> None:
    table = tmp_path / "events.tsv"
    rows = "".join(f"{onset}\t1\n" for onset in range(20, 110, 20))
    table.write_text("onset\ttrial_type\n" + rows)
    done = calibrate(bundle, [minutes], tmp_path / "own", event_table=table)
    assert done.minutes.blocks == {"rest": 5, "task": 5}
    more = write_homer(tmp_path / "more.nirs", seed=90, effect=-0.004)
    both = calibrate(bundle, [minutes, more], tmp_path / "both")
    assert len(both.minutes.signals) == 2
    assert both.minutes.blocks["task"] > done.minutes.blocks["task"]
    with pytest.raises(RecipeError, match="belongs to one recording; 2 were given"):
        calibrate(bundle, [minutes, more], tmp_path / "none", event_table=table)


def test_the_journal_of_a_session_with_markers_calibrates_as_its_recording(
    bundle: Path, minutes: Path, tmp_path: Path
) -> None:
    recording = read_recording(minutes)

    def trouble(message: str) -> None:
        raise AssertionError(message)

    with JournalWriter(tmp_path / "bed.hemostream", on_trouble=trouble) as journal:
        journal.append(SessionStarted(0.0, "bed", 1, read_bundle(bundle).card.hash))
        for entry in entries(recording, chunk_samples=7):
            journal.append(entry)
    by_file = calibrate(bundle, [minutes], tmp_path / "file")
    by_journal = calibrate(bundle, [tmp_path / "bed.hemostream"], tmp_path / "journal")
    assert by_journal.minutes.blocks == by_file.minutes.blocks
    np.testing.assert_array_equal(by_journal.minutes.y, by_file.minutes.y)
    np.testing.assert_allclose(by_journal.minutes.X[:], by_file.minutes.X[:], atol=1e-5)
    X = by_file.minutes.X[:]
    one, other = (logits_of(read_bundle(tmp_path / name).network, X) for name in ("file", "journal"))
    np.testing.assert_allclose(one, other, atol=1e-2)


def test_a_label_of_the_person_is_refused(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, "abababab")
    train(cohort, group_recipe(), tmp_path / "bundle")
    with pytest.raises(BundleError, match=r"stand in the column 'group' .* hemostream train --from"):
        calibrate(tmp_path / "bundle", [tmp_path / "p0.1D"], tmp_path / "own")


def test_the_command_says_what_came_of_it(
    bundle: Path, minutes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "own"
    asked = ["calibrate", "--model", str(bundle), "--recording", str(minutes), "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main(asked)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "minutes: " in said
    assert "Log loss of held-out blocks" in said
    assert f"of {read_bundle(bundle).card.hash[:12]}" in said
    with pytest.raises(SystemExit) as ended:
        main(asked)
    assert ended.value.code
    assert "--overwrite" in capsys.readouterr().err


def test_no_half_bundle_is_left_where_a_recording_is_none(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(HemostreamError):
        calibrate(bundle, [tmp_path / "absent.snirf"], tmp_path / "own")
    assert not (tmp_path / "own").exists()
