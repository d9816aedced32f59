"""Side files: what a person says of a stream that does not (wholly) describe itself.

Two forms, distinguished by ``ChMontage``: all rows of an undescribed stream (`realtime.channels.montage`), or
only the geometry of one that describes its channels (`realtime.channels.geometry`).
"""

from pathlib import Path
from typing import Any

from models.errors import StreamError
from realtime.channels.geometry import Geometry
from realtime.channels.layout import StreamLayout
from realtime.channels.montage import layout_of_json, read_json

SideFile = StreamLayout | Geometry
"""What a side file may hold."""
OF_BUNDLE = Path("of the bundle")
"""What messages call the side file of a bundle's training."""


def read_side_file(path: Path) -> SideFile:
    """Read a side file of either form.

    Parameters
    ----------
    path : Path
        A JSON file.

    Raises
    ------
    StreamError
        Where the file is absent, no JSON, or holds neither form.
    """
    return side_file_of(read_json(path), path)


def side_file_of(values: Any, path: Path) -> SideFile:
    """What a side file's content says.

    Parameters
    ----------
    values : object
        JSON types.
    path : Path
        What to call it in messages.

    Raises
    ------
    StreamError
        It holds neither form.
    """
    if isinstance(values, dict) and "ChMontage" not in values:
        if "SourceDetectorSeparation" in values or "Optodes" in values:
            return Geometry.from_json(values, path)
        raise StreamError(
            f"Side file {path} has {', '.join(map(repr, values)) or 'nothing'}; expected 'ChMontage' (what "
            "each row is; form: realtime/channels/montage.py), or 'SourceDetectorSeparation' or 'Optodes' "
            "(distances for a stream that describes its channels; form: realtime/channels/geometry.py)."
        )
    return layout_of_json(values, path)
