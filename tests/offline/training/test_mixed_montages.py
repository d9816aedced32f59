"""One network over several montages: from a cohort to decisions on a montage that nobody was trained on."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import Bundle, read_bundle
from models.errors import RecipeError, SignalError
from models.networks.parts.montage import Montage, side_means
from models.networks.virtual_probe import VirtualProbe, montage_in, placed
from offline.base.cohort import read_cohort
from offline.base.window_store import KeptWindows
from offline.evaluation.conditions import conditions_of
from offline.evaluation.evaluate import evaluate
from offline.recordings import read_recording
from offline.recordings.snirf_writer import write_snirf
from offline.retraining.calibrate import calibrate
from offline.samples.recipe import Recipe, parse_recipe
from offline.samples.replay import replay
from offline.samples.samples import Samples, collect, plan_of
from offline.samples.sides import with_one_montage
from offline.simulation import Simulation, TaskBlocks, simulate_person
from offline.training.mirroring import Mirroring
from offline.training.temperature import logits_of
from offline.training.train import refuse_further, train
from realtime.core import Core, Plan
from realtime.decision import Decision
from realtime.inference import Inference, predict
from realtime.log import Entry, Produced, SessionStarted
from realtime.quality.policy import Policy
from realtime.rerun import predict_journal, predict_recording
from realtime.signal import SignalSpec
from realtime.sinks.journal.journal import JournalWriter
from realtime.sources.recording import Recording, entries
from realtime.stages.montages import montage_of, take_channels
from realtime.windows import Window
from tests.offline.support import write_table

HERE, THERE, NOWHERE = 12, 8, 16
"""Pairs of two montages of the training, and of one that nobody was trained on."""


def person(pairs: int, seed: int, *, short: int = 2, seconds: float = 130.0) -> Recording:
    task = TaskBlocks(block_s=10.0, rest_s=10.0, jitter_s=1.0, size=2e-6, lateral=0.7)
    settings = Simulation(
        seconds=seconds, rate=4.0, n_pairs=pairs, n_short=short, task=task,
        spikes_per_minute=0.0, shifts_per_minute=0.0,
    )  # fmt: skip
    return simulate_person(settings, (seed, pairs), 0)[0]


def own_recipe(**changes: object) -> Recipe:
    values: dict[str, object] = {
        "name": "own",
        "rate": 2.0,
        "input": {"min_distance": 0.02, "montage": "own"},
        "window": {"length_s": 5.0, "step_s": 2.0},
        "pipeline": [
            {"stage": "optical_density", "baseline_s": 5.0},
            {"stage": "beer_lambert"},
            {"stage": "resample", "measure_s": 2.0},
            {"stage": "normalise", "memory_s": 60.0, "warmup_s": 10.0},
        ],
        "labels": {
            "source": "events",
            "target": "event",
            "mirror": [["left", "right"]],
            "intervals": {
                hand: {"events": [hand], "delay_s": 3.0, "duration_s": 9.0} for hand in ("left", "right")
            },
        },
        "model": {"kind": "virtual_probe"},
        "training": {"epochs": 2, "batch_size": 16, "augmentation": {"mirror": True, "gain": 0.1}},
        "policy": {"min_confidence": 0.0, "min_channels": 0.5},
        "evaluation": {"permutations": 4},
    }
    return parse_recipe(values | changes, "own")


def cohort_of(folder: Path, montages: Sequence[int], people: int = 2) -> Path:
    rows = []
    for pairs in montages:
        for p in range(people):
            name = f"m{pairs}p{p}.snirf"
            write_snirf(replace(person(pairs, p), name=name[:-6]), folder / name)
            rows.append((name, f"person-{pairs}-{p}", f"montage-{pairs}"))
    return write_table(folder, rows, "site")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cohort_of(tmp_path_factory.mktemp("cohort"), (HERE, THERE))


@pytest.fixture(scope="module")
def samples(cohort: Path) -> Samples:
    return collect(read_cohort(cohort), own_recipe())


@pytest.fixture(scope="module")
def folder(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "bundle"
    train(cohort, own_recipe(), out, seed=1)
    return out


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Bundle:
    return read_bundle(folder)


@pytest.fixture(scope="module")
def inference(bundle: Bundle) -> Inference:
    return Inference(bundle, device="cpu")


def with_rows(recording: Recording, rows: Sequence[int]) -> Recording:
    rows = list(rows)
    return replace(
        recording,
        spec=recording.spec.pick(rows),
        data=recording.data[rows],
        missing=recording.missing[rows],
    )


def moved(recording: Recording, **places: tuple[float, float, float] | None) -> Recording:
    """The recording with these places for every channel; None forgets them."""
    channels = tuple(
        replace(channel, **places, source_position=None, detector_position=None)  # type: ignore[arg-type]
        for channel in recording.spec.channels
    )
    return replace(recording, spec=SignalSpec(channels, recording.spec.rate))


def said(decisions: Sequence[Decision]) -> list[str]:
    return [decision.to_json() for decision in decisions]


# ------------------------------------------------------------------ training


def test_the_table_has_every_channel_once_and_tells_places_of_one_name_apart(samples: Samples) -> None:
    montages = samples.montages
    assert montages is not None
    assert [len(spec) for spec in montages.seen] == [2 * HERE] * 2 + [2 * THERE] * 2
    assert list(montages.distinct.values()) == [2, 2]
    assert len(set(samples.names)) == len(samples.names)
    places = np.array([channel.position for channel in samples.behind.channels])
    for spec, rows in zip(montages.seen, montages.rows, strict=True):
        own = np.array([channel.position for channel in spec.channels])
        np.testing.assert_allclose(places[list(rows)], own, atol=1e-9)
        assert [samples.behind.channels[row].kind for row in rows] == [c.kind for c in spec.channels]
    assert any(name.endswith("(2)") for name in samples.names)  # S4_D4 is elsewhere in the other montage
    assert any(
        "2 montages (24 channels in 2 recordings, 16 channels in 2" in each for each in samples.remarks
    )


def test_windows_hold_what_replay_gives_and_nothing_of_other_montages(cohort: Path, samples: Samples) -> None:
    montages, recipe = samples.montages, own_recipe()
    assert montages is not None
    recording = person(THERE, 1)
    plan = replace(plan_of(recipe, montages.taken[3], samples.labels), policy=Policy(min_channels=0.5))
    by_start = {window.start: window.data for window in replay(recording, plan).usable}
    mine = np.flatnonzero(samples.table.person == f"person-{THERE}-1")
    assert len(mine) > 5
    others = [row for row in range(len(samples.names)) if row not in montages.rows[3]]
    for i in mine:
        assert not samples.X[int(i)][others].any()
        expected = by_start[float(samples.table.start[i])]
        assert expected is not None
        np.testing.assert_array_equal(samples.X[int(i)][list(montages.rows[3])], expected)


def test_rows_of_other_montages_change_no_logit_beyond_rounding(samples: Samples, bundle: Bundle) -> None:
    montages = samples.montages
    assert montages is not None
    X, whose = samples.X[:], samples.table.person == f"person-{THERE}-0"
    table = logits_of(placed(bundle.network, montage_of(samples.behind)).eval(), X[whose])
    own = placed(bundle.network, montage_of(montages.seen[2])).eval()
    np.testing.assert_allclose(table, logits_of(own, X[whose][:, list(montages.rows[2])]), atol=2e-6, rtol=0)


def test_homologues_are_of_one_montage(samples: Samples) -> None:
    montages = samples.montages
    assert montages is not None
    mirror = Mirroring(samples.behind, samples.labels, [("left", "right")], list(montages.distinct))
    where = montage_of(samples.behind).position
    for rows in montages.distinct:
        only = torch.zeros(1, len(samples.names), 2)
        only[0, list(rows)] = 1.0 + torch.arange(len(rows))[:, None]
        image = mirror.mirrored(only)[0, :, 0].numpy()
        assert set(np.flatnonzero(image)) == set(rows)
        for row in rows:
            came = where[list(rows)[int(image[row]) - 1]]
            np.testing.assert_allclose(came, where[row] * [-1, 1, 1], atol=1e-6)


def test_a_place_begins_where_training_had_channels(samples: Samples) -> None:
    made = VirtualProbe(len(samples.names), 10, 2, places=6)
    made.place(montage_of(samples.behind))
    there = torch.from_numpy((samples.X[samples.table.person == f"person-{THERE}-0"] != 0).any(axis=(0, 2)))
    assert 0 < int(there.sum()) < len(samples.names)
    made.spread_over_channels(there)
    side = 10.0 * made.position[there].abs()
    own = made.centres.detach().clone()
    assert torch.cdist(own.abs(), side).min(dim=1).values.max() < 0.4


def test_the_card_says_what_is_served(bundle: Bundle, samples: Samples) -> None:
    card, montages = bundle.card, samples.montages
    assert card.montages is not None
    assert montages is not None
    assert card.model.n_chans == 2 * HERE
    assert montage_in(bundle.network).key == montages.first.key
    assert list(card.montages.sees) == ["hbo", "hbr"]
    assert [list(each) for each in card.montages.trained] == [[2 * HERE, 2], [2 * THERE, 2]]
    assert "any with positions that gives hbo, hbr" in card.montages.line
    assert "x -70 to 70" in card.montages.bounds_line
    assert len(card.novelty["location"]) == 4  # left and right of two chromophores
    for spec in montages.taken:
        assert set(take_channels(SignalSpec.from_json(card.input), card.montages, spec).spec.names) == set(
            spec.names
        )


# ------------------------------------------------------------------ served


def test_the_montage_of_the_card_is_served_as_it_was_trained(bundle: Bundle, inference: Inference) -> None:
    core = Core(Plan.from_card(bundle.card))
    windows: list[Window] = []
    for entry in entries(person(HERE, 7)):
        windows += core.feed(entry)
    usable = [window for window in windows if window.usable]
    assert usable
    assert core.own_montage is None
    for window, output in zip(usable, predict(usable[:5], inference), strict=False):
        assert window.montage is None
        assert window.data is not None
        batch = torch.zeros(8, *window.data.shape)
        batch[0] = torch.from_numpy(window.data)
        with torch.inference_mode():
            np.testing.assert_array_equal(output.logits, bundle.network(batch)[0].numpy())


def test_a_montage_that_nobody_was_trained_on_is_served_whatever_the_order_of_its_rows(
    bundle: Bundle, inference: Inference
) -> None:
    recording = person(NOWHERE, 3)
    decisions = list(predict_recording(recording, bundle, inference, session="s"))
    assert sum(decision.predicted for decision in decisions) > 20
    assert {decision.channels for decision in decisions if decision.predicted} == {2 * NOWHERE}
    order = np.random.default_rng(0).permutation(len(recording.spec))
    again = predict_recording(with_rows(recording, order.tolist()), bundle, inference, session="s")
    assert said(list(again)) == said(decisions)  # bitwise: channels are put in an order of their own


def test_lost_channels_are_left_out_and_too_few_abstain(bundle: Bundle, inference: Inference) -> None:
    recording = person(NOWHERE, 3)
    data = recording.data.copy()
    data[:8] = 1.0  # four pairs are flat
    decisions = list(predict_recording(replace(recording, data=data), bundle, inference, session="s"))
    some = [decision for decision in decisions if decision.predicted]
    assert some
    assert {decision.channels for decision in some} == {2 * NOWHERE - 8}
    data[:20] = 1.0
    decisions = list(predict_recording(replace(recording, data=data), bundle, inference, session="s"))
    assert not any(decision.predicted for decision in decisions)
    assert any("flat" in decision.reasons for decision in decisions)


def test_windows_of_several_montages_in_one_call_are_each_as_if_alone(
    bundle: Bundle, inference: Inference
) -> None:
    found: list[Window] = []
    for pairs in (HERE, NOWHERE, THERE):
        core = Core(Plan.from_card(bundle.card))
        windows = [window for entry in entries(person(pairs, 4)) for window in core.feed(entry)]
        found += [window for window in windows if window.usable][:4]
    mixed = [found[i] for i in (0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11)]
    for window, (logits, batch) in zip(mixed, predict(mixed, inference), strict=True):
        assert window.data is not None
        alone, _ = inference.logits(window.data[np.newaxis], size=batch, montage=window.montage)
        np.testing.assert_array_equal(logits, alone[0])


def test_a_journal_gives_the_same_bytes(bundle: Bundle, inference: Inference, tmp_path: Path) -> None:
    """A session that changes its montage: the positions stand in the log with the stream's description."""
    core = Core(Plan.from_card(bundle.card))
    log: list[Entry] = []
    live: list[Decision] = []

    def take(entry: Entry) -> None:
        log.append(entry)
        windows = core.feed(entry)
        for window, (logits, batch) in zip(windows, predict(windows, inference), strict=True):
            produced = Produced(window.end, window.sequence, batch)
            log.append(produced)
            live.append(core.decide(window, logits, produced))

    take(SessionStarted(0.0, "bed", 1, bundle.card.hash))
    for pairs, later in ((NOWHERE, 0.0), (THERE, 1000.0), (HERE, 2000.0)):
        recording = person(pairs, 5, seconds=60.0)
        for entry in entries(replace(recording, times=recording.times + later)):
            take(entry)
    assert {d.channels for d in live if d.predicted} == {2 * HERE, 2 * THERE, 2 * NOWHERE}
    assert [d.sequence for d in live] == sorted({d.sequence for d in live})
    with JournalWriter(tmp_path / "j.sqlite", on_trouble=pytest.fail) as journal:
        for entry in log:
            journal.append(entry)
    again = list(predict_journal(tmp_path / "j.sqlite", bundle, inference, report=pytest.fail))
    assert said(again) == said(live)


def test_positions_decide_between_montages_that_use_the_same_names(bundle: Bundle) -> None:
    card = bundle.card
    needed, recording = SignalSpec.from_json(card.input), person(HERE, 0)
    assert not take_channels(needed, card.montages, recording.spec).own
    # Without positions, names decide, and the positions are those of the training.
    silent = moved(recording, position=None)
    assert not take_channels(needed, card.montages, silent.spec).own
    channels = tuple(
        replace(c, position=(c.position[0], c.position[1] + 0.025, c.position[2]))
        for c in recording.spec.channels
        if c.position is not None
    )
    assert take_channels(needed, card.montages, SignalSpec(channels, 4.0)).own


# ------------------------------------------------------------------ refused


def test_what_is_out_of_range_is_refused_with_numbers(bundle: Bundle) -> None:
    card = bundle.card
    needed, recording = SignalSpec.from_json(card.input), person(NOWHERE, 0)
    with pytest.raises(SignalError, match="needs every channel's position: 32 of 32 have none"):
        take_channels(needed, card.montages, moved(recording, position=None).spec)
    with pytest.raises(SignalError, match=r"0 of 32 channels within 30 mm .* near 0 % .* expected \d+ %"):
        take_channels(needed, card.montages, moved(recording, position=(0.0, 0.3, 0.0)).spec)
    left = [i for i, c in enumerate(recording.spec.channels) if c.position and c.position[0] < 0]
    with pytest.raises(SignalError, match="use a model trained on this part of the head"):
        take_channels(needed, card.montages, recording.spec.pick(left))
    blood = tuple(
        replace(c, kind="bold", unit="percent", wavelength=None)  # type: ignore[arg-type]
        for c in recording.spec.channels
    )
    with pytest.raises(SignalError, match="none that the model can start from: intensity, 20 to any mm"):
        take_channels(needed, card.montages, SignalSpec(blood, 4.0))


def test_channels_far_from_the_training_are_left_out(bundle: Bundle) -> None:
    card, recording = bundle.card, person(NOWHERE, 0)
    last = recording.spec.channels[30:32]
    far = tuple(replace(channel, position=(0.0, 0.2, 0.0)) for channel in last)
    spec = SignalSpec((*recording.spec.channels[:30], *far), 4.0)
    taken = take_channels(SignalSpec.from_json(card.input), card.montages, spec)
    assert taken.own
    assert {channel.name for channel in last}.isdisjoint(taken.spec.names)


def test_other_models_say_which_kind_would_serve(bundle: Bundle) -> None:
    needed = SignalSpec.from_json(bundle.card.input)
    with pytest.raises(
        SignalError, match=r"of the 24 channels .* Found \d+: .*'virtual_probe', trained with"
    ):
        take_channels(needed, None, person(THERE, 0).spec)


def test_recipes_that_cannot_have_mixed_montages_are_refused(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="'ridge' demands the channels that it was trained on"):
        train(cohort, own_recipe(model={"kind": "ridge"}, policy={}, training={}), tmp_path / "b")
    with pytest.raises(RecipeError, match="'cgrnn' demands the channels"):
        conditions_of(own_recipe(), ["cgrnn"])
    with pytest.raises(RecipeError, match="montage is 'own', which takes each recording's own channels"):
        own_recipe(input={"montage": "own", "channels": ["S1_D1 760"]})
    with pytest.raises(
        RecipeError, match="recordings with their own channels each and cannot be trained fur"
    ):
        refuse_further(own_recipe())


def test_the_advice_where_recordings_share_no_channel(tmp_path: Path) -> None:
    for i, name in enumerate(("a", "b")):
        recording = person(4, i, short=0, seconds=30.0)
        rows = list(range(4)) if i else list(range(4, 8))
        write_snirf(replace(with_rows(recording, rows), name=name), tmp_path / f"{name}.snirf")
    table = write_table(tmp_path, [("a.snirf", "a"), ("b.snirf", "b")])
    with pytest.raises(RecipeError, match=r"input.montage = 'own', with model.kind = 'virtual_probe'"):
        collect(read_cohort(table), own_recipe(input={}))


def test_a_key_that_says_nothing_changes_no_hash() -> None:
    plain = own_recipe(input={"min_distance": 0.02})
    assert plain.hash == own_recipe(input={"min_distance": 0.02, "montage": "shared"}).hash
    assert plain.hash != own_recipe().hash


# ------------------------------------------------------------------ beside


def test_simple_models_see_the_mean_of_each_kind_and_side(samples: Samples) -> None:
    simple = with_one_montage(samples)
    assert simple.names == ("hbo left", "hbo right", "hbr left", "hbr right")
    assert isinstance(simple.X, KeptWindows)
    montage, X = montage_of(samples.behind), samples.X[:]
    there = (X[0] != 0.0).any(axis=1)
    for k, side in enumerate(montage.sides):
        np.testing.assert_allclose(simple.X[0][k], X[0][side & there].mean(axis=0), atol=1e-5)
    assert with_one_montage(simple) is simple


def test_a_side_without_a_channel_counts_for_nothing() -> None:
    montage = Montage(np.float32([[-0.05, 0, 0], [0.05, 0, 0], [0.001, 0, 0]]), np.array([0, 0, 0]))
    values = np.array([[1.0], [3.0], [5.0]])
    means, used = side_means(values, np.array([True, False, False]), montage.sides)
    assert used.tolist() == [True, False]
    assert means[0, 0] == 1.0
    means, _ = side_means(values, np.ones(3, dtype=bool), montage.sides)
    assert means[:, 0].tolist() == [3.0, 4.0]  # what lies at the midline is of both


def test_an_evaluation_tells_of_unseen_people_and_unseen_montages(cohort: Path, tmp_path: Path) -> None:
    recipe = own_recipe(evaluation={"permutations": 2}, training={"epochs": 1})
    found = evaluate(cohort, recipe, tmp_path / "report", show=False).figures
    assert {"virtual_probe", "ridge", "linear", "virtual_probe, unseen site"} <= found["conditions"].keys()
    assert any("the mean of each kind on each side" in remark for remark in found["remarks"])
    assert all(0 <= each["share"] <= 1 for each in found["unlike_training"].values())
    page = (tmp_path / "report" / "report.html").read_text()
    assert "2 montages" in page
    json.dumps(found)


def test_a_new_person_with_another_montage_calibrates(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.snirf"
    write_snirf(replace(person(NOWHERE, 11, seconds=300.0), name="new"), path)
    out = calibrate(folder, [path], tmp_path / "theirs")
    assert out.minutes.montage is not None
    assert out.minutes.X.shape[1] == 2 * NOWHERE
    theirs, ours = read_bundle(tmp_path / "theirs"), read_bundle(folder)
    assert montage_in(theirs.network).key == montage_in(ours.network).key


def test_real_montages_of_51_and_9_pairs_go_through_one_network(data_dir: Path, tmp_path: Path) -> None:
    """Two tasks, so what is learnt means nothing: only that real montages, drawn flat, are taken together."""
    rows = []
    for number, (path, unit) in enumerate(
        (
            ("homer3_tapping/subj1/Fingertapping_08192013.nirs", None),
            ("homer3_tapping/subj2/20130904_FingerTapping.nirs", None),
            ("homer3_two_conditions/nirs/s1/neuro_run01.nirs", "cm"),
            ("homer3_two_conditions/nirs/s2/neuro_run08.nirs", "cm"),
        )
    ):
        recording = read_recording(data_dir / "fnirs" / path, length_unit=unit)
        part = recording.times < recording.times[0] + 150.0
        recording = replace(
            recording,
            data=recording.data[:, part],
            times=recording.times[part],
            missing=recording.missing[:, part],
            events=tuple(e for e in recording.events if e.onset < recording.times[0] + 140.0),
            name=f"p{number}",
        )
        write_snirf(recording, tmp_path / f"p{number}.snirf")
        rows.append((f"p{number}.snirf", f"p{number}"))
    intervals = {
        "rest": {"events": ["1", "2"], "delay_s": -9.0, "duration_s": 8.0},
        "task": {"events": ["1", "2"], "delay_s": 3.0, "duration_s": 8.0},
    }
    recipe = own_recipe(
        input={"montage": "own"},
        labels={"source": "events", "target": "event", "intervals": intervals},
        training={"epochs": 1},
    )
    out = train(write_table(tmp_path, rows), recipe, tmp_path / "bundle", seed=0)
    bundle = read_bundle(tmp_path / "bundle", out.hash)
    served = bundle.card.montages
    assert served is not None
    assert [count for count, _ in served.trained] == [102, 16, 18]  # one file marks a channel as bad
    inference = Inference(bundle, device="cpu")
    for number, channels in ((1, 102), (3, 18)):
        recording = read_recording(tmp_path / f"p{number}.snirf")
        decisions = list(predict_recording(recording, bundle, inference, session="s"))
        assert {decision.channels for decision in decisions if decision.predicted} <= set(range(channels + 1))
        assert any(decision.predicted for decision in decisions)
