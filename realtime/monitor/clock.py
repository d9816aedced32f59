"""The monitor's clock: it never steps, and it goes on while the machine sleeps."""

import time


def server_clock() -> float:
    """Seconds since some moment that stays the same for as long as this machine is up, sleep included."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
