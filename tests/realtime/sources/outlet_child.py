"""An outlet in a process of its own, so that it can be killed: each sample's values are its number.

Told in JSON: which channels (names of `intensity_spec`, by index), rate, source_id, and how many samples to
send at once and then no more; with `wait` it waits for a line behind the first of them.
"""

import json
import sys
import threading
import time

import pylsl

from realtime.log import Origin
from realtime.sources.lsl.stream_info import stream_info
from tests.realtime.support import intensity_spec


def main() -> None:
    reported = json.loads(sys.argv[1])
    spec = intensity_spec(2, reported["rate"]).pick(reported["channels"])
    info = stream_info(spec, name=reported["name"], source_id=reported["source_id"], origin=Origin())
    outlet = pylsl.StreamOutlet(info, max_buffered=360)
    print("open", flush=True)
    while not outlet.wait_for_consumers(0.2):
        pass
    number, begin = 0, pylsl.local_clock()
    if reported["burst"]:
        outlet.push_sample([0] * len(spec), begin)
        if reported["wait"]:
            sys.stdin.readline()
        for number in range(1, reported["burst"]):
            outlet.push_sample([number] * len(spec), begin + number / reported["rate"])
        print("sent", flush=True)
        threading.Event().wait()  # until it is killed
    while True:
        due = begin + number / reported["rate"]
        time.sleep(max(due - pylsl.local_clock(), 0.0))
        # The channel's place in the whole montage is the fraction: who receives it can tell rows.
        outlet.push_sample([number + channel / 8 for channel in reported["channels"]], due)
        number += 1


if __name__ == "__main__":
    main()
