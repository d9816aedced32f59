"""The small classifier of this soak: untrained, and warm after a few seconds: a restart costs few windows."""

from pathlib import Path

from models.bundle import write_bundle
from models.cards.window_card import CardEvidence, ModelSpec, WindowCard, WindowSettings
from models.networks.registry import make_model
from realtime.signal import Channel, Kind, SignalSpec
from tools.soak.second.source import PAIRS, WAVELENGTHS, label

LENGTH_S = 7.0
MODEL_RATE = 10.0
PIPELINE = (
    {"stage": "optical_density", "baseline_s": 2.0},
    {"stage": "resample", "rate": MODEL_RATE, "measure_s": 2.0},
    {"stage": "beer_lambert"},
    {"stage": "bandpass", "low": 0.2, "high": 1.0},
    {"stage": "normalise", "memory_s": 20.0, "warmup_s": 3.0},
)


def write_small_bundle(folder: Path) -> None:
    """Write it."""
    import torch

    channels = tuple(
        Channel(
            name=label(pair, wavelength),
            kind=Kind.INTENSITY,
            unit="V",
            source=pair,
            detector=pair,
            wavelength=wavelength,
            distance=0.03,
        )
        for pair in range(1, PAIRS + 1)
        for wavelength in WAVELENGTHS
    )
    spec = SignalSpec(channels, MODEL_RATE)
    torch.manual_seed(0)
    # Two chromophores a pair.
    shape = {"n_chans": 2 * PAIRS, "n_times": round(LENGTH_S * MODEL_RATE), "n_outputs": 2}
    card = WindowCard(
        model=ModelSpec(kind="lstm", params={}, **shape),
        input=spec.to_json(),
        pipeline=[dict(stage) for stage in PIPELINE],
        rate=MODEL_RATE,
        window=WindowSettings(length_s=LENGTH_S, step_s=1.0),
        labels=["rest", "task"],
        policy={"min_coverage": 0.9, "max_gap_s": 1.0, "max_age_s": 5.0, "min_confidence": 0.0},
        evidence=CardEvidence(memory_s=60.0),
    )
    write_bundle(folder, card, make_model("lstm", {}, **shape))
