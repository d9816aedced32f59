"""An atlas from files: a label NIfTI, and a side file that names its regions.

The side file is a table ``index, name`` (BIDS ``dseg.tsv``, also separated by commas), or lines of a number
and a
name (FreeSurfer, FSLeyes), or a name a line for regions 1, 2, 3 ...  Without ``--region-names`` one of the
atlas'
own name beside it is taken (``.tsv``, ``.csv``, ``.txt``, ``.lut``).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from models.errors import SignalError, VolumeError
from models.outside import printable
from realtime.volumes.atlas import MOST_REGIONS, Atlas
from realtime.volumes.volume import VoxelGrid

BESIDE = (".tsv", ".csv", ".txt", ".lut")
MOST_VOXELS = 2**28
_LINE = re.compile(r"\s*(\d{1,9})[\s,:]+(\S.*?)(?:\s+\d+(?:\s+\d+){2,3})?\s*")
_NOTHING = ("background", "unknown")
"""Names under which a table lists label 0."""


def read_atlas(path: Path, names: Path | None = None) -> Atlas:
    """Read a label image and the names of its regions.

    Parameters
    ----------
    path : Path
        NIfTI of three dimensions whose values are whole numbers.
    names : Path or None
        Side file; None takes one beside the atlas, and calls regions by their number where there is none.

    Raises
    ------
    VolumeError
        It is no label image, or the names do not fit it.
    """
    try:
        image: Any = nibabel.load(path)
        shape = tuple(n for n in image.shape)
        if len(shape) == 4 and shape[3] == 1:
            shape = shape[:3]
        if len(shape) != 3 or int(np.prod(shape, dtype=object)) > MOST_VOXELS:
            raise VolumeError(f"Atlas {path} has the shape {shape}; expected three dimensions.")
        values = np.asarray(image.dataobj).reshape(shape)
        grid = VoxelGrid(shape, image.affine)
    except FileNotFoundError as error:
        raise VolumeError(f"Atlas {path} is not there. Give a label NIfTI with --atlas.") from error
    except (ImageFileError, HeaderDataError, OSError, ValueError, EOFError, SignalError) as error:
        raise VolumeError(f"Atlas {path} cannot be read: {error}") from error
    labels = whole_labels(values, str(path))
    side = names or next((s for s in map(_stem(path).with_suffix, BESIDE) if s.is_file()), None)
    return named_atlas(labels, grid, {} if side is None else read_names(side), path.name)


def atlas_of_nilearn(fetched: Mapping[str, Any], title: str = "nilearn") -> Atlas:
    """What one of nilearn's ``fetch_atlas_...`` gave: its ``maps`` and ``labels``.

    Parameters
    ----------
    fetched : mapping
        With ``maps``, a path or an image of labels, ``labels``, names, and perhaps ``lut``, a table of both.
    title : str
        What the atlas is called.

    Raises
    ------
    VolumeError
        It is an atlas of probabilities, or of several images.
    """
    maps = fetched["maps"]
    image: Any = maps if hasattr(maps, "dataobj") else nibabel.load(maps)
    labels = whole_labels(np.asarray(image.dataobj), title)
    grid = VoxelGrid(labels.shape, image.affine)
    table = fetched.get("lut")
    if table is not None:
        names = {int(i): str(n) for i, n in zip(table["index"], table["name"], strict=True)}
    else:
        listed = [n.decode() if isinstance(n, bytes) else str(n) for n in fetched["labels"]]
        first = 0 if listed and listed[0].lower() in _NOTHING else 1
        present = [int(i) for i in np.unique(labels) if i]
        names = dict(zip(present, listed[1 - first :], strict=False))
    return named_atlas(labels, grid, names, title)


def whole_labels(values: npt.NDArray[Any], title: str) -> npt.NDArray[np.int32]:
    """The values of an atlas, (x, y, z) int or float, as labels, (x, y, z) int32.

    Raises
    ------
    VolumeError
        They are no whole numbers from 0 on.
    """
    if values.ndim != 3 or values.dtype.kind not in "iuf":
        raise VolumeError(
            f"Atlas {title} has {values.ndim} dimensions of {values.dtype}; expected labels in three."
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() >= 2**31:
        raise VolumeError(
            f"Atlas {title} has values {values.min()} to {values.max()}; expected labels from 0 on."
        )
    labels = values.astype(np.int32)
    if not np.array_equal(labels, values):
        raise VolumeError(
            f"Atlas {title} has values that are no whole numbers; expected a label image, not probabilities."
        )
    return labels


def named_atlas(
    labels: npt.NDArray[np.int32], grid: VoxelGrid, names: Mapping[int, str], title: str
) -> Atlas:
    """An atlas of (x, y, z) int32 labels whose regions have the names given, and else their number.

    Raises
    ------
    VolumeError
        No name fits a region, or there are too many regions.
    """
    present = [int(number) for number in np.unique(labels) if number]
    if names and not set(names) & set(present):
        raise VolumeError(
            f"Atlas {title!r} has regions {_few(present)}; the names are of {_few(sorted(names))}. Give "
            f"the side "
            "file that belongs to it."
        )
    if len(present) > MOST_REGIONS:
        raise VolumeError(f"Atlas {title!r} has {len(present)} regions; expected at most {MOST_REGIONS}.")
    called = {number: names.get(number) or f"region {number}" for number in present}
    counted: dict[str, int] = {}
    for name in called.values():
        counted[name] = counted.get(name, 0) + 1
    return Atlas(
        labels,
        grid,
        {number: name if counted[name] == 1 else f"{name} {number}" for number, name in called.items()},
        title,
    )


def read_names(path: Path) -> dict[int, str]:
    """The names of a side file, by region.

    Raises
    ------
    VolumeError
        It is no such table.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VolumeError(f"Region names {path} cannot be read: {error}") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or len(lines) > 10 * MOST_REGIONS:
        raise VolumeError(f"Region names {path} has {len(lines)} lines; expected one a region.")
    separator = "\t" if "\t" in lines[0] else ","
    head = [cell.strip().lower() for cell in lines[0].split(separator)]
    if "index" in head and "name" in head:
        rows = [line.split(separator) for line in lines[1:]]
        pairs = [(_cell(row, head.index("index")), _cell(row, head.index("name"))) for row in rows]
    else:
        found = [_LINE.fullmatch(line) for line in lines]
        if all(found):
            pairs = [(one[1], one[2]) for one in found if one is not None]
        else:
            pairs = [(str(number), line.strip()) for number, line in enumerate(lines, start=1)]
    out: dict[int, str] = {}
    for number, name in pairs:
        if not number.isascii() or not number.isdecimal() or not name or int(number) in out:
            raise VolumeError(
                f"Region names {path} has {number!r}, {name[:40]!r}; expected each number once, with a name "
                "(columns index and name)."
            )
        out[int(number)] = printable(name, 100)
    return out


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip().strip('"') if at < len(row) else ""


def _stem(path: Path) -> Path:
    name = path.name
    for suffix in (".nii.gz", ".nii"):
        if name.lower().endswith(suffix):
            return path.with_name(name[: -len(suffix)] + ".x")
    return path


def _few(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")
