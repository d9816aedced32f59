"""With which software something was computed."""

import platform
from importlib.metadata import PackageNotFoundError, version

NAMED = ("hemostream", "torch", "skorch", "scikit-learn", "numpy", "scipy", "mne")


def versions() -> dict[str, str]:
    """Version of each distribution that has a hand in results, and of Python."""
    found = {"python": platform.python_version()}
    for name in NAMED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # hemostream run from its source folder
            found[name] = "not installed"
    return found
