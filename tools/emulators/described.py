"""A recording as its own describing streams: ``full`` as hemostream does, ``xdf`` as the convention can,
``bare`` without a word.
"""

from xml.etree import ElementTree as ET

from realtime.channels.lsl_description import describe
from realtime.log import Origin
from realtime.signal import Kind, SignalSpec
from realtime.sources.recording import Recording
from tools.emulators.base import EmulatedStream, description, sent


def full(recording: Recording, origin: Origin) -> EmulatedStream:
    """Every channel with all that is known of it.

    Parameters
    ----------
    recording : Recording
        Any signal.
    origin : Origin
        Where the samples come from.
    """
    desc = describe(recording.spec, origin)
    return _sent(recording, desc)


def xdf(recording: Recording, origin: Origin) -> EmulatedStream:
    """Every channel with what the XDF wiki's convention has a field for, and nothing of ours but the origin.

    Parameters
    ----------
    recording : Recording
        Any signal.
    origin : Origin
        Where the samples come from.
    """
    desc = describe(recording.spec, origin)
    ours = desc.find("hemostream")
    kept = None if ours is None else ours.find("remainder")
    if ours is not None and kept is not None:
        ours.remove(kept)
    return _sent(recording, desc)


def bare(recording: Recording, origin: Origin) -> EmulatedStream:
    """No channel described.

    Parameters
    ----------
    recording : Recording
        Any signal.
    origin : Origin
        Where the samples come from.
    """
    return _sent(recording, description(origin))


def _sent(recording: Recording, desc: ET.Element) -> EmulatedStream:
    return EmulatedStream(
        recording.name,
        content_of(recording.spec),
        recording.spec.rate,
        desc,
        sent(recording),
        dtype="double64",
    )


def content_of(spec: SignalSpec) -> str:
    """LSL's content type: ``fMRI`` where all channels are BOLD regions, else ``NIRS``."""
    return "fMRI" if spec.kinds == (Kind.BOLD,) else "NIRS"
