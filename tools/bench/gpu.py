"""``python -m tools.bench.gpu``: what a GPU gives, against this machine's own CPU, in ten minutes.

Each network's forward at several batch sizes, an epoch of training, and the live chain; the CPU is measured
in the same run, and the device's logits are held against its.  Where there is no GPU the CPU is measured
against itself, which shows that the bench works and nothing else; it says so.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
from cyclopts import App, Parameter

from models.bundle import Bundle
from models.cards.window_card import ModelSpec, WindowCard, WindowSettings
from models.networks.registry import MODELS, NETWORKS, make_model
from offline.samples.recipe_sections import Training
from offline.training.fit import fit_network
from realtime.inference import Inference, available_devices, one_thread
from realtime.signal import Channel, Kind, SignalSpec
from tools.bench.machine import describe_machine
from tools.bench.stream import bench_spec
from tools.lsl_config import stay_on_this_machine

N_CHANS, RATE, LENGTH_S = 88, 10.0, 7.0
N_TIMES = round(RATE * LENGTH_S)
SIZES = (1, 8, 64, 256, 1024)
AGREES = 1e-5
"""Greatest difference of logits from the CPU's."""
AT_MOST_S = 3.0
"""Spent on one network at one batch size."""

app = App(name="gpu", help="What a GPU gives.", help_format="plaintext")


@app.default
def gpu(
    *,
    device: str = "auto",
    seconds: float = 120.0,
    epoch_windows: int = 8192,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
) -> None:
    """Measure forward, training and the live chain.

    Parameters
    ----------
    device : str
        cuda, mps, cpu, or auto: the best there is.
    seconds : float
        Of the live chain; 0 leaves it out.
    epoch_windows : int
        Windows of the epoch.
    out : Path
        Also write the tables here (Markdown).
    """
    one_thread()
    chosen = available_devices()[0] if device == "auto" else device
    lines = list(_page(chosen, seconds, epoch_windows))
    if out is not None:
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _page(device: str, seconds: float, epoch_windows: int) -> Iterator[str]:
    def say(line: str) -> str:
        print(line, flush=True)
        return line

    if device == "cpu":
        yield say("**No GPU here: the CPU is measured against itself.**\n")
    for rows in (_forward(device), _epochs(device, epoch_windows)):
        for row in rows:
            yield say(row)
        yield say("")
    if seconds > 0.0:
        for row in _live(device, seconds):
            yield say(row)
        yield say("")
    name = torch.cuda.get_device_name() if device.startswith("cuda") else device
    yield say(json.dumps({"device": name, **describe_machine()}))


def _forward(device: str) -> Iterator[str]:
    """Windows a second and the time of a call, by network and batch size."""
    yield f"| network, batch | {device}: windows/s | p50, ms | p99, ms | cpu: windows/s | ratio | off by |"
    yield "|---|---|---|---|---|---|---|"
    rng = np.random.default_rng(0)
    for name in MODELS:
        bundle = _bundle(name)
        for size in SIZES:
            windows = rng.standard_normal((size, N_CHANS, N_TIMES)).astype(np.float32)
            ours, logits = _timed(Inference(bundle, device=device, sizes=(size,)), windows)
            cpu, expected = _timed(Inference(bundle, device="cpu", sizes=(size,)), windows)
            p50, p99 = 1e3 * np.quantile(ours, [0.5, 0.99])
            rate, other = size / np.median(ours), size / np.median(cpu)
            off = float(np.abs(logits - expected).max())
            wrong = "" if off <= AGREES else " TOO MUCH"
            yield (
                f"| {name}, {size} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {other:,.0f} | {rate / other:.2f} "
                f"| {off:.1e}{wrong} |"
            )


def _timed(
    inference: Inference, windows: npt.NDArray[np.float32]
) -> tuple[list[float], npt.NDArray[np.float32]]:
    """Seconds of each call, until enough are known; and the logits."""
    logits = inference.logits(windows)[0]
    taken: list[float] = []
    begin = time.perf_counter()
    while len(taken) < 20 or (len(taken) < 1000 and time.perf_counter() - begin < AT_MOST_S):
        before = time.perf_counter()
        inference.logits(windows)
        taken.append(time.perf_counter() - before)
        if time.perf_counter() - begin > 3 * AT_MOST_S:
            break
    return taken, logits


def _bundle(name: str) -> Bundle:
    torch.manual_seed(0)
    shape = {"n_chans": N_CHANS, "n_times": N_TIMES, "n_outputs": 2}
    network = make_model(name, {}, **shape).eval()
    for parameter in network.parameters():  # what is solved for begins at 0
        if not parameter.detach().any():
            torch.nn.init.normal_(parameter, std=0.01)
    card = WindowCard(
        model=ModelSpec(kind=name, params={}, **shape),
        input=bench_spec(N_CHANS // 2).to_json(),
        pipeline=[],
        rate=RATE,
        window=WindowSettings(length_s=LENGTH_S),
        labels=["rest", "task"],
        policy={"min_confidence": 0.0},
    )
    return Bundle(card, network)


def _epochs(device: str, n_windows: int) -> Iterator[str]:
    """Seconds of an epoch, by network."""
    yield f"| epoch of {n_windows} windows, batch 256 | {device}, s | cpu, s | ratio |"
    yield "|---|---|---|---|"
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_windows, N_CHANS, N_TIMES)).astype(np.float32)
    y = rng.integers(0, 2, n_windows)
    for name in NETWORKS:
        ours, cpu = (_epoch(name, X, y, where) for where in (device, "cpu"))
        yield f"| {name} | {ours:.2f} | {cpu:.2f} | {cpu / ours:.2f} |"


def _epoch(name: str, X: npt.NDArray[np.float32], y: npt.NDArray[np.int64], device: str) -> float:
    """The second of two epochs: the first pays for kernels and memory."""
    at: list[float] = []
    settings = Training(epochs=2, min_epochs=1, batch_size=256)
    fit_network(
        X,
        y,
        np.arange(len(X)),
        np.arange(0),
        name=name,
        params={},
        n_outputs=2,
        settings=settings,
        seed=0,
        behind=_in_a_row(),
        on_epoch=lambda *_: at.append(time.perf_counter()),
        device=device,
    )
    return at[1] - at[0]


def _in_a_row() -> SignalSpec:
    """Channels for a network that knows where they are."""
    return SignalSpec(
        tuple(
            Channel(name=f"{i}", kind=Kind.HBO, unit="mol/L", position=(0.14 * i / N_CHANS - 0.07, 0.0, 0.0))
            for i in range(N_CHANS)
        ),
        RATE,
    )


def _live(device: str, seconds: float) -> Iterator[str]:
    """From the push of the completing sample to the subscriber, with the session on the device."""
    yield f"| push to subscriber, {seconds:.0f} s of stream | p50, ms | p99, ms |"
    yield "|---|---|---|"
    with tempfile.TemporaryDirectory(prefix="hemostream-gpu-") as scratch:
        folder = Path(scratch)
        stay_on_this_machine(folder)
        # Only now: what these import takes liblsl's configuration as it is.
        from tools.bench.latency import STEP_S, measure_latency
        from tools.bench.processes import a_broker

        with a_broker(folder) as (broker, _):
            windows = max(round(seconds / STEP_S), 1)
            found: dict[str, Any] = measure_latency(folder / "live", broker, windows=windows, device=device)
    for condition, its in found["conditions_ms"].items():
        where = device if condition == "hemostream" else "cpu"
        yield f"| {condition} ({where}) | {its['p50']:.2f} | {its['p99']:.2f} |"


if __name__ == "__main__":
    app()
