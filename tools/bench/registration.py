"""``python -m tools.bench.registration``: motion of fMRI volumes, its error and its time.

A real run beside SPM's own numbers, and known moves of its volumes with noise and drift; hemostream beside
python-rtspm (SPM's realignment, GPL), SimpleITK and dipy in the same run, each where ``--peer`` names a
Python that has it.  To make one::

    python -m venv peer && peer/bin/pip install python-rtspm SimpleITK dipy
    python -m tools.bench.registration --peer peer/bin/python
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import App, Parameter

from realtime.inference import one_thread
from realtime.volumes.motion import MotionCorrector
from realtime.volumes.motion_result import MotionError
from realtime.volumes.rigid import RigidMove
from realtime.volumes.volume import Volume
from tools.bench import registration_peer
from tools.bench.machine import describe_machine
from tools.bench.mosaics import read_mosaics, read_spm
from tools.bench.registration_cases import (
    errors,
    frame_of_spm,
    known_moves,
    moves_of_spm,
    padded,
    without_a_slice,
)

app = App(name="registration", help="Motion of fMRI volumes.", help_format="plaintext")


@dataclass(frozen=True)
class Found:
    """What one of them says of some volumes.

    Parameters
    ----------
    moves : list of RigidMove or None
    estimates, reslices : (n, 2) float64, s
        Wall clock and CPU.
    """

    moves: list[RigidMove | None]
    estimates: np.ndarray
    reslices: np.ndarray


@app.default
def registration(
    *,
    data: Annotated[Path, Parameter(env_var="HEMOSTREAM_DATA")],
    peer: Path | None = None,
    moves: int = 40,
    slow: int = 8,
    device: str = "cpu",
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
) -> None:
    """Measure error and time; print the tables.

    Parameters
    ----------
    data : Path
        Folder of the real data.
    peer : Path
        A Python with python-rtspm, SimpleITK, dipy or some of them.
    moves : int
        Known moves.
    slow : int
        As many of them for SimpleITK and dipy, which take seconds each.
    device : str
        Where hemostream computes.
    out : Path
        Also write the tables here (Markdown).
    """
    one_thread()
    lines = []
    for line in _page(data / "fmri_dicom" / "siemens_mosaic_74", peer, moves, slow, device):
        print(line, flush=True)
        lines.append(line)
    if out is not None:
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _page(folder: Path, peer: Path | None, n: int, slow: int, device: str) -> Iterator[str]:
    volumes, numbers = read_mosaics(folder), read_spm(folder / "spm_motion.tsv")
    spm = moves_of_spm(numbers, volumes[0].grid)
    peers = [] if peer is None else [name for name in registration_peer.PEERS if _has(peer, name)]
    size = f"{len(volumes)} volumes {volumes[0].grid.shape}"
    yield f"| {size}, RMS less the mean, beside SPM | mm, x y z | degrees, x y z |"
    yield "|---|---|---|"
    times = {"hemostream": _ours(volumes, device)}
    rows = {"hemostream": times["hemostream"].moves}
    rows["hemostream, lost slices and outliers not left out"] = _ours(volumes, device, robust=False).moves
    if "rtspm" in peers and peer is not None:
        times["python-rtspm"] = _theirs(peer, "rtspm", volumes[0], volumes)
        rows["python-rtspm"] = times["python-rtspm"].moves
        empty = [padded(volume) for volume in volumes]
        rows["python-rtspm, empty slices as SPM had"] = _theirs(peer, "rtspm", empty[0], empty).moves
    frame = frame_of_spm(volumes[0].grid)
    for name, found in rows.items():
        at = frame if "empty" not in name else RigidMove()
        yield _beside_spm(name, found, numbers, at)
    yield ""
    yield (
        "| the same volumes, one core; p50, p99 | estimate: CPU ms | wall ms | reslice: CPU ms | wall ms |"
    )
    yield "|---|---|---|---|---|"
    for name, found_in in times.items():
        yield f"| {name} | {_ms(found_in.estimates)} | {_ms(found_in.reslices)} |"
    yield ""
    head = "known moves to 5 mm and 5 degrees an axis; p50, p90 | n | not found | mm | degrees | CPU ms, p50"
    yield f"| {head} |"
    yield "|---|---|---|---|---|---|"
    noisy = known_moves(volumes, spm, n, drift=0.0)
    drifting = known_moves(volumes, spm, n)
    for what, case in (
        ("1 % noise", noisy),
        ("noise, drift", drifting),
        ("noise, a slice lost", without_a_slice(noisy)),
    ):
        tried = {"hemostream": _ours([case.reference, *case.volumes], device, alone=True)}
        for name in peers:
            few = case.volumes if name == "rtspm" else case.volumes[:slow]
            tried[name] = _theirs(peer, name, case.reference, few)  # type: ignore[arg-type]
        for name, found_in in tried.items():
            made = found_in.moves[1:] if name == "hemostream" else found_in.moves
            took = found_in.estimates[-len(made) :]
            off = errors(type(case)(case.reference, case.volumes, case.truth[: len(made)], case.centre), made)
            missing = sum(move is None for move in made)
            figures = ([f"{v:.3f}" for v in np.quantile(column, [0.5, 0.9])] for column in off.T)
            middle = " | ".join(", ".join(pair) for pair in figures)
            cpu = 1e3 * np.median(took[:, 1])
            yield f"| {what}: {name} | {len(made)} | {missing} | {middle} | {cpu:.0f} |"
    yield ""
    yield json.dumps({"device": device, **describe_machine()})


def _beside_spm(name: str, found: list[RigidMove | None], numbers: np.ndarray, frame: RigidMove) -> str:
    ours = np.array(
        [
            np.full(6, np.nan) if move is None else frame.after(move).after(frame.inverse()).spm
            for move in found
        ]
    )
    apart = ours - numbers
    apart = apart - np.nanmean(apart, axis=0)
    spread = np.sqrt(np.nanmean(apart**2, axis=0)) * [1, 1, 1, *[np.degrees(1)] * 3]
    mm, degrees = (" ".join(f"{v:.4f}" for v in part) for part in (spread[:3], spread[3:]))
    return f"| {name} | {mm} | {degrees} |"


def _ms(seconds: np.ndarray) -> str:
    wall, cpu = (1e3 * np.nanquantile(column, [0.5, 0.99]) for column in seconds.T)
    return f"{cpu[0]:.0f}, {cpu[1]:.0f} | {wall[0]:.0f}, {wall[1]:.0f}"


def _ours(volumes: list[Volume], device: str, *, robust: bool = True, alone: bool = False) -> Found:
    """Of all volumes to the first; ``alone``: each starts from no move."""
    corrector = MotionCorrector(volumes[0], device=device, robust=robust)
    corrector.reslice(volumes[0], corrector.estimate(volumes[0]))
    moves: list[RigidMove | None] = []
    estimates, reslices = [], []
    for volume in volumes:
        if alone:
            corrector.reset()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            move = corrector.estimate(volume)
        except MotionError:
            moves.append(None)
            continue
        between, cpu_between = time.perf_counter(), time.process_time()
        corrector.reslice(volume, move)
        moves.append(move)
        estimates.append((between - wall, cpu_between - cpu))
        reslices.append((time.perf_counter() - between, time.process_time() - cpu_between))
    return Found(moves, np.array(estimates), np.array(reslices))


def _has(peer: Path, name: str) -> bool:
    module = {"rtspm": "rtspm", "simpleitk": "SimpleITK", "dipy": "dipy.align"}[name]
    return subprocess.run([peer, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def _theirs(peer: Path, name: str, reference: Volume, volumes: list[Volume]) -> Found:
    with tempfile.TemporaryDirectory(prefix="hemostream-registration-") as scratch:
        given, made = Path(scratch) / "given.npz", Path(scratch) / "made.npz"
        np.savez(
            given,
            reference=reference.data,
            volumes=np.stack([volume.data for volume in volumes]),
            affine=reference.grid.affine_mm,
        )
        subprocess.run([peer, registration_peer.__file__, name, given, made], check=True)
        with np.load(made) as found:
            moves: list[RigidMove | None] = [RigidMove.from_matrix(move) for move in found["moves"]]
            return Found(moves, found["estimates"], found["reslices"])


if __name__ == "__main__":
    app()
