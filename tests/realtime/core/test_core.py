"""The core: windows and decisions as a pure function of the log."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.cards.window_card import WindowCard
from models.errors import BundleError, RecipeError, SignalError, StreamError
from models.novelty import Novelty
from realtime.core import Core, Plan
from realtime.log import (
    ClockMeasured,
    Origin,
    OriginKind,
    Produced,
    Received,
    StreamLost,
    StreamOpened,
    StreamReset,
)
from realtime.quality.policy import Policy, Reason
from realtime.signal import SignalSpec
from tests.realtime.support import (
    FAST,
    RATE,
    bold_spec,
    fast_plan,
    feed,
    intensities,
    intensity_spec,
    opened_core,
)

SPEC = intensity_spec()
PLAN = fast_plan(SPEC)


def grid_is_whole(windows: list) -> None:
    """Every grid index once, in order."""
    sequence = 0
    for window in windows:
        assert window.sequence == sequence
        sequence += window.count


def test_windows_lie_on_the_grid_of_the_first_sample() -> None:
    times = 500.03 + np.arange(600) / 10
    windows = feed(opened_core(PLAN), times, intensities(SPEC, 600))
    grid_is_whole(windows)
    assert len(windows) == (600 - 70) // 10 + 1
    np.testing.assert_allclose([w.start for w in windows], 500.03 + np.arange(len(windows)), atol=1e-9)
    np.testing.assert_allclose([w.end - w.start for w in windows], 7.0)
    for window in windows:
        warm = window.start >= 500.03 + opened_pipeline().warmup_s - 0.1
        assert window.usable == warm
        if not warm:
            assert window.reasons == (Reason.WARMING_UP,)


def opened_pipeline():  # type: ignore[no-untyped-def]
    core = opened_core(PLAN)
    assert core.pipeline is not None
    return core.pipeline


@given(
    seed=st.integers(0, 1000),
    chunk=st.integers(1, 97),
    lost=st.lists(st.tuples(st.integers(0, 700), st.integers(1, 150)), max_size=3),
    jitter=st.floats(0, 0.03),
)
@settings(max_examples=40, deadline=None)
def test_cutting_the_stream_differently_changes_no_window(
    seed: int, chunk: int, lost: list[tuple[int, int]], jitter: float
) -> None:
    times = 1000 + np.arange(800) / 10 + np.random.default_rng(seed).uniform(-jitter, jitter, 800)
    there = np.ones(800, bool)
    for at, n in lost:
        there[at : at + n] = False
    if there.sum() < 2:
        return
    times, data = times[there], intensities(SPEC, 800, seed)[:, there]
    whole = feed(opened_core(PLAN), times, data)
    parts = feed(opened_core(PLAN), times, data, chunk)
    grid_is_whole(whole)
    assert [(w.sequence, w.count, w.start, w.end, w.measurement, w.reasons) for w in whole] == [
        (w.sequence, w.count, w.start, w.end, w.measurement, w.reasons) for w in parts
    ]
    for one, other in zip(whole, parts, strict=True):
        assert (one.data is None) == (other.data is None)
        if one.data is not None and other.data is not None:
            np.testing.assert_allclose(one.data, other.data, atol=1e-5)


@pytest.mark.parametrize("gap_s", [0.1, 0.7, 2.0, 4.9, 5.5, 12.0, 60.0, 3600.0])
def test_a_gap_is_reported_and_no_window_is_longer_than_it_says(gap_s: float) -> None:
    before = np.arange(400) / 10
    after = before[-1] + 0.1 + gap_s + np.arange(400) / 10
    times = 50 + np.concatenate([before, after])
    data = intensities(SPEC, 800)
    windows = feed(opened_core(PLAN), times, data, 7)
    grid_is_whole(windows)
    gap = (50 + before[-1], 50 + after[0])
    for window in windows:
        inside = window.start > gap[0] + 0.05 and window.end <= gap[1] - 0.05
        touches = window.end > gap[0] + 0.15 and window.start < gap[1] - 0.05
        if window.usable:
            # What is predicted was measured: at most the policy's gap, and nearly everything.
            assert not touches or gap_s <= PLAN.policy.max_gap_s
            assert window.measurement.worst >= PLAN.policy.min_coverage
        if inside and gap_s > 1:
            assert not window.usable
            assert window.measurement.coverage == pytest.approx(0, abs=0.05)
    together = [w for w in windows if w.count > 1]
    if gap_s > 10:
        assert len(together) == 1
        assert together[0].count == pytest.approx(gap_s - 7, abs=1.5)
        assert together[0].data is None
    elif gap_s > 7:
        assert not together or together[0].count < 5
    # It recovers: the last windows are predicted again, and every one before the gap was.
    assert windows[-1].usable
    assert sum(w.usable for w in windows if w.end <= gap[0]) > 10


def test_a_gap_keeps_the_grid_and_the_baseline() -> None:
    times = np.concatenate([np.arange(400) / 10, 60.03 + np.arange(300) / 10])
    windows = feed(opened_core(PLAN), times, intensities(SPEC, 700))
    np.testing.assert_allclose([w.start - w.sequence for w in windows], 0, atol=1e-9)
    after = [w for w in windows if w.usable and w.start > 60]
    # Only the filter warms up again: no new baseline (2 s), no new statistics (3 s).
    assert after[0].start < 60.03 + opened_pipeline().warmup_s - 4


def test_after_a_gap_it_is_the_filter_that_warms_up() -> None:
    """Windows that reach into the gap say so; those that wait for the filter say that instead."""
    times = np.arange(800) / 10
    times[400:] += 20
    windows = feed(opened_core(PLAN), times, intensities(SPEC, 800), 3)
    back = times[400]
    filtered = next(w for w in windows if w.usable and w.start > back).start - back
    assert filtered > 1
    for window in windows:
        if window.usable or window.start < opened_pipeline().warmup_s:
            continue
        if window.end <= back:
            assert Reason.WARMING_UP not in window.reasons
        else:
            assert window.reasons == (Reason.WARMING_UP,)
    # A channel that never comes back is not warming up for ever.
    lost = intensities(SPEC, 800)
    lost[0, 400:] = np.nan
    last = feed(opened_core(PLAN), times, lost, 3)[-1]
    assert last.reasons == (Reason.COVERAGE, Reason.GAP)


def test_a_reset_after_a_gap_repeats_no_sequence() -> None:
    """The last thing before the reset is one record for many windows."""
    times = np.arange(500) / 10
    times[400:] += 60
    core, data = opened_core(PLAN), intensities(SPEC, 500)
    before = feed(core, times[:401], data[:, :401])
    assert before[-1].count > 40
    core.feed(StreamReset(times[401], "clock"))
    grid_is_whole(before + feed(core, times[401:], data[:, 401:]))


@pytest.mark.parametrize("before", [1, 4, 12, 19])
def test_a_gap_before_the_rate_is_known_does_not_move_the_grid(before: int) -> None:
    """The samples held back until then are lost, the session's first sample stays the anchor."""
    times = 300 + np.arange(600) / 10
    times[before:] += 30.3
    windows = feed(opened_core(PLAN), times, intensities(SPEC, 600), 3)
    grid_is_whole(windows)
    np.testing.assert_allclose([w.start - w.sequence for w in windows], 300, atol=1e-9)
    assert windows[0].count > 20
    assert windows[0].data is None
    assert windows[-1].usable


@given(
    seed=st.integers(0, 1000),
    length=st.integers(1, 80),
    step=st.integers(1, 400),
    at=st.integers(1, 499),
    gaps=st.lists(st.tuples(st.integers(1, 499), st.floats(0.05, 40)), max_size=3),
)
@example(seed=0, length=2, step=1, at=215, gaps=[(214, 2.0)])
@settings(max_examples=40, deadline=None)
def test_a_restored_core_goes_on_as_the_one_it_was_taken_from(
    seed: int, length: int, step: int, at: int, gaps: list[tuple[int, float]]
) -> None:
    """Clock, pipeline and windows, for steps shorter and (much) longer than the window.

    The window quality remembers the uncertainty of each sample and does not keep it: so it is not asked.
    """
    policy = Policy(max_time_uncertainty=None)
    plan = fast_plan(SPEC, length_s=length / 10, step_s=step / 10, policy=policy)
    times, data = 40 + np.arange(500) / 10, intensities(SPEC, 500, seed)
    for where, gap in gaps:
        times[where:] += gap
    core, other = opened_core(plan), opened_core(plan)
    feed(core, times[:at], data[:, :at], 11)
    for one, two in (
        (core.clock, other.clock),
        (core.pipeline, other.pipeline),
        (core._windows, other._windows),
    ):
        assert one is not None
        assert two is not None
        two.restore(one.state())
    straight = feed(core, times[at:], data[:, at:], 7)
    restored = feed(other, times[at:], data[:, at:], 7)
    assert [(w.sequence, w.count, w.start, w.measurement, w.reasons) for w in straight] == [
        (w.sequence, w.count, w.start, w.measurement, w.reasons) for w in restored
    ]
    for expected, found in zip(straight, restored, strict=True):
        np.testing.assert_array_equal(found.data, expected.data)


@pytest.mark.parametrize("how", ["clock", "stream", "opened", "opened other"])
@pytest.mark.parametrize("jump", [-20.0, 3.03])
def test_after_a_reset_the_grid_is_anchored_anew_and_sequence_goes_on(how: str, jump: float) -> None:
    """Nothing of what came before is in a later window, and no identity comes twice."""
    times = 100 + np.arange(800) / 10
    times[400:] += jump
    data = intensities(SPEC, 800)
    other = SignalSpec(tuple(replace(c, distance=0.031) for c in SPEC.channels), RATE)
    core = opened_core(PLAN)
    before = feed(core, times[:400], data[:, :400], 3)
    if how.startswith("opened"):
        core.feed(
            StreamOpened(times[400], other if "other" in how else SPEC, Origin(), "device", measured=True)
        )
    else:
        core.feed(StreamReset(times[400], how))
    after = feed(core, times[400:], data[:, 400:], 3)
    grid_is_whole(before + after)
    assert len(before) == len(after) == 34
    np.testing.assert_allclose([w.start for w in after], times[400] + np.arange(34), atol=1e-6)
    assert [w.reasons for w in after] == [w.reasons for w in before]
    fresh = feed(opened_core(fast_plan(other if "other" in how else SPEC)), times[400:], data[:, 400:], 3)
    for one, two in zip(after, fresh, strict=True):
        assert (one.data is None) == (two.data is None)
        if one.data is not None and two.data is not None:
            np.testing.assert_allclose(one.data, two.data, atol=1e-6)


def test_a_signal_that_is_far_too_slow_is_refused() -> None:
    with pytest.raises(SignalError, match=r"comes at 4\.9 Hz \(declared: 10 Hz\).*needs 10 Hz"):
        feed(opened_core(PLAN), np.arange(100) / 4.9, intensities(SPEC, 100))
    assert feed(opened_core(PLAN), np.arange(300) / 5.2, intensities(SPEC, 300))


@pytest.mark.parametrize("lost", [1, 2, 3, 7])
def test_lost_samples_are_reported_and_not_deduced(lost: int) -> None:
    times, data = np.arange(600) / 10, intensities(SPEC, 600)
    windows = feed(
        opened_core(PLAN),
        np.delete(times, slice(400, 400 + lost)),
        np.delete(data, slice(400, 400 + lost), 1),
    )
    around = [w for w in windows if w.start < 39.9 and w.end > 41]
    assert around
    for window in around:
        # The grid's points between the last sample before and the first one after.
        assert window.measurement.largest_gap_s == pytest.approx(lost / 10, abs=0.11)
        assert window.measurement.largest_gap_s >= lost / 10 - 1e-9
        assert window.measurement.coverage == pytest.approx(1 - lost / 70, abs=0.02)


def test_one_channel_lost_is_not_predicted() -> None:
    times = np.arange(600) / 10
    data = intensities(SPEC, 600)
    data[1, 400:440] = np.nan
    windows = feed(opened_core(PLAN), times, data)
    hit = [w for w in windows if w.end > 40.2 and w.start < 43.8]
    assert hit
    assert all(not w.usable for w in hit)
    assert any(Reason.COVERAGE in w.reasons for w in hit)
    assert any(0.4 < w.measurement.coverage < 1 for w in hit)
    assert windows[-1].usable


@pytest.mark.parametrize(("least", "predicted"), [(1.0, False), (0.6, False), (0.5, True)])
def test_a_bad_channel_is_left_out_where_the_policy_allows_it(least: float, predicted: bool) -> None:
    """Its rows are 0, as channel dropout leaves them in training; both chromophores of the place go."""
    times, data = np.arange(600) / 10, intensities(SPEC, 600)
    data[1, 400:] = data[1, 400]
    plan = fast_plan(SPEC, policy=Policy(min_channels=least))
    core = opened_core(plan)
    windows = feed(core, times, data)
    good, bad = windows[20], windows[-1]
    assert good.usable
    assert good.rejected_channels == {}
    assert bad.usable == predicted
    assert bad.reasons == (() if predicted else (Reason.FLAT,))
    assert bad.rejected_channels == {Reason.FLAT: ("S1_D1 hbo", "S1_D1 hbr")}
    assert bad.data is not None
    assert good.data is not None
    assert good.data.any(axis=1).all()
    if predicted:
        assert bad.data.any(axis=1).tolist() == [False, False, True, True]
    decision = decide(core, bad)
    assert decision.label == ("task" if predicted else "abstain")
    assert decision.channels == 2
    assert decision.left_out == {"flat": ("S1_D1 hbo", "S1_D1 hbr")}
    assert type(decision).from_json(decision.to_json()) == decision


def test_what_cannot_be_measured_is_unknown_in_the_decision_and_no_reason() -> None:
    spec = bold_spec()
    stages = ({"stage": "resample", "rate": 0.5, "measure_s": 20.0},)
    policy = Policy(min_scalp_coupling=0.9, min_peak_power=0.5, max_gap_s=2.0)
    plan = Plan(spec=spec, pipeline=stages, length_s=40.0, step_s=4.0, labels=("a", "b"), policy=policy)
    core = opened_core(plan)
    windows = feed(core, np.arange(60) * 2.0, np.random.default_rng(0).normal(size=(3, 60)), 1)
    decision = decide(core, windows[-1])
    assert decision.label == "b"
    assert decision.quality == {"scalp_coupling": None, "peak_power": None, "moving": 0.0}


def unlike(threshold: float) -> Plan:
    known = Novelty(np.zeros((4, 4)), np.ones((4, 4)), threshold)
    return replace(PLAN, novelty=known, policy=Policy(min_channels=0.5))


def test_a_window_unlike_the_training_is_not_predicted() -> None:
    times, data = np.arange(600) / 10, intensities(SPEC, 600)
    data[1, 400:] = data[1, 400]
    for plan, fit in ((unlike(100.0), True), (unlike(0.01), False)):
        core = opened_core(plan)
        windows = feed(core, times, data)
        for window in windows:
            if Reason.WARMING_UP in window.reasons:
                assert window.novelty is None
                continue
            assert window.novelty is not None
            assert window.reasons == (() if fit else (Reason.NOVELTY,))
            assert plan.novelty is not None
            assert window.data is not None
            used = np.array([not window.rejected_channels, not window.rejected_channels, True, True])
            assert window.novelty == round(plan.novelty.score(window.data, used), 4)
        decision = decide(core, windows[-1])
        assert decision.novelty == windows[-1].novelty
        assert decision.reasons == (() if fit else ("novelty",))
        assert decision.left_out
    # Asked for nothing, it is given all the same.
    easy = replace(unlike(0.01), policy=Policy(max_novelty=None))
    last = feed(opened_core(easy), times, intensities(SPEC, 600))[-1]
    assert last.usable
    assert last.novelty is not None
    assert last.novelty > 1


def test_novelty_of_another_network_is_refused() -> None:
    known = Novelty(np.zeros((6, 4)), np.ones((6, 4)), 1.0)
    with pytest.raises(BundleError, match="has 6 rows, its pipeline gives 4"):
        opened_core(replace(PLAN, novelty=known))


def test_times_are_as_sure_as_the_stamps_are() -> None:
    times, data = np.arange(600) / 10, intensities(SPEC, 600)
    exact = feed(opened_core(PLAN), times, data)
    shaken = feed(opened_core(PLAN), times + np.random.default_rng(0).uniform(-0.03, 0.03, 600), data, 1)
    assert all(w.time_uncertainty_s < 1e-6 for w in exact[10:])
    for window in shaken[10:]:
        assert 0.02 < window.time_uncertainty_s < 0.2


@pytest.mark.parametrize(
    ("source", "name", "kept"),
    [("id-1", "device", True), ("id-1", "renamed", True), ("id-2", "device", False), ("", "device", False)],
)
def test_evidence_begins_anew_when_another_device_takes_the_place(source: str, name: str, kept: bool) -> None:
    core = Core(PLAN)
    core.feed(StreamOpened(0.0, SPEC, Origin(), "device", "id-1"))
    core.feed(ClockMeasured(0.0, 0.0, None))
    for window in judged_windows(core):
        before = decide(core, window).evidence
    core.feed(StreamLost(100.0, "gone"))
    core.feed(StreamOpened(101.0, SPEC, Origin(), name, source))
    window = feed(core, 200 + np.arange(600) / 10, intensities(SPEC, 600))[0]
    after = decide(core, window).evidence
    assert window.reasons == (Reason.WARMING_UP,)
    assert after.windows == (before.windows if kept else 0)
    assert (after == before) == kept


def test_a_device_without_an_id_is_known_by_its_name() -> None:
    core = Core(PLAN)
    for name, windows in (("a", 1), ("a", 2), ("b", 1)):
        core.feed(StreamOpened(0.0, SPEC, Origin(), name))
        core.feed(ClockMeasured(0.0, 0.0, None))
        assert decide(core, judged_windows(core)[0]).evidence.windows == windows


def test_a_stream_that_is_lost_moves_nothing() -> None:
    times, data = np.arange(600) / 10, intensities(SPEC, 600)
    straight = feed(opened_core(PLAN), times, data)
    core = opened_core(PLAN)
    first = feed(core, times[:333], data[:, :333])
    assert core.feed(StreamLost(33.3, "no samples")) == []
    again = first + feed(core, times[333:], data[:, 333:])
    for one, two in zip(straight, again, strict=True):
        assert (one.start, one.reasons, one.quality) == (two.start, two.reasons, two.quality)
        np.testing.assert_array_equal(one.data, two.data)


@pytest.mark.parametrize("offset", [1e300, -1e300, 1e12, -1e12, float("inf"), float("nan")])
def test_a_date_in_no_year_of_ours_is_unknown(offset: float) -> None:
    core = opened_core(PLAN)
    window = judged_windows(core)[0]
    core.feed(ClockMeasured(60.0, 0.0, offset))
    decision = decide(core, window)
    assert decision.window_end_utc is decision.produced_at_utc is None
    assert decision.label == "task"


def test_a_reading_of_the_clock_that_is_no_time_is_a_declared_error() -> None:
    core = opened_core(PLAN)
    window = judged_windows(core)[0]
    with pytest.raises(StreamError, match="clock reads nan s"):
        core.decide(window, None, Produced(float("nan"), window.sequence, 0))


def test_a_reset_for_no_known_reason_is_a_declared_error() -> None:
    with pytest.raises(StreamError, match="'whim'; expected one of gap, clock, stream"):
        opened_core(PLAN).feed(StreamReset(1.0, "whim"))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"min_channels": 0.0}, "min_channels: found 0.0"),
        ({"min_scalp_coupling": 1.5}, "min_scalp_coupling: found 1.5"),
        ({"max_flat_s": "2"}, "max_flat_s: found '2'"),
        ({"max_fun": 1}, "max_fun: unknown"),
    ],
)
def test_a_policy_that_cannot_be_is_named(policy: dict, message: str) -> None:
    card = WindowCard(
        model={"kind": "cgrnn", "params": {}, "n_chans": 4, "n_times": 70, "n_outputs": 2},
        input=SPEC.to_json(),
        pipeline=[dict(stage) for stage in FAST],
        rate=RATE,
        window={"length_s": 7.0, "step_s": 1.0},
        labels=["rest", "task"],
        policy=policy,
    )
    with pytest.raises(BundleError, match=message):
        Plan.from_card(card)
    known = Novelty(np.zeros((4, 4)), np.ones((4, 4)), 2.0)
    plan = Plan.from_card(
        card.model_copy(update={"policy": {"min_channels": 0.5}, "novelty": known.to_json()})
    )
    assert plan.policy == Policy(min_channels=0.5)
    assert plan.novelty is not None
    assert plan.novelty.threshold == 2.0


def test_the_completing_sample_may_be_a_quarter_period_early() -> None:
    """Clock noise must not decide which sample completes a window."""
    core = opened_core(PLAN)
    times = np.arange(600) / 10
    noisy = times + np.where(np.arange(600) % 2, -1e-4, 1e-4)
    data = intensities(SPEC, 600)
    for i in range(600):
        windows = core.feed(Received(times[i], noisy[i : i + 1], data[:, i : i + 1]))
        complete = i >= 69 and (i - 69) % 10 == 0
        if i > 30:  # the first seconds are held back until the rate is known
            assert len(windows) == complete


def decide(core: Core, window, logits=(0.0, 2.0), late: float = 0.01):  # type: ignore[no-untyped-def]
    produced = Produced(window.end + late, window.sequence, 1)
    return core.decide(window, np.array(logits, np.float32), produced)


def judged_windows(core: Core) -> list:
    return [w for w in feed(core, np.arange(600) / 10, intensities(SPEC, 600)) if w.usable]


def test_a_decision_says_what_it_knows() -> None:
    core = opened_core(PLAN)
    window = judged_windows(core)[0]
    decision = decide(core, window)
    assert decision.label == "task"
    assert decision.probabilities is not None
    assert sum(decision.probabilities.values()) == pytest.approx(1)
    assert decision.age_s == pytest.approx(0.01)
    assert decision.identity == ("bed-1", 1, window.sequence)
    assert decision.evidence.windows == 1
    assert decision.evidence.probabilities == decision.probabilities
    assert decision.window_end_utc is not None
    assert decision.window_end_utc.startswith("2023-11-14T22:1")
    assert decision.channels == 4
    assert type(decision).from_json(decision.to_json()) == decision


def test_an_old_decision_abstains() -> None:
    core = opened_core(PLAN)
    first, second, *_ = judged_windows(core)
    stale = decide(core, first, late=PLAN.policy.max_age_s + 0.1)
    assert stale.label == "abstain"
    assert stale.reasons == ("stale",)
    assert stale.evidence.windows == 0
    assert decide(core, second).label == "task"


def test_stamps_from_the_future_abstain() -> None:
    """Half a second ahead may be chance; longer than the policy's age it is a wrong clock."""
    core = opened_core(PLAN)
    first, second, *_ = judged_windows(core)
    ahead = decide(core, first, late=-PLAN.policy.max_age_s - 0.1)
    assert ahead.reasons == ("ahead of the clock",)
    assert ahead.label == "abstain"
    assert decide(core, second, late=-0.5).label == "task"


@settings(deadline=None, max_examples=40)
@given(
    rate=st.sampled_from([6.0, 8.5, 10.0, 12.5, 25.0]),
    noise=st.floats(0.0, 0.02),
    late=st.floats(0.0, 0.5),
    seed=st.integers(0, 2**16),
)
def test_the_age_of_a_steady_stream_is_never_below_what_its_description_says(
    rate: float, noise: float, late: float, seed: int
) -> None:
    """A sample reaches us no sooner than it was measured; see `Decision.age_s`."""
    core = opened_core(PLAN, replace(SPEC, rate=rate))
    n = int(40 * rate)
    true = np.arange(n) / rate
    noisy = true + np.random.default_rng(seed).normal(0, noise / rate, n)
    data = intensities(SPEC, n)
    for i in range(n):
        arrived = float(max(true[i], noisy[i])) + late
        for window in core.feed(Received(arrived, noisy[i : i + 1], data[:, i : i + 1])):
            decision = core.decide(window, np.zeros(2, np.float32), Produced(arrived, window.sequence, 1))
            assert decision.age_s >= late - 1 / RATE - 0.25 / rate - window.time_uncertainty_s - 1e-6


def test_a_network_that_fails_or_gives_nan_abstains() -> None:
    core = opened_core(PLAN)
    first, second, *_ = judged_windows(core)
    failed = core.decide(first, None, Produced(first.end, first.sequence, 0))
    assert failed.reasons == ("inference failed",)
    assert failed.probabilities is None
    assert decide(core, second, logits=(np.nan, 1.0)).reasons == ("inference failed",)


def test_a_replayed_stream_runs_on_its_own_clock() -> None:
    """At speed 20 the age is counted in stream seconds."""
    core = Core(PLAN)
    origin = Origin(OriginKind.REPLAYED, speed=20.0, anchor=100.0)
    core.feed(StreamOpened(100.0, SPEC, origin, "replay"))
    core.feed(ClockMeasured(100.0, 0.0, 0.0))
    windows = [w for w in feed(core, 100 + np.arange(600) / 10, intensities(SPEC, 600)) if w.usable]
    window = windows[0]
    made = 100 + (window.end - 100) / 20 + 0.05  # 50 ms of this machine later
    decision = core.decide(window, np.zeros(2, np.float32), Produced(made, window.sequence, 1))
    assert decision.age_s == pytest.approx(1.0)
    assert decision.origin == "replayed"
    assert decision.speed == 20.0


@pytest.mark.parametrize("speed", [1.0, 8.0, 60.0])
@pytest.mark.parametrize("offset", [0.0, -7000.0])
def test_times_of_a_fast_replay_are_sure_enough_all_the_while(speed: float, offset: float) -> None:
    """Half an hour, with the clocks compared every 5 s of this machine, from a machine with another clock."""
    core = Core(PLAN)
    core.feed(StreamOpened(100.0, SPEC, Origin(OriginKind.REPLAYED, speed=speed, anchor=100.0 - offset), "r"))
    stamps = 100.0 - offset + np.arange(18_000) / 10
    data = intensities(SPEC, len(stamps))
    compared, reasons = -np.inf, set()
    for at in range(len(stamps)):
        local = 100.0 + at / 10 / speed
        if local - compared >= 5.0:
            compared = local
            core.feed(ClockMeasured(local, offset, 1.7e9))
        windows = core.feed(Received(local, stamps[at : at + 1], data[:, at : at + 1]))
        reasons |= {reason for window in windows for reason in window.reasons}
    assert Reason.TIMING not in reasons


def test_a_stamp_ahead_of_its_arrival_is_reported_by_its_age_not_by_its_uncertainty() -> None:
    core = Core(PLAN)
    core.feed(StreamOpened(100.0, SPEC, Origin(), "device"))
    core.feed(ClockMeasured(100.0, 0.0, 1.7e9))
    stamps = 100.0 + np.arange(1_200) / 10
    data = intensities(SPEC, len(stamps))
    stamps[600:] += 1000.0
    windows = []
    for at in range(len(stamps)):
        local = 100.0 + at / 10
        windows += core.feed(Received(local, stamps[at : at + 1], data[:, at : at + 1]))
    last = windows[-1]
    assert last.start > 1000.0
    assert Reason.TIMING not in last.reasons
    assert last.usable
    decision = core.decide(last, np.zeros(2, np.float32), Produced(220.0, last.sequence, 1))
    assert "ahead of the clock" in decision.reasons


def test_the_offset_between_the_clocks_is_added() -> None:
    core = Core(PLAN)
    core.feed(StreamOpened(0.0, SPEC, Origin(), "elsewhere"))
    core.feed(ClockMeasured(0.0, 25.0, 0.0))
    windows = feed(core, np.arange(300) / 10, intensities(SPEC, 300))
    assert windows[0].start == pytest.approx(25.0)


def test_channels_are_found_by_name_not_by_place() -> None:
    order = [3, 1, 0, 2]
    shuffled = SPEC.pick(order)
    data = intensities(SPEC, 400)
    times = np.arange(400) / 10
    straight = feed(opened_core(PLAN), times, data)
    other = feed(opened_core(PLAN, shuffled), times, data[order])
    for one, two in zip(straight, other, strict=True):
        if one.data is not None and two.data is not None:
            np.testing.assert_array_equal(one.data, two.data)


def test_a_device_in_other_units_is_scaled_to_si() -> None:
    """A stream in umol/L, or in millivolts, says so by its scales."""
    times, data = np.arange(300) / 10, intensities(SPEC, 300)
    straight = feed(opened_core(PLAN), times, data)
    core = Core(PLAN)
    core.feed(StreamOpened(0.0, SPEC, Origin(), "mV", rows=(1, 2, 3, 4), scales=(1e-3,) * 4))
    core.feed(ClockMeasured(0.0, 0.0, None))
    counter = np.arange(300.0)[np.newaxis]
    other = feed(core, times, np.concatenate([counter, data * 1e3]))
    for one, two in zip(straight, other, strict=True):
        if one.data is not None and two.data is not None:
            np.testing.assert_allclose(one.data, two.data, atol=1e-5)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "no stage"),
        ([{"stage": "normalise"}], "exactly one 'resample'"),
        (
            [{"stage": "bandpass", "low": 0.1}, {"stage": "resample", "rate": 10.0}],
            "'bandpass' stands before",
        ),
    ],
)
def test_a_pipeline_in_the_wrong_order_is_refused(stages: list, message: str) -> None:
    from realtime.pipeline import Pipeline

    with pytest.raises(RecipeError, match=message):
        Pipeline(stages, SPEC)


def test_lacking_channels_are_listed() -> None:
    with pytest.raises(SignalError, match=r"1 of the 4 channels.*S2_D2 850.*Found 3"):
        opened_core(PLAN, SPEC.pick([0, 1, 2]))


def test_another_wavelength_under_the_same_name_is_refused() -> None:
    wrong = SignalSpec((replace(SPEC.channels[0], wavelength=690.0), *SPEC.channels[1:]), 10.0)
    with pytest.raises(SignalError, match="lacking"):
        opened_core(PLAN, wrong)


def test_the_same_numbers_at_other_optodes_are_another_channel() -> None:
    """Numbers follow a file's own order; where the vendor's names are known, they decide."""

    def placed(source: str) -> SignalSpec:
        return SignalSpec(
            tuple(replace(c, source_name=source, detector_name=f"D{c.detector}") for c in SPEC.channels), 10.0
        )

    with pytest.raises(SignalError, match="F3 to D1"):
        opened_core(fast_plan(placed("F3")), placed("AF7"))
    opened_core(fast_plan(placed("F3")), placed("F3"))
    opened_core(fast_plan(placed("F3")), SPEC)  # a stream that does not say


def test_a_stream_whose_optodes_lie_elsewhere_is_refused() -> None:
    far = SignalSpec(tuple(replace(c, distance=0.055) for c in SPEC.channels), 10.0)
    with pytest.raises(SignalError, match="are 55 mm apart, not 30 mm"):
        opened_core(PLAN, far)


def test_samples_before_a_stream_are_an_error() -> None:
    with pytest.raises(StreamError, match="before any stream"):
        Core(PLAN).feed(Received(0.0, np.zeros(1), np.zeros((4, 1))))


def test_a_window_must_be_a_whole_number_of_samples() -> None:
    with pytest.raises(RecipeError, match=r"7\.03 s, which is 70\.3 samples at 10 Hz"):
        opened_core(fast_plan(SPEC, length_s=7.03))


def test_bold_regions_take_the_same_way() -> None:
    spec = bold_spec()
    plan = Plan(
        spec=spec,
        pipeline=(
            {"stage": "resample", "rate": 0.5, "measure_s": 20.0},
            {"stage": "normalise", "warmup_s": 20.0},
        ),
        length_s=8.0,
        step_s=2.0,
        labels=("a", "b"),
    )
    rng = np.random.default_rng(0)
    windows = feed(opened_core(plan), np.arange(60) * 2.0, rng.normal(size=(3, 60)), 1)
    assert next(w.data.shape for w in windows if w.usable and w.data is not None) == (3, 4)
    assert sum(w.usable for w in windows) > 30
    grid_is_whole(windows)


def test_the_pipeline_of_the_tests_is_the_real_one() -> None:
    assert opened_pipeline().spec_out.rate == 10.0
    assert [s["stage"] for s in FAST] == [
        "optical_density",
        "resample",
        "beer_lambert",
        "bandpass",
        "normalise",
    ]
    assert Policy() == PLAN.policy
