"""What is measured: one stream, one small network, one pipeline.  Shared by every bench.

52 source-detector pairs at two wavelengths are 104 rows at 10 Hz, 7-s windows: the size of the
larger systems in use.  The signal is a random walk in intensity; no figure depends on its values.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from models.cards.window_card import CardEvidence, ModelSpec, WindowCard, WindowSettings
from realtime.signal import Channel, Kind, SignalSpec

RATE = 10.0
PAIRS = 52
LENGTH_S = 7.0
LENGTH = round(LENGTH_S * RATE)
WAVELENGTHS = (760.0, 850.0)
LABELS = ("rest", "task")
SESSION = "bench"
STREAM = "hemostream-bench"

PIPELINE: tuple[Mapping[str, Any], ...] = (
    {"stage": "optical_density", "baseline_s": 2.0},
    {"stage": "resample", "rate": RATE, "measure_s": 2.0},
    {"stage": "beer_lambert"},
    {"stage": "bandpass", "low": 0.1, "high": 0.5},
    {"stage": "normalise", "memory_s": 60.0, "warmup_s": 2.0},
)
"""The stages and orders of the ready recipes; only the times are short, so that it is soon warm."""


def bench_spec(pairs: int = PAIRS) -> SignalSpec:
    """Intensities of so many pairs, two wavelengths each."""
    channels = tuple(
        Channel(
            name=f"S{pair}_D{pair} {wavelength:.0f}",
            kind=Kind.INTENSITY,
            unit="V",
            source=pair,
            detector=pair,
            wavelength=wavelength,
            distance=0.03,
        )
        for pair in range(1, pairs + 1)
        for wavelength in WAVELENGTHS
    )
    return SignalSpec(channels, RATE)


def intensities(n_channels: int, n_samples: int, seed: int = 0) -> Floats:
    """A random walk in intensity.

    Returns
    -------
    (n_channels, n_samples) float64, V
        Positive.
    """
    random = np.random.default_rng(seed)
    walk = np.cumsum(random.normal(size=(n_channels, n_samples)), axis=1)
    return np.exp(0.0005 * walk + 0.005 * random.normal(size=walk.shape))


def bench_bundle(folder: Path, *, step_s: float) -> str:
    """Write a bundle with an untrained CGRNN of the recipes' default size.

    Its weights are as drawn: latency does not depend on what they say.

    Returns
    -------
    str
        The bundle's hash.
    """
    import torch

    from models.bundle import write_bundle
    from models.networks.registry import make_model
    from models.novelty import FEATURES, Novelty

    spec = bench_spec()
    torch.manual_seed(0)
    # Novelty is reported and refuses nothing: what the walk looks like does not matter here.
    novelty = Novelty(np.zeros((len(spec), len(FEATURES))), np.ones((len(spec), len(FEATURES))), 1e6)
    shape = {"n_chans": len(spec), "n_times": LENGTH, "n_outputs": len(LABELS)}
    card = WindowCard(
        model=ModelSpec(kind="cgrnn", params={}, **shape),
        input=spec.to_json(),
        pipeline=[dict(stage) for stage in PIPELINE],
        rate=RATE,
        window=WindowSettings(length_s=LENGTH_S, step_s=step_s),
        labels=list(LABELS),
        policy={"min_confidence": 0.0},
        evidence=CardEvidence(memory_s=10.0),
        novelty=novelty.to_json(),
    )
    return write_bundle(folder, card, make_model("cgrnn", {}, **shape))


def warmup_s() -> float:
    """Declared warm-up (s) of the bench's pipeline."""
    from realtime.pipeline import Pipeline

    return Pipeline(PIPELINE, bench_spec()).warmup_s
