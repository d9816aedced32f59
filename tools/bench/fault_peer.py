"""A peer of the fault bench: reads a stream as most scripts do, and notes what it would have decided on.

``python fault_peer.py CONDITION SOURCE_ID SECONDS``; needs only numpy and pylsl, or mne-lsl (``CONDITION``:
``pylsl`` with ``proc_ALL``, ``mne-lsl`` with its ``StreamLSL``), so that it runs in an environment of its
own.  Every second it takes the last 7 s as the library gives them and prints one JSON list:
``[local time, first stamp, last stamp, value of the last channel at the first sample, and at the last,
samples]``.
"""

import json
import sys
import time

LENGTH_S = 7.0
RATE = 10.0


def note(now: float, stamps: object, data: object) -> None:
    """Write down one decision: stamps (n,) in s, data (n, n_channels)."""
    import numpy as np

    times, values = np.asarray(stamps), np.asarray(data)
    ends = [float(value) if np.isfinite(value) else None for value in (values[0, -1], values[-1, -1])]
    print(json.dumps([now, float(times[0]), float(times[-1]), *ends, len(times)]), flush=True)


def with_pylsl(source_id: str, seconds: float) -> None:
    """A plain loop: every flag on, a window counted in samples, a decision each ten of them."""
    import numpy as np
    import pylsl

    length = round(LENGTH_S * RATE)
    info = pylsl.resolve_byprop("source_id", source_id, timeout=60)[0]
    inlet = pylsl.StreamInlet(info, max_buflen=360, processing_flags=pylsl.proc_ALL)
    held: list[tuple[float, list[float]]] = []
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sample, stamp = inlet.pull_sample(timeout=0.5)
        if sample is None:
            continue
        held = [*held, (stamp, sample)][-length:]
        count += 1
        if len(held) == length and count % round(RATE) == 0:
            note(
                pylsl.local_clock(),
                np.array([at for at, _ in held]),
                np.array([values for _, values in held]),
            )


def with_mne_lsl(source_id: str, seconds: float) -> None:
    """``StreamLSL`` with every flag on, asked for its last 7 s once a second."""
    from mne_lsl.lsl import local_clock  # type: ignore[import-not-found]
    from mne_lsl.stream import StreamLSL  # type: ignore[import-not-found]

    stream = StreamLSL(bufsize=LENGTH_S, source_id=source_id)
    stream.connect(acquisition_delay=0.02, processing_flags="all", timeout=60)
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        time.sleep(1.0)
        data, stamps = stream.get_data(winsize=LENGTH_S)
        if stamps[0] == 0 or stamps[-1] == last:
            continue  # not full yet, or nothing new
        last = stamps[-1]
        note(local_clock(), stamps, data.T)


if __name__ == "__main__":
    {"pylsl": with_pylsl, "mne-lsl": with_mne_lsl}[sys.argv[1]](sys.argv[2], float(sys.argv[3]))
