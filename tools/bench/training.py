"""``python -m tools.bench.training``: what training costs: replay, an epoch, and folds on several processes.

Replay is set against MNE's own conversion and filtering of the same recordings; an epoch against a loop
written by hand with the same loader, validation and early stopping; folds on two processes and on a Dask
cluster of two workers against one process.  Runs alternate, medians are reported.
"""

import copy
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import mne
import numpy as np
import torch
from cyclopts import App
from torch import nn
from torch.utils.data import DataLoader

from models.networks.registry import make_model
from offline.base.label_weights import label_weights
from offline.base.reproducible import reproducible
from offline.evaluation.evaluate import evaluate
from offline.samples.channels import choose_channels
from offline.samples.recipe import load_recipe, parse_recipe
from offline.samples.recipe_sections import Training
from offline.samples.replay import replay
from offline.samples.samples import kept_of, plan_of
from offline.simulation.cohort import write_cohort
from offline.simulation.person import simulate_person
from offline.simulation.settings import Simulation, TaskBlocks
from offline.training.batches import SomeWindows, as_it_is
from offline.training.fit import fit_network
from realtime.channels.mne_info import info_from_spec
from realtime.sources.recording import Recording
from tools.bench.machine import describe_machine

app = App(name="training", help="What training costs.", help_format="plaintext")


@app.default
def training(*, people: int = 47, runs: int = 7, windows: int = 4096, epochs: int = 3) -> None:
    """Measure all three.

    Parameters
    ----------
    people : int
        Recordings that are replayed (480 s, 44 pairs, 14.3 Hz).
    runs : int
        Alternated runs of the epoch.
    windows : int
        Windows of an epoch (88 channels, 35 samples).
    epochs : int
        Epochs of a run.
    """
    print("| what | ours | peer | ratio |\n|---|---|---|---|")
    _replay(people)
    for name in ("cgrnn", "lstm", "cnn_lstm"):
        _epoch(name, runs, windows, epochs)
    _folds()
    print(f"\n{json.dumps(describe_machine())}")


def _replay(people: int) -> None:
    recipe = load_recipe("xu2019")
    settings = Simulation(seconds=480.0, rate=14.3, n_pairs=44, n_short=0, task=None)
    ours, theirs, kept, copies = 0.0, 0.0, 0, 0
    for i in range(people):
        recording, _ = simulate_person(settings, (7, i), i % 2)
        spec, _ = choose_channels([("simulated", recording.spec)], recipe.input, recipe.kinds)
        began = time.perf_counter()
        windows = kept_of(replay(recording, plan_of(recipe, spec, ("A", "B"))).usable, recipe.rate)
        kept, copies = kept + windows.nbytes, copies + 4 * int(np.prod(windows.shape))
        ours += time.perf_counter() - began
        began = time.perf_counter()
        _by_mne(recording)
        theirs += time.perf_counter() - began
    print(
        f"| replay of {people} recordings | {ours:.1f} s "
        f"| {theirs:.1f} s (MNE: whole recordings, not causal) | {ours / theirs:.2f} |\n"
        f"| memory of its windows | {kept / 1e6:.0f} MB | {copies / 1e6:.0f} MB (a copy each) "
        f"| {kept / copies:.2f} |",
        flush=True,
    )


def _by_mne(recording: Recording) -> None:
    raw = mne.io.RawArray(recording.data, info_from_spec(recording.spec), verbose="error")
    haemoglobin = mne.preprocessing.nirs.beer_lambert_law(
        mne.preprocessing.nirs.optical_density(raw, verbose="error"), ppf=6.0
    )
    haemoglobin.filter(0.02, 0.2, verbose="error").resample(5.0, verbose="error")
    mne.make_fixed_length_epochs(haemoglobin, 7.0, overlap=6.0, preload=True, verbose="error").get_data()


def _epoch(name: str, runs: int, windows: int, epochs: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(windows + 1024, 88, 35)).astype(np.float32)
    y = (np.arange(len(X)) % 2).astype(np.int64)
    settings = Training(epochs=epochs, min_epochs=epochs, patience=epochs + 1, batch_size=128)

    def ours() -> None:
        rows = np.arange(windows), np.arange(windows, len(X))
        fit_network(X, y, *rows, name=name, params={}, n_outputs=2, settings=settings, seed=0)

    def by_hand() -> None:
        with reproducible(0):
            _by_hand(name, X, y, windows, settings)

    for warm_up in (ours, by_hand):
        warm_up()
    taken: dict[str, list[float]] = {"ours": [], "hand": []}
    for _ in range(runs):
        taken["ours"].append(_timed(ours) / epochs)
        taken["hand"].append(_timed(by_hand) / epochs)
    one, other = median(taken["ours"]), median(taken["hand"])
    ratios = [a / b for a, b in zip(taken["ours"], taken["hand"], strict=True)]
    print(
        f"| epoch of {windows} windows, {name}, batch 128 | {one:.3f} s | {other:.3f} s (by hand) "
        f"| {median(ratios):.2f} |",
        flush=True,
    )


def _by_hand(name: str, X: np.ndarray, y: np.ndarray, windows: int, settings: Training) -> nn.Module:
    network = make_model(name, {}, n_chans=88, n_times=35, n_outputs=2)
    loss_of = nn.CrossEntropyLoss(weight=label_weights(y[:windows], 2))
    step = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=settings.weight_decay)
    sets = [SomeWindows(X, y, part) for part in (np.arange(windows), np.arange(windows, len(X)))]
    learn = DataLoader(sets[0], batch_size=settings.batch_size, shuffle=True, collate_fn=as_it_is)
    check = DataLoader(sets[1], batch_size=settings.batch_size, collate_fn=as_it_is)
    best, kept = float("inf"), network.state_dict()
    for _ in range(settings.epochs):
        network.train()
        for windows_, labels in learn:
            step.zero_grad()
            loss = loss_of(network(windows_), labels)
            loss.backward()
            step.step()
            loss.item()
        network.eval()
        with torch.no_grad():
            losses = [loss_of(network(w), labels).item() for w, labels in check]
        if np.mean(losses) < best:
            best, kept = float(np.mean(losses)), copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    return network


def _folds() -> None:
    recipe = load_recipe("demo").model_dump()
    recipe["training"] |= {"epochs": 12, "min_epochs": 12}
    recipe["evaluation"] |= {"permutations": 0}
    recipe["model"] = {"kind": "cgrnn"}
    checked = parse_recipe(recipe, "bench")
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        table = write_cohort(
            folder / "cohort", Simulation(seconds=300.0, n_pairs=8, n_short=2, task=TaskBlocks()), 12, 0
        )

        def run(**how: object) -> float:
            out = folder / f"out-{time.monotonic_ns()}"
            return _timed(lambda: evaluate(table, checked, out, show=False, **how))  # type: ignore[arg-type]

        with _cluster(folder) as address:
            run()
            one, two, dask = run(), run(workers=2), run(cluster=address)
    print(f"| evaluation of 12 people, 2 processes | {two:.1f} s | {one:.1f} s (one) | {two / one:.2f} |")
    print(
        f"| the same, Dask with 2 workers | {dask:.1f} s | {one:.1f} s (one) | {dask / one:.2f} |", flush=True
    )


class _cluster:  # noqa: N801
    """A scheduler and two workers of this machine, meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> str:
        file = self.folder / "scheduler.json"
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self._start("dask_scheduler", *words, "--scheduler-file", str(file))
        while not file.exists() or not file.read_text().strip():
            time.sleep(0.05)
        address: str = json.loads(file.read_text())["address"]
        for _ in range(2):
            self._start("dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
        import distributed

        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        return address

    def _start(self, what: str, *words: str) -> None:
        program = [sys.executable, "-m", f"distributed.cli.{what}", *words]
        self.running.append(
            subprocess.Popen(program, cwd=Path.cwd(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        )

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.running):
            process.terminate()
            process.wait(20)


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


if __name__ == "__main__":
    app()
