"""The clock's bench through files: sources with known times as XDF, read by hemostream and by pyxdf.

Each source is written as LabRecorder would (samples every half second, a clock offset where clocks were
compared, in the order in which they came), read, and sent through the live clock as every recording is.

Run: ``python -m tools.bench.clock_xdf --sources 100``
"""

import argparse
import io
import struct
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pyxdf

from models.arrays import Floats
from offline.recordings import read_recording
from realtime.channels.lsl_description import describe
from realtime.clock import Clock
from realtime.log import ClockMeasured, Origin, Received
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Recording, entries
from tools.bench.clock import FamilyTally, Followed, percentiles, print_table
from tools.bench.clock_sources import (
    FAMILIES,
    Change,
    KnownSource,
    compared,
    grid,
    jittered,
    lossy,
    make,
    pushed,
)

WRITTEN_EVERY_S = 0.5
"""How often LabRecorder writes samples, s."""
_CHANNELS = tuple(
    Channel(
        name=f"S1-D1 {nm}", kind=Kind.INTENSITY, unit="V", source=1, detector=1, wavelength=nm, distance=0.03
    )
    for nm in (760.0, 850.0)
)


def noisy(noise: float) -> Change:
    """Clocks compared with this noise, s."""
    return lambda rng, source: compared(rng, source, noise)


def shifted_clock(rng: np.random.Generator, source: KnownSource, away: Floats, noise: float) -> KnownSource:
    """The source's clock is ahead by so much (s) at each sample, as comparisons say."""
    return compared(rng, replace(source, stamps=source.stamps + away), noise, offsets=-away)


def drifting_clock(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """A clock that runs fast or slow by as much as quartz does, under the stamps as they are."""
    skew = rng.normal(0, 5e-5)
    away: Floats = skew * (source.true - source.true[0]) + rng.uniform(-1e5, 1e5)
    return shifted_clock(rng, source, away, 5e-5)


def wandering_clock(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """A clock that wanders by up to 80 ms to and fro."""
    turn = rng.uniform(60.0, 400.0)
    swing = rng.uniform(0.005, 0.08)
    phase = 2 * np.pi * (source.true - source.true[0]) / turn + rng.uniform(0, 6)
    away: Floats = swing * np.sin(phase)
    return shifted_clock(rng, source, away, 1e-4)


def overlapping_restart(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The source is started again with a clock behind, so that it stamps over what it stamped before."""
    n = len(source.true)
    at = int(rng.integers(n // 4, 3 * n // 4))
    later = np.arange(n) >= at
    gap = rng.uniform(0.5, 20.0)
    true = source.true + gap * later
    back = rng.uniform(0.1, 1.5) * (true[at] - true[0]) + gap
    return shifted_clock(rng, replace(source, true=true, stamps=true), -back * later, 1e-4)


def other_restart(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The source is started again with any other clock."""
    n = len(source.true)
    later = np.arange(n) >= int(rng.integers(n // 4, 3 * n // 4))
    true = source.true + rng.uniform(0.5, 20.0) * later
    away = np.where(later, rng.uniform(-5000, 5000), 0.0)
    return shifted_clock(rng, replace(source, true=true, stamps=true), away, 1e-4)


def one_wrong(least: float, most: float) -> Change:
    """One comparison is wrong by so much, s; any of them, but of more than two."""

    def change(rng: np.random.Generator, source: KnownSource) -> KnownSource:
        marks = list(source.comparisons)
        if len(marks) > 3:
            which = int(rng.integers(len(marks)))
            wrong = float(rng.choice([-1, 1]) * np.exp(rng.uniform(np.log(least), np.log(most))))
            marks[which] = (marks[which][0], marks[which][1] + wrong)
        return replace(source, comparisons=tuple(marks))

    return change


def unusable(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Some comparisons are no numbers."""
    marks = [
        (at, float(rng.choice([np.nan, np.inf, -np.inf, 1e19])) if rng.random() < 0.1 else offset)
        for at, offset in source.comparisons
    ]
    return replace(source, comparisons=tuple(marks))


def only_at_the_start(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Clocks were compared once to three times, and then no more."""
    return replace(source, comparisons=source.comparisons[: int(rng.integers(1, 4))])


def _exact(rng: np.random.Generator, n: int) -> KnownSource:
    """Long enough for comparisons: no more than 20 Hz."""
    return grid(rng, n, rate=float(np.exp(rng.uniform(0.0, np.log(20.0)))))


IN_FILES: Mapping[str, tuple[Change, ...]] = {
    "offsets, 5 ms noise": (noisy(5e-3),),
    "offsets, 20 ms noise": (noisy(2e-2),),
    "jitter, offsets, 5 ms noise": (jittered, noisy(5e-3)),
    "drifting clock": (drifting_clock,),
    "drifting clock, pushed chunks": (drifting_clock, pushed),
    "drifting clock, losses": (drifting_clock, lossy),
    "wandering clock": (wandering_clock,),
    "overlapping restart": (overlapping_restart,),
    "other restart": (other_restart,),
    "overlapping restart, losses": (overlapping_restart, lossy),
    "one wrong offset, 10 ms to 1 s": (noisy(1e-4), one_wrong(0.01, 1.0)),
    "one garbage offset": (noisy(1e-4), one_wrong(1.0, 1e6)),
    "unusable offsets": (drifting_clock, unusable),
    "offsets only at the start": (drifting_clock, only_at_the_start),
}
"""What only a file has, by the family's name."""
ALL = (*(name for name in FAMILIES if name != "frame counters"), "combinations", *IN_FILES)
"""Frames are counted in a row of the signal, which these files have not."""


def make_for_file(family: str, seed: int, n: int = 1200) -> KnownSource:
    """One source of a family, with comparisons as a recorder makes them."""
    rng = np.random.default_rng([seed, 1, *family.encode()])
    if family not in IN_FILES:
        source = make(family, seed, n)
        return source if source.comparisons else compared(rng, source, 1e-5)
    source = _exact(rng, n)
    for change in IN_FILES[family]:
        source = change(rng, source)
    return source


def written(source: KnownSource) -> bytes:
    """An XDF file that holds a source; each sample's value is its number from 1."""
    info = ET.Element("info")
    for tag, text in {
        "name": "Cap", "type": "NIRS", "channel_count": "2", "nominal_srate": repr(float(source.nominal)),
        "channel_format": "double64", "source_id": "x", "uid": "u",
    }.items():  # fmt: skip
        ET.SubElement(info, tag).text = text
    desc = describe(SignalSpec(_CHANNELS, source.nominal or 1.0 / source.period), Origin())
    info.append(desc)
    stream = struct.pack("<I", 1)
    header = b"<info><version>1.0</version><datetime>2026-01-02T03:04:05+0000</datetime></info>"
    out = [b"XDF:", _chunk(1, header), _chunk(2, stream + ET.tostring(info))]
    marks = list(source.comparisons)
    size = max(1, round(WRITTEN_EVERY_S / source.period))
    n = len(source.true)
    cuts = sorted({*range(0, n, size), *(at for at, _ in marks), n})
    for first, stop in pairwise(cuts):
        for at, offset in marks:
            if at == first:
                now = float(source.true[first])
                out.append(_chunk(4, stream + struct.pack("<dd", now - offset, offset)))
        samples = b"".join(
            b"\x08" + struct.pack("<ddd", source.stamps[i], i + 1.0, i + 1.0) for i in range(first, stop)
        )
        out.append(_chunk(3, stream + b"\x04" + struct.pack("<I", stop - first) + samples))
    out.append(_chunk(6, stream + b"<info></info>"))
    return b"".join(out)


def _chunk(tag: int, body: bytes) -> bytes:
    return b"\x04" + struct.pack("<I", len(body) + 2) + struct.pack("<H", tag) + body


def read(content: bytes) -> Recording:
    """Read a file's content with the project's reader."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xdf"
        path.write_bytes(content)
        return read_recording(path)


def follow_file(recording: Recording, true: Floats) -> Followed:
    """Send a recording through the live clock; how true its times are."""
    clock: Any = Clock(recording.spec.rate, measured=not recording.pushed)
    times, kept, claims = [], [], []
    for entry in entries(recording):
        if isinstance(entry, ClockMeasured):
            clock.compare(entry.local, entry.offset, entry.uncertainty)
        elif isinstance(entry, Received):
            given, keeps = clock.process(entry.stamps)
            times.append(given)
            kept.append(keeps)
            claims.append(clock.uncertainties)
    there = np.concatenate(kept)
    return Followed(np.abs(np.concatenate(times) - true[there]), np.concatenate(claims), there)


def pyxdf_errors(content: bytes, true: Floats) -> Floats:
    """How wrong pyxdf leaves the times of a file as it reads it by itself, (n_samples,) s."""
    streams, _ = pyxdf.load_xdf(io.BytesIO(content))
    numbers = np.asarray(streams[0]["time_series"])[:, 0].astype(np.int64) - 1
    return np.nan_to_num(np.abs(np.asarray(streams[0]["time_stamps"]) - true[numbers]), nan=np.inf)


def rows(sources: int, families: tuple[str, ...] = ALL) -> list[dict[str, str]]:
    """A row a family."""
    table = []
    for family in families:
        tally = FamilyTally()
        theirs = []
        for seed in range(sources):
            source = make_for_file(family, seed)
            file = written(source)
            tally.take(source, follow_file(read(file), source.true))
            theirs.append(_or_none(pyxdf_errors, file, source.true))
        known = [each for each in theirs if each is not None]
        table.append({
            "family": family,
            **tally.row(),
            "pyxdf p50 / p99, ms": percentiles(np.concatenate(known)) if known else "stops",
        })  # fmt: skip
    return table


def _or_none(work: Callable[[bytes, Floats], Floats], file: bytes, true: Floats) -> Floats | None:
    try:
        return work(file, true)
    except (ValueError, IndexError, OverflowError, np.linalg.LinAlgError):
        return None  # pyxdf fits offsets that are no numbers


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=100, help="sources a family")
    parser.add_argument("--family", action="append", help="only this one; may be given again")
    asked = parser.parse_args()
    print_table(rows(asked.sources, tuple(asked.family) if asked.family else ALL))


if __name__ == "__main__":
    main()
