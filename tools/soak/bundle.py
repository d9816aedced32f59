"""The small classifier of a soak: untrained, soon warm, made for the made-up stream."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.bundle import write_bundle
from models.cards.window_card import CardEvidence, ModelSpec, WindowCard, WindowSettings
from models.networks.registry import make_model
from tools.faults.device import faulty_spec

RATE = 5.0
"""Samples a second of the soak's streams, Hz: a slow device, so that a day can be run fast."""
PAIRS = 4
LENGTH_S = 7.0
MAX_AGE_S = 120.0
"""Age (stream s) up to which a decision is current: 3 s at 40 times real time."""

PIPELINE: tuple[Mapping[str, Any], ...] = (
    {"stage": "optical_density", "baseline_s": 5.0},
    {"stage": "resample", "rate": RATE, "measure_s": 5.0},
    {"stage": "beer_lambert"},
    {"stage": "bandpass", "low": 0.05, "high": 0.5},
    {"stage": "normalise", "memory_s": 60.0, "warmup_s": 5.0},
)


def write_soak_bundle(folder: Path) -> None:
    """Write it."""
    import torch

    spec = faulty_spec(PAIRS, RATE)
    torch.manual_seed(0)
    shape = {"n_chans": len(spec), "n_times": round(LENGTH_S * RATE), "n_outputs": 2}
    card = WindowCard(
        model=ModelSpec(kind="cgrnn", params={}, **shape),
        input=spec.to_json(),
        pipeline=[dict(stage) for stage in PIPELINE],
        rate=RATE,
        window=WindowSettings(length_s=LENGTH_S, step_s=1.0),
        labels=["rest", "task"],
        policy={"min_coverage": 0.9, "max_gap_s": 1.0, "max_age_s": MAX_AGE_S, "min_confidence": 0.0},
        evidence=CardEvidence(memory_s=60.0),
    )
    write_bundle(folder, card, make_model("cgrnn", {}, **shape))
