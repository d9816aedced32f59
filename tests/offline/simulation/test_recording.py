"""A simulated recording: its probe, its response and its artefacts are as the truth says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import Floats
from offline.simulation.artefacts import fast_sd
from offline.simulation.person import clean_haemoglobin, simulate_person
from offline.simulation.probe import LONG_M, SHORT_M, make_pairs, make_spec
from offline.simulation.response import block_response, double_gamma
from offline.simulation.session import SimulatedSession
from offline.simulation.settings import Simulation, TaskBlocks
from realtime.signal import Kind
from realtime.sources.recording import Recording

PLAIN = Simulation(spread=0.0, bad_pairs=0.0, spikes_per_minute=0.0, shifts_per_minute=0.0)


@given(half=st.integers(1, 30), half_short=st.integers(0, 10))
def test_the_probe_is_bilateral_and_true_to_its_distances(half: int, half_short: int) -> None:
    settings = Simulation(n_pairs=2 * half, n_short=2 * min(half, half_short))
    pairs = make_pairs(settings)
    assert len(pairs) == settings.n_pairs + settings.n_short
    assert len({pair.name for pair in pairs}) == len(pairs)
    for index, pair in enumerate(pairs):
        assert pair.distance == pytest.approx(SHORT_M if pair.short else LONG_M)
        first, n = (settings.n_pairs, settings.n_short) if pair.short else (0, settings.n_pairs)
        other = pairs[first + (index - first + n // 2) % n]
        assert other.left is not pair.left
        assert np.multiply(pair.source_position, (-1, 1, 1)) == pytest.approx(other.source_position)
        assert np.multiply(pair.detector_position, (-1, 1, 1)) == pytest.approx(other.detector_position)
    places = {}
    for pair in pairs:
        assert places.setdefault(("source", pair.source), pair.source_position) == pair.source_position
        assert (
            places.setdefault(("detector", pair.detector), pair.detector_position) == pair.detector_position
        )
    assert len(set(places.values())) == len(places)


def test_channels_are_both_wavelengths_of_each_pair_in_volts() -> None:
    settings = Simulation()
    recording, _ = simulate_person(settings, 0, 0)
    assert recording.spec == make_spec(make_pairs(settings), settings)
    assert recording.spec.kinds == (Kind.INTENSITY,)
    assert {channel.unit for channel in recording.spec.channels} == {"V"}
    assert recording.spec.names[:3] == ("S1_D1 760", "S1_D1 850", "S2_D1 760")
    assert recording.data.shape == (48, 4800)
    assert recording.times[-1] == pytest.approx(479.9)
    assert (recording.data > 0).all()
    assert not recording.missing.any()


def test_blocks_and_rests_fill_the_recording() -> None:
    recording, truth = simulate_person(Simulation(seconds=300.0), 4, 0)
    blocks = [event for event in recording.events if event.label == "task"]
    assert [event.onset for event in blocks] == list(truth.onsets)
    assert {event.duration for event in blocks} == {10.0}
    gaps = np.diff(truth.onsets) - 10.0
    assert ((gaps >= 16.0) & (gaps <= 24.0)).all()
    assert gaps.std() > 0
    assert recording.events[0].label == "rest"
    assert recording.events[0].duration == 20.0
    for event, following in zip(recording.events, recording.events[1:], strict=False):
        assert event.onset + event.duration == pytest.approx(following.onset)
    last = recording.events[-1]
    assert last.onset + last.duration == pytest.approx(300.0)


def test_rest_has_no_events_and_no_response() -> None:
    recording, truth = simulate_person(Simulation(task=None, seconds=60.0), 4, 0)
    assert recording.events == ()
    assert truth.onsets == ()
    assert truth.responses == {}


@given(latency=st.floats(3.0, 9.0))
def test_the_brief_response_peaks_at_its_latency_and_undershoots(latency: float) -> None:
    times = np.arange(0.0, 50.0, 0.01)
    response = double_gamma(times, latency)
    assert times[response.argmax()] == pytest.approx(latency, abs=0.25)
    assert -0.2 < response.min() / response.max() < -0.02
    assert times[response.argmin()] > latency + 5
    assert double_gamma(np.array([-1.0, 0.0]), latency) == pytest.approx(
        [0.0, 0.0], abs=0.02 * response.max()
    )


@given(block=st.floats(2.0, 30.0), latency=st.floats(3.0, 8.0))
def test_a_block_is_answered_with_a_peak_of_one_and_nothing_before(block: float, latency: float) -> None:
    times = np.arange(-5.0, 80.0, 0.1)
    response = block_response(times, block, latency)
    assert response.max() == pytest.approx(1.0, abs=1e-3)
    assert (response[times < 0] == 0).all()


def averaged(recording: Recording, onsets: tuple[float, ...], channels: list[str]) -> Floats:
    """Mean HbO and HbR over blocks and pairs, (2, 250) mol/L from 0 to 25 s, against 3 s before."""
    table = np.log(10.0) * np.array([[586.0, 1548.52], [1058.0, 691.32]]) * 3.0 * 6.0
    rows = [[recording.spec.names.index(f"{name} {w}") for w in (760, 850)] for name in channels]
    density = -np.log(recording.data[np.array(rows)])  # (n_pairs, 2, n_samples)
    concentrations = np.linalg.inv(table) @ density
    epochs = []
    for onset in onsets:
        at = round(onset * 10)
        if at + 250 <= concentrations.shape[-1]:
            base = concentrations[..., at - 30 : at].mean(axis=-1, keepdims=True)
            epochs.append(concentrations[..., at : at + 250] - base)
    return np.mean(epochs, axis=(0, 1))


@pytest.mark.parametrize(("size", "latency", "ratio"), [(0.5e-6, 5.0, -0.4), (1.0e-6, 7.0, -0.25)])
def test_averaging_recovers_size_latency_and_ratio(size: float, latency: float, ratio: float) -> None:
    task = TaskBlocks(size=size, latency_s=latency, hbr_ratio=ratio)
    settings = replace(PLAIN, task=task, seconds=1800.0, superficial=0.1)
    strongest, means = "", []
    for seed in range(6):
        recording, truth = simulate_person(settings, seed, 0)
        strongest = max(truth.responses, key=lambda name: truth.responses[name])
        assert truth.responses[strongest] == pytest.approx(size)
        means.append(averaged(recording, truth.onsets, [strongest]))
    hbo, hbr = np.mean(means, axis=0)
    times = np.arange(250) / 10.0
    course = block_response(times, 10.0, latency)
    fitted = [float(np.polyfit(course, series, 1)[0]) for series in (hbo, hbr)]
    assert fitted[0] == pytest.approx(size, rel=0.15)
    assert fitted[1] / fitted[0] == pytest.approx(ratio, abs=0.1)
    # Latency: the candidate whose course explains the mean best.
    candidates = np.arange(3.0, 10.0, 0.25)
    misfit = [np.polyfit(block_response(times, 10.0, float(c)), hbo, 1, full=True)[1][0] for c in candidates]
    assert candidates[int(np.argmin(misfit))] == pytest.approx(latency, abs=0.75)


def test_pairs_that_do_not_respond_do_not() -> None:
    task = TaskBlocks(size=1e-6)
    with_task, without = (
        clean_haemoglobin(SimulatedSession.of(replace(PLAIN, task=each), 3, 0)) for each in (task, None)
    )
    hbo, hbr = with_task - without
    _, truth = simulate_person(replace(PLAIN, task=task), 3, 0)
    names = [pair.name for pair in make_pairs(PLAIN)]
    size = hbo.max(axis=1)
    for name, found in zip(names, size, strict=True):
        assert found == pytest.approx(truth.responses.get(name, 0.0), rel=0.1)
    assert len(truth.responses) == 8  # 0.4 of 10 pairs on each side, no short one
    np.testing.assert_allclose(hbr, -0.4 * hbo, atol=1e-15)


def test_motion_is_as_frequent_and_as_large_as_said_and_felt_by_all() -> None:
    settings = replace(PLAIN, seconds=3600.0, rate=5.0, task=None, n_short=0, n_pairs=4)
    still, _ = simulate_person(settings, 0, 0)
    moved, truth = simulate_person(replace(settings, spikes_per_minute=2.0, shifts_per_minute=0.5), 0, 0)
    assert len(truth.spikes) == pytest.approx(120, abs=45)
    assert len(truth.shifts) == pytest.approx(30, abs=22)
    moved_by = -np.log(moved.data / still.data)
    # The clean signal's measure still holds the measurement noise, a few per cent.
    felt = moved_by / fast_sd(-np.log(still.data), 5.0)[:, np.newaxis]
    shifts = [
        np.abs(felt[:, round((at + 1.0) * 5)] - felt[:, round((at - 1.0) * 5)])
        for at in truth.shifts
        if 2 < at < 3598 and min(abs(at - np.array(truth.spikes))) > 8
    ]
    assert len(shifts) > 5
    assert 5.0 < np.median(shifts) < 20.0
    assert np.min(shifts) > 0.3


def test_a_bad_pair_has_little_light_and_much_noise() -> None:
    settings = replace(PLAIN, bad_pairs=0.3, task=None, seconds=60.0)
    recording, truth = simulate_person(settings, 1, 0)
    assert 0 < len(truth.bad_pairs) < 24
    noise = np.diff(np.log(recording.data), axis=1).std(axis=1)
    bad = np.array([channel.name.split()[0] in truth.bad_pairs for channel in recording.spec.channels])
    assert recording.data[bad].mean() < 0.1 * recording.data[~bad].mean()
    assert noise[bad].min() > 3 * noise[~bad].max()


def test_sessions_of_a_person_share_the_person_and_nothing_else() -> None:
    settings = Simulation(seconds=200.0)
    (first, one), (second, two) = (simulate_person(settings, 9, 0, session) for session in (0, 1))
    assert one.person == two.person
    assert one.onsets[1:] != two.onsets[1:]
    assert abs(np.corrcoef(first.data[0], second.data[0])[0, 1]) < 0.9


@given(seed=st.integers(0, 10_000), seconds=st.floats(100.0, 400.0), session=st.integers(0, 2))
def test_blocks_of_the_hands_are_half_each_and_in_an_order_of_their_own(
    seed: int, seconds: float, session: int
) -> None:
    settings = Simulation(seconds=seconds, n_pairs=2, n_short=0, rate=1.0, task=TaskBlocks(lateral=0.5))
    recording, truth = simulate_person(settings, seed, 0, session)
    plain, as_plain = simulate_person(replace(settings, task=TaskBlocks()), seed, 0, session)
    assert abs(truth.labels.count("left") - truth.labels.count("right")) <= 1
    assert set(truth.labels) <= {"left", "right"}
    assert tuple(event.label for event in recording.events if event.label != "rest") == truth.labels
    # Only the hands are new: when, and how much, is as without sides.
    assert (truth.onsets, truth.sizes) == (as_plain.onsets, as_plain.sizes)
    assert [event.onset for event in recording.events] == [event.onset for event in plain.events]


def test_orders_of_hands_differ_between_people_and_sessions() -> None:
    settings = Simulation(rate=1.0, n_pairs=2, n_short=0, task=TaskBlocks(lateral=0.5))
    orders = {
        simulate_person(settings, seed, 0, session)[1].labels for seed in range(5) for session in (0, 1)
    }
    assert len(orders) == 10


@pytest.mark.parametrize("lateral", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("block", [10.0, 45.0])
def test_the_side_of_the_hand_responds_less_by_the_fraction_that_was_asked(
    lateral: float, block: float
) -> None:
    task = TaskBlocks(lateral=lateral, size=1e-6, block_s=block, rest_s=60.0, jitter_s=20.0)
    settings = replace(PLAIN, task=task, seconds=900.0)
    session = SimulatedSession.of(settings, 3, 0)
    without = SimulatedSession.of(replace(settings, task=None), 3, 0)
    hbo, _ = clean_haemoglobin(session) - clean_haemoglobin(without)
    _, truth = simulate_person(settings, 3, 0)
    assert truth.person.lateral == lateral
    half = PLAIN.n_pairs // 2
    left, right = hbo[:half], hbo[half : 2 * half]  # mirrored pairs in one order
    assert not hbo[2 * half :].any()  # short pairs
    for onset, size, hand in zip(truth.onsets, truth.sizes, truth.labels, strict=True):
        here = slice(round(onset * 10), round((onset + block + 10) * 10))
        same, opposite = (left, right) if hand == "left" else (right, left)
        peak = opposite[:, here].max(axis=1)
        assert peak.max() == pytest.approx(size * 1e-6, rel=0.15)  # the block before has all but faded
        assert same[:, here].max(axis=1) == pytest.approx((1.0 - lateral) * peak, abs=0.15e-6)


def test_people_differ_in_how_lateral_they_are() -> None:
    settings = Simulation(rate=1.0, n_pairs=2, n_short=0, task=TaskBlocks(lateral=0.5))
    drawn = np.array([simulate_person(settings, seed, 0)[1].person.lateral for seed in range(40)])
    assert np.median(drawn) == pytest.approx(0.5, abs=0.1)
    assert 0.05 < drawn.std() < 0.25
    assert drawn.max() <= 1.0
