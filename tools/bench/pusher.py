"""A device: pushes one sample a period and notes when.

With several outlets the same sample goes to each, one after another by ``apart_s``, so that who
reads the one does not meet who reads the other.
"""

import threading
import time

import pylsl

from realtime.log import Origin, OriginKind
from realtime.sources.lsl.stream_info import stream_info
from tools.bench.child import listen, settings, tell
from tools.bench.stream import RATE, STREAM, bench_spec, intensities


def main() -> None:
    given = settings()
    names: list[str] = given["source_ids"]
    n_samples, apart_s = int(given["samples"]), float(given["apart_s"])
    spec = bench_spec()
    origin = Origin(OriginKind.SIMULATED, 1.0, pylsl.local_clock())
    outlets = [
        pylsl.StreamOutlet(stream_info(spec, name=STREAM, source_id=name, origin=origin)) for name in names
    ]
    rows = intensities(len(spec), n_samples).T.tolist()
    go, stopped = threading.Event(), threading.Event()

    def stop() -> None:
        stopped.set()
        go.set()

    listen(stop, go=go.set)
    tell("open")
    go.wait()
    first = pylsl.local_clock() + 0.05
    tell("first", stamp=first)
    pushed: list[list[float]] = [[] for _ in outlets]
    for index, row in enumerate(rows):
        if stopped.is_set():
            break
        stamp = first + index / RATE
        for place, outlet in enumerate(outlets):
            while (left := stamp + place * apart_s - pylsl.local_clock()) > 0:
                time.sleep(left)
            pushed[place].append(pylsl.local_clock())
            outlet.push_sample(row, stamp)
    tell("done", first=first, pushed=pushed)
    stopped.wait()  # the outlets stay until everybody has had the last sample


if __name__ == "__main__":
    main()
