"""No number of a card exhausts the memory or an hour: it is refused where the card comes in."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cards.card import card_of_json
from models.cards.window_card import WindowCard
from models.errors import BundleError
from realtime.core import Core
from realtime.log import Origin, StreamOpened
from realtime.plan import Plan
from realtime.signal import Channel, Kind, SignalSpec

MOST_MIB = 600
SPEC = SignalSpec(
    tuple(
        Channel(
            name=f"S{s}_D1 {w}",
            kind=Kind.INTENSITY,
            unit="V",
            source=s,
            detector=1,
            wavelength=float(w),
            distance=d,
        )
        for s, d in ((1, 0.03), (2, 0.03), (3, 0.008))
        for w in (760, 850)
    ),
    10.0,
)


def pipeline(changes: dict[tuple[str, str], Any]) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = [
        {"stage": "optical_density", "baseline_s": 10.0},
        {"stage": "resample", "rate": 10.0, "measure_s": 10.0},
        {"stage": "motion", "cutoff": 0.5, "window_s": 30.0, "warmup_s": 10.0, "hold_s": 2.0},
        {"stage": "short_channel", "max_distance": 0.01, "memory_s": 180.0, "warmup_s": 20.0},
        {"stage": "beer_lambert", "ppf": 6.0},
        {"stage": "bandpass", "low": 0.01, "high": 0.2, "order": 2, "hold_s": 2.0},
        {"stage": "normalise", "memory_s": 60.0, "warmup_s": 20.0},
    ]
    return [
        {key: changes.get((stage["stage"], key), value) for key, value in stage.items()} for stage in stages
    ]


def plan(changes: dict[tuple[str, str], Any]) -> Plan:
    """From a card's JSON, as a bundle's file holds it."""
    length_s = changes.get(("window", "length_s"), 7.0)
    try:
        n_times = round(length_s * 10.0)
    except (OverflowError, ValueError):  # no length of a window
        n_times = 1
    values = {
        "model": {"kind": "cgrnn", "params": {}, "n_chans": 6, "n_times": n_times, "n_outputs": 2},
        "input": SPEC.to_json(),
        "recording": {},
        "pipeline": pipeline(changes),
        "rate": 10.0,
        "window": {"length_s": length_s, "step_s": changes.get(("window", "step_s"), 1.0)},
        "labels": ["a", "b"],
        "calibration": {"temperature": 1.0},
        "policy": {key: value for (where, key), value in changes.items() if where == "policy"},
        "evidence": {"memory_s": changes.get(("evidence", "memory_s"))},
        "novelty": {}, "training": {}, "evaluation": {}, "versions": {},
        "weights_sha256": "", "hash": "", "format": 3,
    }  # fmt: skip
    return Plan.from_card(card_of_json(WindowCard, values))


NUMBERS = [(stage["stage"], key) for stage in pipeline({}) for key in stage if key != "stage"] + [
    ("window", "length_s"),
    ("window", "step_s"),
    ("evidence", "memory_s"),
    ("policy", "pulse_low"),
    ("policy", "pulse_high"),
    ("policy", "max_gap_s"),
]
VALUES = st.one_of(
    st.sampled_from([0, 1e-300, 1e-9, 1e-7, 1e-4, 1, 8, 599, 600, 3599, 3600, 3601, 1e6, 1e12, 1e308, 2**70]),
    st.floats(-1.0, 1e9),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-1, 10**7),
)


def peak_mib(changes: dict[tuple[str, str], Any]) -> float:
    """What it takes to take a card up and to open a stream for it, MiB."""
    tracemalloc.start()
    try:
        try:
            found = plan(changes)
        except BundleError:
            pass
        else:
            Core(found).feed(StreamOpened(local=0.0, spec=SPEC, origin=Origin(), name="s"))
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("low", [1e-7, 1e-12, 1e-5])
def test_a_band_that_would_take_hours_to_settle_is_refused(low: float) -> None:
    changes = {("bandpass", "low"): low}
    assert peak_mib(changes) < MOST_MIB
    with pytest.raises(BundleError, match="low"):
        plan(changes)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NUMBERS), VALUES, max_size=2))
def test_no_value_of_a_card_takes_much_memory(changes: dict[tuple[str, str], Any]) -> None:
    assert peak_mib(changes) < MOST_MIB


def test_a_usual_card_is_taken() -> None:
    assert plan({}).length_s == 7.0
