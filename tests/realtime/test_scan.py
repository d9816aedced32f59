"""A whole scan is one window: predicted by its own regions, or an abstention that says what it lacks."""

import numpy as np
import pytest

from models.cards.scan_card import ScanCard
from models.errors import SignalError
from models.features.connectivity import Correlation
from models.layers.linear import Linear
from models.scan_bundle import ScanBundle
from models.scan_model import ScanModel
from models.scans.novelty import CHECKS, ScanNovelty
from realtime.decision import Decision
from realtime.quality.policy import Reason
from realtime.scan import predict_scan, unlike_training
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Recording

REGIONS = tuple("abcde")
BUNDLE = ScanBundle(
    ScanCard(
        system=(),
        input={
            "regions": list(REGIONS),
            "preprocessing": "none",
            "least_s": 100.0,
            "repetition_time": [1.0, 2.5],
            "most_masked": 0.2,
        },
        labels=("TD", "ASD"),
        hash="0" * 64,
    ),
    ScanModel((Correlation(),), (Linear(np.random.default_rng(0).normal(size=(10, 2)), np.zeros(2)),)),
)


def recording(
    *, n_times: int = 60, seconds: float = 2.0, names: tuple[str, ...] = REGIONS, start: float | None = None
) -> Recording:
    rng = np.random.default_rng(3)
    of_name = {name: rng.normal(size=200) for name in (*REGIONS, "x")}
    data = np.stack([of_name[name][:n_times] for name in names])
    spec = SignalSpec(tuple(Channel(name=name, kind=Kind.BOLD, unit="a.u.") for name in names), 1.0 / seconds)
    times = np.arange(n_times) * seconds
    return Recording("scan", spec, data, times, np.zeros(data.shape, bool), start_utc=start)


def predicted(recording: Recording) -> Decision:
    decision = predict_scan(recording, BUNDLE, session="scan")
    assert Decision.from_json(decision.to_json()) == decision
    return decision


def test_it_is_predicted_as_one_window_as_long_as_the_scan() -> None:
    decision = predicted(recording(start=1e9))
    assert (decision.window_start, decision.window_end, decision.sequence, decision.count) == (0, 120, 0, 1)
    assert decision.window_end_utc == "2001-09-09T01:48:40.000000+00:00"
    assert decision.label in ("TD", "ASD")
    assert decision.reasons == ()
    assert decision.evidence.probabilities == decision.probabilities
    series = recording().data.astype(np.float32)[np.newaxis]
    logits = BUNDLE.system.logits(series, np.array([2.0]))[0]
    assert decision.probabilities["ASD"] == pytest.approx(1 / (1 + np.exp(logits[0] - logits[1])), abs=1e-12)


def test_regions_are_found_by_name_whatever_their_order_and_company() -> None:
    one, other = predicted(recording()), predicted(recording(names=("x", "e", "d", "c", "b", "a")))
    assert one.probabilities == other.probabilities
    with pytest.raises(SignalError, match="1 of the 5 channels"):
        predict_scan(recording(names=tuple("abcdx")), BUNDLE, session="scan")


@pytest.mark.parametrize(
    ("scan", "reasons"),
    [
        (recording(n_times=50), ()),
        (recording(n_times=49), ("too short",)),
        (recording(n_times=0), ("too short", "coverage")),
        (recording(seconds=2.5), ()),
        (recording(seconds=2.6), ("repetition time",)),
        (recording(n_times=120, seconds=0.9), ("repetition time",)),
        (recording(n_times=20, seconds=3.0), ("too short", "repetition time")),
    ],
)
def test_a_scan_that_is_not_as_in_training_abstains_with_the_reason(
    scan: Recording, reasons: tuple[str, ...]
) -> None:
    decision = predicted(scan)
    assert decision.reasons == reasons
    assert decision.abstained == bool(reasons)
    assert (decision.probabilities is None) == bool(reasons)
    assert decision.evidence.windows == (0 if reasons else 1)


def test_what_is_missing_is_reported() -> None:
    scan = recording()
    scan.missing[2] = True
    decision = predicted(scan)
    assert decision.left_out == {"flat": ("c",)}
    assert (decision.channels, decision.reasons) == (4, ())
    assert decision.coverage == pytest.approx(0.8)
    scan.missing[3] = True  # two of five: more than any scan of the training
    assert predicted(scan).reasons == ("coverage",)
    scan = recording()
    scan.missing[2, 30:32] = True  # a hole is not guessed
    assert predicted(scan).reasons == ("coverage",)
    assert predicted(scan).left_out == {"coverage": ("c",)}
    scan = recording()
    scan.times[30:] += 2.0  # a volume was lost
    decision = predicted(scan)
    assert decision.reasons == ("gap",)
    assert decision.largest_gap_s == pytest.approx(2.0)


def test_a_system_that_gives_nan_abstains() -> None:
    scan = recording()
    broken = ScanBundle(
        BUNDLE.card, ScanModel(BUNDLE.system.features, (Linear(np.full((10, 2), np.inf), np.zeros(2)),))
    )
    decision = predict_scan(scan, broken, session="scan")
    assert decision.reasons == ("inference failed",)
    assert decision.probabilities is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("volumes", "why"), [(slice(3, 4), "gap"), (slice(None), "coverage")])
def test_numbers_that_the_system_cannot_hold_were_not_measured(volumes: slice, why: str) -> None:
    scan = recording()
    scan.data[:3, volumes] = 1e39  # of one volume three of five regions: it was lost
    decision = predicted(scan)
    assert decision.label == "abstain"
    assert decision.reasons == (why,)


def test_a_lone_cell_is_bridged_and_counted() -> None:
    scan = recording()
    whole = predicted(recording())
    scan.data[2, 30] = np.nan
    decision = predicted(scan)
    assert decision.reasons == ()
    assert decision.quality == {"bridged_cells": 1.0}
    assert decision.coverage == pytest.approx(1 - 1 / scan.data.size)
    assert decision.probabilities["ASD"] == pytest.approx(whole.probabilities["ASD"], abs=0.1)


def test_a_scrubbed_volume_is_a_gap_and_an_absent_region_is_coverage() -> None:
    scan = recording()
    scan.data[:, [20, 21]] = np.nan
    decision = predicted(scan)
    assert (decision.reasons, decision.largest_gap_s) == (("gap",), 4.0)
    scan = recording()
    scan.data[3] = np.nan
    decision = predicted(scan)
    assert (decision.reasons, decision.left_out) == (("coverage",), {"coverage": ("d",)})
    scan.data[3] = 0.0  # one of five may be constant, as in the training
    decision = predicted(scan)
    assert (decision.reasons, decision.left_out) == ((), {"flat": ("d",)})


def test_a_scan_unlike_all_of_the_training_abstains_and_says_what_was_expected() -> None:
    scan = recording()
    bounds = {"spectrum": (0.4, 0.1, 0.5), "repeated volumes": (0.0, -np.inf, 3.0)}
    looked = ScanNovelty(np.zeros(10, np.float32), None, bounds)
    decision = predict_scan(scan, ScanBundle(BUNDLE.card, BUNDLE.system, looked), session="scan")
    assert Decision.from_json(decision.to_json()) == decision
    assert decision.reasons == ("spectrum",)
    assert decision.probabilities is None
    assert decision.novelty > 1.0
    assert decision.quality["spectrum_least"] == 0.1
    assert decision.quality["spectrum_most"] == 0.5
    assert decision.quality["repeated_volumes_least"] is None
    found = decision.quality["spectrum"]
    assert unlike_training(decision) == [
        f"spectrum is {found:.3g}; expected 0.1 to 0.5, as in scans of the training"
    ]
    assert {str(reason) for reason in Reason} >= set(CHECKS)
