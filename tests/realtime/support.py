"""Small signals for the tests of the core."""

import numpy as np

from realtime.core import Core, Plan
from realtime.log import ClockMeasured, Origin, Received, SessionStarted, StreamOpened
from realtime.quality.policy import Policy
from realtime.signal import Channel, Kind, SignalSpec
from realtime.windows import Window

RATE = 10.0


def intensity_spec(pairs: int = 2, rate: float = RATE) -> SignalSpec:
    channels = [
        Channel(
            name=f"S{p}_D{p} {wavelength:.0f}",
            kind=Kind.INTENSITY,
            unit="V",
            source=p,
            detector=p,
            wavelength=wavelength,
            distance=0.03,
        )
        for p in range(1, pairs + 1)
        for wavelength in (760.0, 850.0)
    ]
    return SignalSpec(tuple(channels), rate)


def bold_spec(regions: int = 3, rate: float = 0.5) -> SignalSpec:
    channels = tuple(Channel(name=f"region {i}", kind=Kind.BOLD, unit="a.u.") for i in range(regions))
    return SignalSpec(channels, rate)


def intensities(spec: SignalSpec, samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(len(spec), samples)), axis=1)
    return np.exp(0.002 * walk + 0.005 * rng.normal(size=walk.shape))


FAST = (
    {"stage": "optical_density", "baseline_s": 2.0},
    {"stage": "resample", "rate": RATE, "measure_s": 2.0},
    {"stage": "beer_lambert"},
    {"stage": "bandpass", "low": 0.2, "high": 1.0},
    {"stage": "normalise", "memory_s": 20.0, "warmup_s": 3.0},
)
"""A pipeline that is warm after a few seconds."""


def fast_plan(
    spec: SignalSpec, *, length_s: float = 7.0, step_s: float = 1.0, policy: Policy | None = None
) -> Plan:
    return Plan(
        spec=spec,
        pipeline=FAST,
        length_s=length_s,
        step_s=step_s,
        labels=("rest", "task"),
        policy=policy or Policy(),
        model_hash="0" * 64,
    )


def opened_core(plan: Plan, spec: SignalSpec | None = None) -> Core:
    core = Core(plan)
    core.feed(SessionStarted(0.0, "bed-1", 1, plan.model_hash))
    core.feed(StreamOpened(0.0, spec or plan.spec, Origin(), "device", measured=True))
    core.feed(ClockMeasured(0.0, 0.0, 1.7e9, uncertainty=0.0))
    return core


def feed(core: Core, times: np.ndarray, data: np.ndarray, chunk: int = 10_000) -> list[Window]:
    given: list[Window] = []
    for at in range(0, len(times), chunk):
        stop = min(at + chunk, len(times))
        given += core.feed(Received(float(times[stop - 1]), times[at:stop], data[:, at:stop]))
    return given
