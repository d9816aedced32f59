"""Who is drawn: the same person for the same seed, and a group that enters only where it is asked to."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from models.errors import RecipeError
from offline.simulation.people import DFA_SPREAD, HOMOTOPIC_SPREAD, chance, draw_person
from offline.simulation.person import simulate_person
from offline.simulation.settings import Simulation, TaskBlocks

SHORT = Simulation(seconds=60.0)


@given(seed=st.integers(0, 10_000), session=st.integers(0, 3))
def test_without_group_effect_the_group_changes_nothing_at_all(seed: int, session: int) -> None:
    settings = replace(SHORT, seconds=20.0, n_pairs=4, n_short=0)
    (one, truth), (other, other_truth) = (simulate_person(settings, seed, group, session) for group in (0, 1))
    np.testing.assert_array_equal(one.data, other.data)
    assert one.events == other.events
    left, right = truth.to_json(), other_truth.to_json()
    assert left["person"].pop("group") == 0
    assert right["person"].pop("group") == 1
    assert left == right


@given(seed=st.integers(0, 10_000), effect=st.floats(-2.0, 2.0))
def test_the_group_effect_moves_two_numbers_by_that_many_spreads(seed: int, effect: float) -> None:
    settings = replace(SHORT, group_effect=effect)
    a, b = (draw_person(settings, seed, group) for group in (0, 1))
    assert a == draw_person(SHORT, seed, 0)
    assert b.dfa_hbo - a.dfa_hbo == pytest.approx(effect * DFA_SPREAD)
    assert b.dfa_hbr - a.dfa_hbr == pytest.approx(effect * DFA_SPREAD)
    assert np.arctanh(b.homotopic) - np.arctanh(a.homotopic) == pytest.approx(-effect * HOMOTOPIC_SPREAD)
    moved = ("group", "dfa_hbo", "dfa_hbr", "homotopic")
    assert {k: v for k, v in asdict(a).items() if k not in moved} == {
        k: v for k, v in asdict(b).items() if k not in moved
    }


def test_people_differ_and_overlap() -> None:
    settings = replace(SHORT, group_effect=0.8)
    groups = [[draw_person(settings, (group, i), group) for i in range(300)] for group in (0, 1)]
    exponents = np.array([[person.dfa_hbo for person in people] for people in groups])
    assert exponents.std(axis=1) == pytest.approx(np.full(2, DFA_SPREAD), rel=0.15)
    assert exponents[1].mean() - exponents[0].mean() == pytest.approx(0.8 * DFA_SPREAD, abs=0.02)
    assert exponents[1].min() < exponents[0].mean() < exponents[1].mean() < exponents[0].max()
    for name in ("cardiac_hz", "gain", "noise", "pathlength", "fluctuation"):
        values = [getattr(person, name) for person in groups[0]]
        assert np.std(values) > 0.02 * np.mean(values)
        assert pearsonr(values, exponents[0]).pvalue > 1e-4


def test_spread_zero_makes_everybody_alike() -> None:
    settings = replace(SHORT, spread=0.0)
    people = [asdict(draw_person(settings, seed, 0)) for seed in range(5)]
    for person in people:
        person.pop("age")
        person.pop("sex")
    assert all(person == people[0] for person in people)
    assert (people[0]["dfa_hbo"], people[0]["dfa_hbr"]) == (1.23, 1.31)
    assert people[0]["homotopic"] == pytest.approx(0.5)
    assert people[0]["pathlength"] == 6.0


def test_streams_of_chance_are_named_not_counted() -> None:
    assert chance(3, 1, "noise").random() == chance((3,), 1, "noise").random()
    drawn = {
        float(chance(seed, *names).random())
        for seed, names in (
            (3, (1, "noise")),
            (3, (2, "noise")),
            (3, (1, "motion")),
            ((3, 1), ("noise",)),
            ((1, 2), (3,)),
            ((1,), (2, 3)),
        )
    }
    assert len(drawn) == 6


def test_a_part_that_is_switched_off_leaves_the_others_as_they_were() -> None:
    with_motion, _ = simulate_person(replace(SHORT, shifts_per_minute=0.0), 5, 0)
    without, truth = simulate_person(replace(SHORT, shifts_per_minute=0.0, spikes_per_minute=0.0), 5, 0)
    assert truth.spikes == ()
    _, moved = simulate_person(replace(SHORT, shifts_per_minute=0.0), 5, 0)
    far = np.ones(without.data.shape[1], dtype=bool)
    for peak in moved.spikes:
        far &= np.abs(without.times - peak) > 12.0
    assert 0 < far.sum() < len(far)
    # A spike of 0.8 s at most has gone to nothing 12 s away.
    np.testing.assert_allclose(with_motion.data[:, far], without.data[:, far], rtol=1e-5)
    assert not np.allclose(with_motion.data[:, ~far], without.data[:, ~far], rtol=1e-2)


@given(
    effect=st.floats(-5, 5),
    size=st.floats(0, 1e-5),
    lateral=st.none() | st.floats(0, 1),
    n_pairs=st.integers(1, 30),
    low=st.sampled_from([690.0, 760.0]),
)
def test_settings_go_to_json_and_back(
    effect: float, size: float, lateral: float | None, n_pairs: int, low: float
) -> None:
    settings = Simulation(
        group_effect=effect,
        task=TaskBlocks(size=size, lateral=lateral),
        n_pairs=2 * n_pairs,
        n_short=0,
        wavelengths=(low, 850.0),
    )
    assert Simulation.from_json(settings.to_json()) == settings
    resting = replace(settings, task=None)
    assert Simulation.from_json(resting.to_json()) == resting


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_pairs": 7}, "n_pairs: found 7; expected a multiple of 2"),
        ({"seconds": 1.0}, "seconds: found 1.0; expected greater than or equal to 10"),
        ({"rate": float("nan")}, "rate: found nan; expected a finite number"),
        ({"n_short": 40}, "n_short is 40; expected at most n_pairs, 20"),
        ({"wavelengths": [850.0, 760.0]}, "wavelengths are .*; expected them to rise"),
        ({"group_efect": 1.0}, "Did you mean 'group_effect'"),
        ({"task": {"latncy_s": 5.0}}, "Did you mean 'latency_s'"),
        ({"task": {"lateral": 1.5}}, "task.lateral: found 1.5; expected less than or equal to 1"),
        ({"task": {"lateral": 0.5, "rest_label": "left"}}, "rest_label is 'left'; expected another"),
        ({"task": {"hands": ["a", "a"]}}, "hands are .*; expected two labels that differ"),
        ({"task": {"jitter_s": 30.0}}, "jitter_s is 30.0 s; expected less than rest_s"),
        ({"task": {"size": 0.5}}, "task.size: found 0.5; expected less than 0.0001"),
    ],
)
def test_wrong_settings_show_the_value(values: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Simulation.from_json(values)


def test_a_group_is_a_or_b() -> None:
    with pytest.raises(RecipeError, match="Group is 2"):
        simulate_person(SHORT, 0, 2)
