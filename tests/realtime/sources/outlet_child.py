"""An outlet in a process of its own, so that it can be killed: each sample's values are its number.

Told in JSON: which channels (names of `intensity_spec`, by index), rate, source_id, samples at once at
the start, and whether to leave at once after them.
"""

import json
import os
import sys
import time

import pylsl

from realtime.log import Origin
from realtime.lsl_info import stream_info
from tests.realtime.support import intensity_spec


def main() -> None:
    told = json.loads(sys.argv[1])
    spec = intensity_spec(2, told["rate"]).pick(told["channels"])
    info = stream_info(spec, name=told["name"], source_id=told["source_id"], origin=Origin())
    outlet = pylsl.StreamOutlet(info, max_buffered=360)
    print("open", flush=True)
    while not outlet.wait_for_consumers(0.2):
        pass
    number, begin = 0, pylsl.local_clock()
    if told["burst_after"]:
        time.sleep(told["burst_after"])
        for number in range(told["burst"]):
            outlet.push_sample([number] * len(spec), begin + number / told["rate"])
        time.sleep(0.1)  # liblsl sends in a thread of its own
        os._exit(0)
    while True:
        due = begin + number / told["rate"]
        time.sleep(max(due - pylsl.local_clock(), 0.0))
        # The channel's place in the whole montage is the fraction: who receives it can tell rows.
        outlet.push_sample([number + channel / 8 for channel in told["channels"]], due)
        number += 1


if __name__ == "__main__":
    main()
