"""Replay throughput on one core, as multiples of real time; the child's part is at the end.

Peers in the same run: the same steps done by MNE on the whole recording at once, and one causal
filter (scipy's sosfilt) over the whole array, which is the least that any pipeline must do.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tools.bench.child import settings, tell
from tools.bench.processes import Child
from tools.bench.stream import PAIRS, PIPELINE, RATE, bench_bundle, bench_spec, intensities

AIM = 1000.0
STEP_S = 1.0


def measure_throughput(folder: Path, *, minutes: float, repeats: int) -> dict[str, Any]:
    """Measure in a process of its own, kept on one core where the system lets us.

    Returns
    -------
    dict
        Times real time: medians over the repeats.
    """
    folder.mkdir()
    bench_bundle(folder / "bundle", step_s=STEP_S)
    with Child("throughput", bundle=str(folder / "bundle"), minutes=minutes, repeats=repeats) as child:
        measured = child.wait_for("measured", 600.0)
    del measured["event"]
    return measured


def main() -> None:
    """Measure, in the child."""
    given = settings()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch
    from scipy.signal import butter, sosfilt

    from models.bundle import read_bundle
    from realtime.core import Core, Plan
    from realtime.inference import Inference
    from realtime.log import SessionStarted
    from realtime.rerun import predict_recording
    from realtime.sources.recording import Recording, entries

    torch.set_num_threads(1)
    spec = bench_spec()
    n_samples = round(given["minutes"] * 60 * RATE)
    data = intensities(len(spec), n_samples)
    times = np.arange(n_samples) / RATE
    recording = Recording("bench", spec, data, times, np.zeros(data.shape, dtype=bool))
    bundle = read_bundle(given["bundle"])
    inference = Inference(bundle, device="cpu")
    plan = Plan.from_card(bundle.card)

    def pipeline(chunk: int) -> int:
        core = Core(plan)
        core.feed(SessionStarted(0.0, "bench", 1, plan.model_hash))
        return sum(len(core.feed(entry)) for entry in entries(recording, chunk_samples=chunk))

    def predicted() -> int:
        return sum(1 for _ in predict_recording(recording, bundle, inference, session="bench"))

    edges = next(stage for stage in PIPELINE if stage["stage"] == "bandpass")
    sos = butter(2, [edges["low"], edges["high"]], "bandpass", output="sos", fs=RATE)
    work: dict[str, Callable[[], object]] = {
        "pipeline alone": lambda: pipeline(256),
        "pipeline, sample by sample": lambda: pipeline(1),
        "pipeline and inference": predicted,
        "MNE, whole recording": lambda: by_mne(data, float(edges["low"]), float(edges["high"])),
        "sosfilt, whole array": lambda: sosfilt(sos, data, axis=1),
    }
    took: dict[str, list[float]] = {name: [] for name in work}
    for call in work.values():  # once for imports and caches
        call()
    for _ in range(given["repeats"]):
        for name, call in work.items():
            before = time.perf_counter()
            call()
            took[name].append(time.perf_counter() - before)
    length_s = n_samples / RATE
    rates = {name: round(length_s / statistics.median(each), 1) for name, each in took.items()}
    tell(
        "measured",
        pairs=PAIRS,
        rows=len(spec),
        minutes=given["minutes"],
        repeats=given["repeats"],
        times_real_time=rates,
        ratio_to_mne=round(rates["pipeline alone"] / rates["MNE, whole recording"], 3),
        ratio_to_sosfilt=round(rates["pipeline alone"] / rates["sosfilt, whole array"], 3),
        windows=pipeline(256),
    )


def by_mne(data: np.typing.NDArray[np.float64], low: float, high: float) -> object:
    """What a script does offline to data : (n_channels, n_samples) float64, V: all of it at once."""
    import mne

    spec = bench_spec()
    with mne.utils.use_log_level("error"):
        names = [channel.name for channel in spec.channels]
        info = mne.create_info(names, RATE, "fnirs_cw_amplitude")
        for entry, channel in zip(info["chs"], spec.channels, strict=True):
            entry["loc"][3:6] = 0.0
            entry["loc"][6:9] = (channel.distance, 0.0, 0.0)
            entry["loc"][9] = channel.wavelength
        raw = mne.io.RawArray(data, info, copy="both")
        density = mne.preprocessing.nirs.optical_density(raw)
        concentration = mne.preprocessing.nirs.beer_lambert_law(density, ppf=6.0)
        iir = {"order": 2, "ftype": "butter", "output": "sos"}
        return concentration.filter(low, high, method="iir", iir_params=iir, phase="forward")


if __name__ == "__main__":
    main()
