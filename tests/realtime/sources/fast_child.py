"""An outlet in a process of its own that sends 20 kHz and declares another rate."""

import sys
import time

import numpy as np
import pylsl

from realtime.log import Origin
from realtime.sources.lsl.stream_info import stream_info
from tests.realtime.support import intensity_spec

HZ = 20_000
EVERY_S = 0.01


def main() -> None:
    name, declared = sys.argv[1], float(sys.argv[2])
    info = stream_info(intensity_spec(2, declared), name=name, source_id=name, origin=Origin())
    outlet = pylsl.StreamOutlet(info, max_buffered=2)
    print("open", flush=True)
    chunk = np.ones((int(HZ * EVERY_S), 4))
    due = pylsl.local_clock()
    while True:
        due += EVERY_S
        time.sleep(max(due - pylsl.local_clock(), 0.0))
        outlet.push_chunk(chunk, list(due + np.arange(len(chunk)) / HZ))


if __name__ == "__main__":
    main()
