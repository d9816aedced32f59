"""The device: one life of an outlet, at real time: ``python -m tools.soak.second.source``.

It says nothing of being made up: a session takes it for a live device.  Beside its intensities it sends two
rows by which whoever records it knows each push and each sample again.  What it pushes it writes down first,
so that a kill can lose no line of the truth.
"""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
from cyclopts import App

PAIRS = 2
WAVELENGTHS = (760.0, 850.0)
ROWS = 2 * PAIRS + 2
"""Intensities, then the number of the push and that of the sample."""
PUSH_ROW, SAMPLE_ROW = ROWS - 2, ROWS - 1
A_LIFE = 10_000_000
"""Numbers of one life: that of the n-th begin at n times this."""
LINGER_S = 1.0
"""How long an outlet that closes in order stays, for whoever still fetches its last samples, s."""

app = App(name="source", help="One life of a device whose truth is known.", help_format="plaintext")


def label(pair: int, wavelength: float) -> str:
    """Name of a channel."""
    return f"S{pair}_D{pair} {wavelength:.0f}"


@app.default
def source(plan: Path, *, bed: str, source_id: str, life: int, seed: int, truth: Path) -> None:
    """Send one life.

    Parameters
    ----------
    plan : Path
        JSON, a list of lives.
    bed : str
        Which device.
    source_id : str
        Of the stream.
    life : int
        Which of the lives.
    seed : int
        Of values and jitter.
    truth : Path
        A line for each sample that is pushed: push, sample, true time, stamp (local clock, s), the first
        channel's value, local time of the push.
    """
    import pylsl

    from tools.soak.second.plan import DEVICES, Life
    from tools.soak.second.pushes import pushes

    device = DEVICES[bed]
    mine = Life.from_json(json.loads(plan.read_text(encoding="utf-8"))[life])
    planned = pushes(device, mine, f"{seed}/{bed}/{life}")
    values = _values(int(mine.seconds * device.rate), seed + 1000 * life)
    outlet = pylsl.StreamOutlet(_info(bed, source_id, device.declared), max_buffered=360)
    parent = os.getppid()
    begin = pylsl.local_clock()
    with truth.open("ab", buffering=0) as writing:
        for number, push in enumerate(planned):
            while (left := begin + push.due - pylsl.local_clock()) > 0.0:
                time.sleep(min(left, 0.2))
                if os.getppid() != parent:
                    return  # the process is gone that would end this process
            rows = np.empty((len(push.samples), ROWS))
            lines = []
            for row, one in zip(rows, push.samples, strict=True):
                row[:PUSH_ROW] = values[one.number]
                row[PUSH_ROW:] = life * A_LIFE + number, life * A_LIFE + one.number
                times = (begin + one.true, begin + one.stamp, float(row[0]), pylsl.local_clock())
                lines.append(",".join([f"{row[PUSH_ROW]:.0f}", f"{row[SAMPLE_ROW]:.0f}", *map(repr, times)]))
            writing.write(("\n".join(lines) + "\n").encode())
            stamp = begin + push.samples[-1].stamp
            if len(rows) == 1:
                outlet.push_sample(rows[0].tolist(), stamp)
            else:
                outlet.push_chunk(rows.tolist(), stamp)
    if mine.killed:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(LINGER_S)


def _values(n_samples: int, seed: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Intensities with a pulse and slow waves, (n_samples, n_channels) V."""
    rng = np.random.default_rng(seed)
    second = np.arange(n_samples)[:, np.newaxis] / 10.0
    phase = rng.uniform(0.0, 2.0 * np.pi, size=2 * PAIRS)
    waves = 0.01 * np.sin(2.0 * np.pi * 0.1 * second + phase) + 0.005 * np.sin(2.0 * np.pi * 1.1 * second)
    noise = rng.normal(0.0, 0.001, size=(n_samples, 2 * PAIRS))
    found: np.ndarray[tuple[int, int], np.dtype[np.float64]] = 0.8 * np.exp(waves + noise)
    return found


def _info(bed: str, source_id: str, declared: float) -> "object":
    """Describe it as the XDF wiki's "NIRS Meta Data" says, by hand."""
    import pylsl

    info = pylsl.StreamInfo(f"second-{bed}", "NIRS", ROWS, declared, "double64", source_id)
    channels = info.desc().append_child("channels")
    for pair in range(1, PAIRS + 1):
        for wavelength in WAVELENGTHS:
            node = channels.append_child("channel")
            node.append_child_value("label", label(pair, wavelength))
            node.append_child_value("type", "Intensity")
            node.append_child_value("unit", "V")
            node.append_child_value("source", f"S{pair}")
            node.append_child_value("detector", f"D{pair}")
            node.append_child_value("wavelength", f"{wavelength:g}")
    for name in ("push", "sample"):
        node = channels.append_child("channel")
        node.append_child_value("label", name)
        node.append_child_value("type", "Misc")
    return info


if __name__ == "__main__":
    app()
