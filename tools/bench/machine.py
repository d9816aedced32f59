"""On which machine, with which versions."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path


def describe_machine() -> dict[str, object]:
    """What a figure of speed means nothing without; JSON types."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "numpy", "scipy", "mne", "pylsl", "aiomqtt")},
        "load_average": load_average(),
    }


def load_average() -> list[float] | None:
    """Busy processes over the last 1, 5 and 15 minutes; None where the system does not count them."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
