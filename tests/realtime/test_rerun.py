"""A journal predicted again: only by its own bundle, and only as far as it is whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import Bundle, read_bundle, write_bundle
from models.cards.window_card import WindowCard
from models.errors import JournalError
from models.networks.registry import make_model
from realtime.core import Core, Plan
from realtime.inference import Inference
from realtime.log import ClockMeasured, Entry, Origin, Produced, Received, SessionStarted, StreamOpened
from realtime.rerun import predict_journal, predict_recording
from realtime.sinks.journal.journal import JournalWriter, read_losses
from realtime.sources.recording import Recording
from tests.realtime.support import FAST, RATE, intensities, intensity_spec

SPEC = intensity_spec()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    torch.manual_seed(1)
    shape: dict[str, int] = {"n_chans": 4, "n_times": 70, "n_outputs": 2}
    card = WindowCard(
        model={"kind": "cgrnn", "params": {}, **shape},
        input=SPEC.to_json(),
        pipeline=[dict(stage) for stage in FAST],
        rate=RATE,
        window={"length_s": 7.0, "step_s": 1.0},
        labels=["rest", "task"],
        policy={"max_age_s": 1e4, "min_confidence": 0.0},
    )
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write_bundle(folder, card, make_model("cgrnn", {}, **shape))
    return read_bundle(folder)


@pytest.fixture(scope="module")
def inference(bundle: Bundle) -> Inference:
    return Inference(bundle, device="cpu")


def session(bundle: Bundle, run: int, seconds: float = 30.0) -> list[Entry]:
    """What a session would have written down, decisions not among it."""
    core = Core(Plan.from_card(bundle.card))
    start = 1000.0 * run
    log: list[Entry] = [
        SessionStarted(start, "bed", run, bundle.card.hash),
        StreamOpened(start, SPEC, Origin(), "device", "id", measured=True),
        ClockMeasured(start, 0.0, 1.7e9),
    ]
    for entry in log:
        core.feed(entry)
    n = int(seconds * RATE)
    data = intensities(SPEC, n, run)
    for i in range(n):
        now = start + i / RATE
        entry = Received(now, np.array([now]), data[:, i : i + 1])
        log.append(entry)
        for window in core.feed(entry):
            log.append(Produced(now + 0.001, window.sequence, int(window.usable)))
    return log


def written(path: Path, *runs: list[Entry]) -> Path:
    for log in runs:
        with JournalWriter(path, on_trouble=pytest.fail) as journal:
            for entry in log:
                journal.append(entry)
    return path


def test_runs_of_another_bundle_are_left_out_and_reported(
    bundle: Bundle, inference: Inference, tmp_path: Path
) -> None:
    other = replace(bundle, card=bundle.card.model_copy(update={"hash": "f" * 64}))
    path = written(tmp_path / "bed.hemostream", session(bundle, 1), session(other, 2), session(bundle, 3))
    reported: list[str] = []
    again = list(predict_journal(path, bundle, inference, report=reported.append))
    assert {decision.run for decision in again} == {1, 3}
    assert len(again) == 48
    assert len(reported) == 1
    assert "run 2 by ffffffffffff" in reported[0]
    assert "left out" in reported[0]
    again = list(predict_journal(path, other, inference, report=reported.append))
    assert {decision.run for decision in again} == {2}


def test_a_bundle_that_predicted_no_run_is_reported_which_did(
    bundle: Bundle, inference: Inference, tmp_path: Path
) -> None:
    path = written(tmp_path / "bed.hemostream", session(bundle, 1), session(bundle, 2))
    other = replace(bundle, card=bundle.card.model_copy(update={"hash": "f" * 64}))
    mine = bundle.card.hash[:12]
    with pytest.raises(JournalError, match=f"run 1 by {mine}, run 2 by {mine}.*this bundle is ffffffffffff"):
        list(predict_journal(path, other, inference, report=pytest.fail))


def test_what_follows_on_a_loss_is_not_predicted_as_if_nothing_were_missing(
    bundle: Bundle, inference: Inference, tmp_path: Path
) -> None:
    """A queue that was full: the journal says itself what it lacks, in the middle of run 1."""
    path = tmp_path / "bed.hemostream"
    log = session(bundle, 1)
    whole = [
        d.to_json()
        for d in predict_journal(written(tmp_path / "whole", log), bundle, inference, report=pytest.fail)
    ]
    before, lost, after = log[:200], log[200:230], log[230:]
    troubles: list[str] = []
    with JournalWriter(path, on_trouble=troubles.append, queue_size=len(before), linger_s=30.0) as journal:
        for entry in before:
            journal.append(entry)
        for entry in lost:  # the thread looks rarely, so the queue is full
            journal.append(entry)
    written(path, after)  # the same run goes on
    written(path, session(bundle, 2))
    (loss,) = read_losses(path)
    assert loss.missing == len(lost)
    reported: list[str] = []
    again = list(predict_journal(path, bundle, inference, report=reported.append))
    of_first = [d.to_json() for d in again if d.run == 1]
    made = sum(isinstance(entry, Produced) for entry in before)
    assert 0 < made == len(of_first) < len(whole)
    assert of_first == whole[:made]
    assert sum(d.run == 2 for d in again) == 24
    assert len(reported) == 1
    assert f"lacks {len(lost)} entries" in reported[0]
    assert "run 1" in reported[0]


@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_how_a_recording_is_cut_changes_no_byte_but_the_last_digits(
    bundle: Bundle, inference: Inference, chunk: int
) -> None:
    """Times, quality, what is left out, how sure the times are: all that is no value of the signal."""
    times = 5 + np.arange(500) / RATE + np.random.default_rng(0).uniform(-0.02, 0.02, 500)
    data = intensities(SPEC, 500)
    recording = Recording("r", SPEC, data, times, np.zeros(data.shape, dtype=bool))

    def predicted(n: int) -> list[tuple[object, ...]]:
        decisions = predict_recording(recording, bundle, inference, session="r", chunk_samples=n)
        return [
            (d.identity, d.window_start, d.label, d.reasons, d.quality, d.left_out, d.time_uncertainty_s)
            for d in decisions
        ]

    assert predicted(chunk) == predicted(256)
    assert any(one[-1] for one in predicted(256))  # type: ignore[arg-type]
