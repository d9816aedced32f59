"""What liblsl's own post-processing makes of the sources of the clock's bench.

`pylsl`'s ``proc_ALL`` adds the clocks' offset, smooths the stamps and makes them rise; it works on each
sample's stamp, whenever that comes.  So a source is pushed through a real outlet and inlet on this machine as
fast as it goes, with its stamps, and what comes out is held against the true times.  Both ends have one
clock: families that are about comparisons of two clocks cannot be had this way.
"""

import math
import uuid

import numpy as np
import pylsl

from models.arrays import Floats
from tools.bench.clock_sources import KnownSource

WAIT_S = 10.0
"""Longest wait for a stream, and for its samples, s."""
ROOM = 4
"""So many times the samples of a source find room in liblsl's buffers."""
IRREGULAR_HZ = 100.0
"""How many samples a second liblsl makes room for where no rate is declared."""


def can_be_had(source: KnownSource) -> bool:
    """Whether a source needs no second clock."""
    return not source.comparisons and not source.restarts


def proc_all_errors(source: KnownSource) -> Floats:
    """How wrong ``proc_ALL`` leaves the times of a source, (n_samples,) s.

    Parameters
    ----------
    source : KnownSource
        Without comparisons: see `can_be_had`.

    Raises
    ------
    RuntimeError
        Its stream was not found, or not all of its samples came.
    """
    n = len(source.stamps)
    room = math.ceil(ROOM * n / (source.nominal or IRREGULAR_HZ)) + 1
    name = f"clock-bench-{uuid.uuid4().hex}"
    info = pylsl.StreamInfo(name, "bench", 1, source.nominal, pylsl.cf_double64, name)
    outlet = pylsl.StreamOutlet(info, max_buffered=room)
    found = pylsl.resolve_byprop("name", name, timeout=WAIT_S)
    if not found:
        raise RuntimeError(
            f"The stream {name} was not found within {WAIT_S:g} s; expected it on this machine."
        )
    inlet = pylsl.StreamInlet(found[0], max_buflen=room, recover=False, processing_flags=pylsl.proc_ALL)
    inlet.open_stream(timeout=WAIT_S)
    inlet.time_correction(timeout=WAIT_S)  # the first one takes a while, and is made with the first sample
    for i, stamp in enumerate(source.stamps.tolist()):
        outlet.push_sample([float(i)], stamp)
    values, times = inlet.pull_chunk(timeout=WAIT_S, max_samples=n)
    inlet.close_stream()
    which = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(which) != n or not np.array_equal(which, np.arange(n)):
        raise RuntimeError(f"Of {n} samples {len(which)} came within {WAIT_S:g} s; expected all, in order.")
    return np.abs(np.asarray(times) - source.true)
