"""Files that were emulated say so in themselves, so that none is ever taken for a live scanner's.

DICOM has it in ImageComments, NIfTI in ``descrip``: ``hemostream simulated speed=10``.
"""

import re

from realtime.log import Origin, OriginKind

_MARK = re.compile(r"hemostream (replayed|simulated) speed=([0-9][0-9.e+-]{0,11})")
_FASTEST = 1e4


def mark(origin: Origin) -> str:
    """What a file carries whose volumes are not a live scanner's; at most 60 characters."""
    return f"hemostream {origin.kind.value} speed={origin.speed:g}"


def origin_of(text: str) -> Origin:
    """What a file's comment says of its origin; live where it says nothing of ours."""
    found = _MARK.search(text)
    if found is None:
        return Origin()
    try:
        speed = float(found[2])
    except ValueError:
        speed = 1.0
    return Origin(OriginKind(found[1]), speed if 1 / _FASTEST <= speed <= _FASTEST else 1.0)
