"""What a recipe's filters leave of a block: computed with the very stages, not guessed.

A high-pass takes out drifts, and with them whatever lasts as long as they do; a running normalisation
follows the signal and does the same.  Both are right for what is shorter.  So the recipe's own stages are
given the response to a block (a boxcar, drawn out as blood answers: a gamma function that peaks 5 s after
an impulse, Boynton et al. 1996, J Neurosci 16:4207) on top of noise, and the same noise alone; the
difference is what is left of the block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import gamma

from models.arrays import Floats
from offline.samples.recipe import Recipe
from realtime.pipeline import Pipeline
from realtime.signal import Channel, Chunk, Kind, SignalSpec

FOLLOWS = ("bandpass", "normalise", "align", "cue_reference", "regress", "running_percent")
"""Stages that take out what lasts; the others change a sample by what was measured at the same time."""
N_CHANNELS = 16
"""Channels of noise over which the response is averaged."""
N_BLOCKS = 4
"""Blocks, the last of which is looked at: by then running statistics have seen some."""
PEAK_S = 5.0
"""After an impulse blood answers most, s."""
FADED_S = 20.0
"""... and nothing is left of it so long after a block, s."""
LONGEST_S = 600.0
"""Blocks, pauses and memories that are longer are taken for as long, s: it bounds the work."""
FASTEST = 10.0
"""Rate at which this is computed, at most, Hz."""
WAITS_S = 15.0
"""An interval that begins later waits until the response is over, and asks for nothing that lasts, s."""
RISEN = 0.2
"""Before the response has risen to so much of its highest, nothing is asked of it."""
SIZE = 1e-7
"""Of the noise, mol/L; the block is as high."""
ENOUGH = 0.5
"""A label whose block is left to less than this, at the middle of its interval, is warned of."""


@dataclass(frozen=True, eq=False)
class LeftOfBlock:
    """What a pipeline leaves of a block.

    Parameters
    ----------
    seconds : (n,) float64
        Since the block's start, s; from when on the response has risen.
    share : (n,) float64
        Of what would be there without the filters, each as a part of its own highest.
    """

    seconds: Floats
    share: Floats

    def at(self, seconds: float) -> float:
        """The share that is left so many seconds after the block's start."""
        return float(np.interp(seconds, self.seconds, self.share))


def left_of_block(pipeline: Sequence[Mapping[str, Any]], rate: float, block_s: float) -> LeftOfBlock:
    """Send a block through the stages of a pipeline that take out what lasts.

    Parameters
    ----------
    pipeline : sequence of mappings
        Stages in order; those that are not in `FOLLOWS` are left out.
    rate : float
        Of the pipeline's output, Hz.
    block_s : float
        Length of a block, s; pauses are as long, and until the response is over.
    """
    stages = [_of_blood(stage) for stage in pipeline if stage.get("stage") in FOLLOWS]
    for stage in stages:
        stage.pop("high", None)  # what is fast is nothing to what lasts
        if "memory_s" in stage:
            stage["memory_s"] = min(stage["memory_s"], LONGEST_S)
        if stage["stage"] == "align":
            stage["shrinkage"] = 1.0  # here all channels share the response; how channels mix has no duration
    stages = [stage for stage in stages if stage["stage"] != "bandpass" or "low" in stage]
    cues = [str(name) for stage in stages for name in stage.get("events", ())]
    block_s, rate = min(block_s, LONGEST_S), min(rate, FASTEST)
    resample = {"stage": "resample", "rate": rate, "measure_s": 2.0}
    spec = SignalSpec(
        tuple(Channel(name=f"{i}", kind=Kind.HBO, unit="mol/L") for i in range(N_CHANNELS)), rate
    )
    runs = [Pipeline([resample, *stages], spec) for _ in range(2)]
    rest = max(block_s, FADED_S)
    # Running statistics are as good as settled after three of their time constants.
    memory = max([60.0, *(float(stage.get("memory_s", 0.0)) for stage in stages)])
    begin = runs[0].warmup_s + 3.0 * memory
    onsets = begin + (block_s + rest) * np.arange(N_BLOCKS)
    times = np.arange(round((onsets[-1] + block_s + 1.0) * rate)) / rate
    noise = SIZE * np.random.default_rng(0).standard_normal((N_CHANNELS, len(times)))
    inside = ((times[:, None] >= onsets) & (times[:, None] < onsets + block_s)).any(axis=1)
    blood = gamma.pdf(np.arange(0.0, 30.0, 1.0 / rate), 3.0, scale=PEAK_S / 2.0)
    response_in = np.convolve(inside, blood / blood.sum())[: len(times)]
    missing = np.zeros(noise.shape, dtype=bool)
    given = []
    for run, level in zip(runs, (0.0, SIZE), strict=True):
        for onset in onsets:
            run.event(float(onset), cues[0] if cues else "block")
        pieces = run.process(Chunk(spec, noise + level * response_in, times, missing))
        given.append(pieces[0].chunk)
    without, with_ = given
    there = (without.times >= onsets[-1]) & (without.times < onsets[-1] + block_s)
    response = np.nanmean((with_.data - without.data)[:, there], axis=0)
    whole = np.interp(without.times[there], times, response_in)
    response, whole = response - response[0], whole - whole[0]  # since the onset: a level is nobody's loss
    most, highest = np.abs(response).max(initial=0.0), whole.max(initial=0.0)
    risen = whole >= RISEN * highest
    share = (response / max(most, 1e-300))[risen] / (whole / max(highest, 1e-300))[risen]
    return LeftOfBlock((without.times[there] - onsets[-1])[risen], share)


@dataclass(frozen=True)
class LeftOfLabels:
    """What is left at the middle of labels' intervals, for labels of one interval.

    Parameters
    ----------
    labels : tuple of str
        Their names.
    block_s, middle_s : float
        Block that is supposed, from the event to the interval's end, and the interval's middle, s.
    share : float
        As `LeftOfBlock` has it.
    """

    labels: tuple[str, ...]
    block_s: float
    middle_s: float
    share: float


def left_of_labels(
    pipeline: Sequence[Mapping[str, Any]], rate: float, intervals: Mapping[str, tuple[float, float]]
) -> list[LeftOfLabels]:
    """What a pipeline leaves at the middle of each label's interval.

    Parameters
    ----------
    pipeline : sequence of mappings
        Stages in order.
    rate : float
        Of the pipeline's output, Hz.
    intervals : mapping of str to (float, float)
        Delay behind the event and length of each label's interval, s.

    Returns
    -------
    list of LeftOfLabels
        Without those that wait until a response is over, or are longer than anyone filters for.
    """
    alike: dict[tuple[float, float], list[str]] = {}
    for label, (delay, duration) in intervals.items():
        if 0.0 <= delay < WAITS_S and delay + duration <= LONGEST_S:
            alike.setdefault((delay + duration, delay + duration / 2.0), []).append(label)
    return [
        LeftOfLabels(tuple(labels), end, middle, left_of_block(pipeline, rate, end).at(middle))
        for (end, middle), labels in alike.items()
    ]


def warnings_of(recipe: Recipe) -> list[str]:
    """What a person should know of a recipe whose filters take out what its intervals ask for.

    Parameters
    ----------
    recipe : Recipe
        With labels from events.

    Returns
    -------
    list of str
        A sentence for labels of one interval, where less than `ENOUGH` is left at its middle.
    """
    followers = [stage for stage in recipe.pipeline if stage.get("stage") in FOLLOWS]
    if not followers:
        return []
    intervals = {
        label: (interval.delay_s, interval.duration_s) for label, interval in recipe.labels.intervals.items()
    }
    return [
        f"{' and '.join(map(repr, its.labels))}: of a block of {its.block_s:g} s the recipe's filters leave "
        f"{max(its.share, 0.0):.0%} after {its.middle_s:g} s, the middle of the label's interval "
        f"({', '.join(map(_words, followers))}). Lower the high-pass, lengthen the memory, or refer to the "
        "cue (stage 'cue_reference')."
        for its in left_of_labels(recipe.pipeline, recipe.rate, intervals)
        if its.share < ENOUGH
    ]


def _words(stage: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in stage.items() if name in ("low", "memory_s"))
    return f"{stage['stage']} {settings}".strip()


def _of_blood(stage: Mapping[str, Any]) -> dict[str, Any]:
    """The same stage for the response alone, which has no confounds and no level to take percents of."""
    if stage["stage"] == "running_percent":
        return {"stage": "normalise"} | {key: stage[key] for key in ("memory_s", "warmup_s") if key in stage}
    return {key: value for key, value in stage.items() if key != "confounds"}
