"""hemostream for notebooks: recordings, bundles, networks and stages by name.

Everything is imported when it is first used; ``dir(hemostream)`` lists what there is.

>>> import hemostream
>>> recording = hemostream.read("session.snirf")
>>> raw = recording.to_raw()
>>> bundle = hemostream.load_bundle("bundle")

Research use only: nothing here is a diagnosis.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.bundle import Bundle as Bundle
    from models.bundle import read_bundle as load_bundle
    from models.errors import HemostreamError as HemostreamError
    from models.networks.registry import NETWORKS as NETWORKS
    from offline.recordings import read_recording as read
    from offline.samples.recipe import load_recipe as load_recipe
    from realtime.sources.recording import Recording as Recording
    from realtime.stages import STAGES as STAGES

PUBLIC = {
    "Bundle": "models.bundle:Bundle",
    "HemostreamError": "models.errors:HemostreamError",
    "Recording": "realtime.sources.recording:Recording",
    "load_bundle": "models.bundle:read_bundle",
    "load_recipe": "offline.samples.recipe:load_recipe",
    "NETWORKS": "models.networks.registry:NETWORKS",
    "read": "offline.recordings:read_recording",
    "STAGES": "realtime.stages:STAGES",
}
"""Each public name, and where it stands."""

__all__ = [
    "NETWORKS",
    "STAGES",
    "Bundle",
    "HemostreamError",
    "Recording",
    "load_bundle",
    "load_recipe",
    "read",
]


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"hemostream has no {name!r}; expected one of {', '.join(PUBLIC)}.")
    module, attribute = PUBLIC[name].split(":")
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted(PUBLIC)
