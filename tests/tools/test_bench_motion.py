"""The benchmark of motion and scalp: its truth adds up, and what it measures is an improvement."""

import numpy as np

from tools.bench.motion_artefacts import ON_CLEAN, OURS, PEER, UNTOUCHED, measure_motion, simulated_cases
from tools.bench.motion_short import OURS as SHORT
from tools.bench.motion_short import UNTOUCHED as WITH_SCALP
from tools.bench.motion_short import known, measure_simulated


def test_brain_and_scalp_are_all_that_was_measured_but_noise() -> None:
    spec, measured, brain, scalp = known((2019, 0))
    off = measured - brain - scalp
    off -= off.mean(axis=1, keepdims=True)
    lag = (off[:, 1:] * off[:, :-1]).mean(axis=1) / (off * off).mean(axis=1)
    assert np.abs(np.median(lag)) < 0.1  # white: nothing slow is left over
    short = [i for i, channel in enumerate(spec.channels) if (channel.distance or 1.0) < 0.01]
    assert np.abs(brain[short]).max() < 1e-12


def test_both_stages_help_and_hardly_touch_what_is_clean() -> None:
    motion = measure_motion(simulated_cases(1))
    assert motion[OURS].error < 0.4 * motion[UNTOUCHED].error
    assert motion[OURS].error < 1.5 * motion[PEER].error
    assert motion[ON_CLEAN + OURS].correlation > 0.95
    scalp = measure_simulated(1)
    assert scalp[SHORT].error < 0.8 * scalp[WITH_SCALP].error
    assert scalp[SHORT].superficial < 0.5 * scalp[WITH_SCALP].superficial
