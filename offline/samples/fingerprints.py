"""Whether two recordings hold the same signal, whatever file, header, unit or length it came in.

Around every local maximum of every channel a short stretch is standardised, rounded coarsely and hashed:
gain, offset, order of channels, number format and what was cut off at either end leave the words alone.  Two
recordings are alike where words meet at one and the same shift; chance ones meet at shifts of their own.

Measured on the recordings of 14, 46 and 6 people and on 843 scans of ABIDE-I, whole and cut to 60, 100 and
200 samples: no two people's had more than one word in common at one shift but two of ABIDE, which are one
scan under two numbers; rounded to six digits or to float32 a recording keeps 91 to 100 % of its words, to
four digits half.  What was filtered, resampled or made haemoglobin since is not known again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array, triu

from models.errors import BundleError
from realtime.signal import Kind
from realtime.sources.recording import Recording


@dataclass(frozen=True)
class Scale:
    """Stretches of so many samples, from a maximum that is highest among ``half`` to either side."""

    half: int
    length: int


VALUES = 16
"""So many samples of a stretch, evenly spread, make its word."""
USUAL, BRIEF = Scale(8, 64), Scale(2, 32)
BRIEF_SAMPLES = 256
"""A recording shorter than this has few maxima of the usual kind: others are taken beside them."""
STEP = 0.1
"""Values are rounded to this part of their stretch's standard deviation."""
KEPT, ON_CARD = 4096, 32
"""Words of a recording, the smallest, that are compared within a cohort, and that stand on a card."""
LEAST_ALIKE = 4
"""So many words at one shift are the same signal."""

Words = npt.NDArray[np.uint64]
_FACTORS = np.random.default_rng(0).integers(1, 2**63, VALUES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Words of one recording, (n,), ascending and each once, and the first sample of each one's stretch."""

    words: Words
    starts: npt.NDArray[np.int64]

    def sketch(self, n: int = KEPT) -> "Fingerprint":
        """Its smallest words: those of two alike recordings are alike too."""
        return Fingerprint(self.words[:n].copy(), self.starts[:n].copy())


@dataclass(frozen=True)
class Alike:
    """What two recordings share: words at one shift, by which the first is later, and samples at least.

    Samples count from the first shared stretch to the end of the last.
    """

    words: int
    shift: int
    samples: int


def fingerprint_of(data: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> Fingerprint:
    """The words of a recording as measured, (n_channels, n_samples) float64 in any unit, but the missing."""
    scales = (USUAL, BRIEF) if data.shape[1] < BRIEF_SAMPLES else (USUAL,)
    parts = [(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64))]
    for i in range(len(data)):
        there = np.isfinite(data[i]) if missing is None else np.isfinite(data[i]) & ~missing[i]
        x = np.where(there, data[i], -np.inf).astype(np.float64)
        parts += [_words(x, scale) for scale in scales if len(x) >= scale.length]
    words, starts = (np.concatenate(each) for each in zip(*parts, strict=True))
    found, where = np.unique(words, return_index=True)
    return Fingerprint(found, starts[where])


def fingerprint_of_recording(recording: Recording) -> Fingerprint:
    """The words of a recording, light as optical density, so that either tells of the other."""
    data = recording.data
    light = np.array([each.kind is Kind.INTENSITY for each in recording.spec.channels], dtype=bool)
    if light.any():
        data = data.astype(np.float64)
        data[light] = -np.log(np.where(data[light] > 0, data[light], np.nan))
    return fingerprint_of(data, recording.missing)


def _words(x: npt.NDArray[np.float64], scale: Scale) -> tuple[Words, npt.NDArray[np.int64]]:
    """Words of one channel and where their stretches begin; what was not measured is -inf."""
    n = len(x)
    highest = sliding_window_view(x, 2 * scale.half + 1).max(axis=1)
    first = np.flatnonzero(x[scale.half : n - scale.half] >= highest)
    first = first[first + scale.length <= n]
    cut = sliding_window_view(x, scale.length)[first]
    whole = np.isfinite(cut).all(axis=1)
    cut, first = cut[whole], first[whole]
    spread = cut.std(axis=1)
    varied = spread > 1e-9 * np.abs(cut).max(axis=1, initial=0.0)
    cut, first, spread = cut[varied], first[varied], spread[varied]
    scaled = (cut[:, :: scale.length // VALUES] - cut.mean(axis=1, keepdims=True)) / spread[:, np.newaxis]
    rounded = np.rint(scaled / STEP).astype(np.int64).astype(np.uint64)
    summed = (rounded * _FACTORS).sum(axis=1, dtype=np.uint64)
    return _mixed(summed + np.uint64(scale.length)), first.astype(np.int64)


def alike(one: Fingerprint, other: Fingerprint) -> Alike | None:
    """What two recordings share; None where it is not the same signal."""
    _, i, j = np.intersect1d(one.words, other.words, assume_unique=True, return_indices=True)
    if len(i) < LEAST_ALIKE:
        return None
    shifts, counts = np.unique(one.starts[i] - other.starts[j], return_counts=True)
    best = int(np.argmax(counts))
    if counts[best] < LEAST_ALIKE:
        return None
    at = one.starts[i][one.starts[i] - other.starts[j] == shifts[best]]
    return Alike(int(counts[best]), int(shifts[best]), int(at.max() - at.min()) + BRIEF.length)


def alike_pairs(all_of: Sequence[Fingerprint]) -> list[tuple[int, int, Alike]]:
    """All pairs of recordings that hold the same signal, and what they share.

    Work and memory grow with their number, not with its square.
    """
    kept = [each.sketch() for each in all_of]
    found = np.concatenate([np.zeros(0, dtype=np.uint64), *(each.words for each in kept)])
    words, column = np.unique(found, return_inverse=True)
    row = np.repeat(np.arange(len(kept)), [len(each.words) for each in kept])
    held = csr_array((np.ones(len(row), dtype=np.int64), (row, column)), shape=(len(kept), len(words)))
    shared = triu(held @ held.T, k=1).tocoo()
    many = shared.data >= LEAST_ALIKE
    pairs = sorted(zip(shared.row[many].tolist(), shared.col[many].tolist(), strict=True))
    alike_ones = ((a, b, alike(kept[a], kept[b])) for a, b in pairs)
    return [(a, b, its) for a, b, its in alike_ones if its is not None]


def signals_for_card(all_of: Iterable[Fingerprint], salt: str) -> list[str]:
    """What a card keeps of the signals that were learnt from: keyed words, a line a recording.

    The key is the card's own salt, so that two cards do not show that they learnt from the same people.
    """
    lines = []
    for each in all_of:
        its = each.sketch(ON_CARD)
        keyed = zip(_keyed(its.words, salt).tolist(), its.starts.tolist(), strict=True)
        lines.append(" ".join(f"{word:016x}@{start}" for word, start in sorted(keyed)))
    return sorted(line for line in set(lines) if line)


def learnt_from(training: Mapping[str, Any], recording: Fingerprint) -> Alike | None:
    """What a recording, with all its words, shares with one that a bundle has learnt from, if with any.

    Of the training of the bundle's card; cards of earlier versions know no signals.

    Raises
    ------
    BundleError
        The card's signals are not what `signals_for_card` writes.
    """
    lines = training.get("signals", ())
    if not lines:
        return None
    words = _keyed(recording.words, str(training.get("people_salt", "")))
    order = np.argsort(words)
    keyed = Fingerprint(words[order], recording.starts[order])
    return next((found for line in lines if (found := alike(_of_line(line), keyed)) is not None), None)


def _of_line(line: Any) -> Fingerprint:
    try:
        parts = [each.partition("@") for each in line.split()]
        pairs = sorted((int(word, 16), int(start)) for word, _, start in parts)
        words, starts = zip(*pairs, strict=True)
        return Fingerprint(np.array(words, dtype=np.uint64), np.array(starts, dtype=np.int64))
    except (AttributeError, ValueError, OverflowError) as error:
        raise BundleError(
            f"Card: training.signals holds {str(line)[:40]!r}; expected words like 00ab...@120. Fetch the "
            "bundle again."
        ) from error


def _keyed(words: Words, salt: str) -> Words:
    key = np.uint64(int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "little"))
    return _mixed(words ^ key)


def _mixed(h: Words) -> Words:
    """Every bit of a word spread over all others (splitmix64, Steele et al. 2014)."""
    h = h ^ (h >> np.uint64(30))
    h = h * np.uint64(0xBF58476D1CE4E5B9)
    h = h ^ (h >> np.uint64(27))
    h = h * np.uint64(0x94D049BB133111EB)
    return np.asarray(h ^ (h >> np.uint64(31)))
