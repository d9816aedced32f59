"""Small files of a scanner, and damage that leaves their form whole: other elements, other header fields."""

import gzip
import io
import struct
import warnings
from collections.abc import Mapping

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tools.emulators.scanner.formats import FORMATS
from tools.emulators.scanner.images import ExportedSeries
from tools.emulators.scanner.phantom import Phantom, block_signals, ellipsoid_atlas, head_grid, slow_moves
from tools.fuzz.damage import EXTREMES, Random

Input = Mapping[str, bytes]
_TEXTS = (
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "1e308",
    "1\\2",
    "x",
    "\\\\",
    "99999999999999",
    "1.2.840.10008.1.2.4.70",
)


def _written(form: str) -> bytes:
    grid = head_grid((6, 5, 4), 30.0)
    (volume,) = Phantom(ellipsoid_atlas(grid), grid).run(
        block_signals(8, 1, 1.5), slow_moves(1, 0.0, 0.0), 1.5
    )
    return FORMATS[form].write(ExportedSeries("1.2.826.0.1.7", 7, "run", 1.5), volume)[0]


def dicom() -> list[Input]:
    """A mosaic, an enhanced file and a slice."""
    return [{"x.dcm": _written(form)} for form in ("mosaic", "enhanced", "slices")]


def nifti() -> list[Input]:
    """One plain, one packed."""
    return [{"x.nii": _written("nifti")}, {"x.nii.gz": _written("nifti-gz")}]


def dicom_elements(data: bytes, random: Random) -> bytes:
    """Other values in one to three elements, at any depth; some are taken out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        elements = pydicom.dcmread(io.BytesIO(data))
        for _ in range(int(random.integers(1, 4))):
            _change(elements, random)
        out = io.BytesIO()
        pydicom.dcmwrite(out, elements)
    return out.getvalue()


def _change(elements: Dataset, random: Random) -> None:
    tags = list(elements.keys())
    if not tags:
        return
    tag = tags[int(random.integers(0, len(tags)))]
    element = elements.get_item(tag)  # as it stands: one that was changed already may have no value
    assert element is not None
    if element.VR == "SQ" and random.random() < 0.8:
        inner = elements[tag].value
        if isinstance(inner, Sequence) and len(inner):
            _change(inner[int(random.integers(0, len(inner)))], random)
            return
    extreme = int(random.choice(np.array(EXTREMES[:10], dtype=np.int64)))
    match int(random.integers(0, 5)):
        case 0:
            del elements[tag]
            return
        case 1:
            found = struct.pack("<H", extreme & 0xFFFF)
        case 2:
            found = "\\".join(str(random.choice(_TEXTS)) for _ in range(int(random.integers(0, 7)))).encode()
        case 3:
            found = random.bytes(int(random.integers(0, 64)))
        case _:
            found = str(random.choice(_TEXTS)).encode()
    found += b" " * (len(found) % 2)
    # Raw, as it would be read: the library would refuse to write most of it as a value.
    elements[tag] = RawDataElement(tag, element.VR, len(found), found, 0, False, True)


def nifti_header(files: Input, random: Random) -> Input:
    """Other values in a field of the header, whether it is packed or not."""
    name = next(iter(files))
    packed = name.endswith(".gz")
    data = bytearray(gzip.decompress(files[name]) if packed else files[name])
    for _ in range(int(random.integers(1, 4))):
        at = int(
            random.choice(
                [0, 40, 42, 44, 46, 48, 70, 72, 76, 80, 84, 92, 108, 112, 116, 123, 252, 254, 280, 296]
            )
        )
        match int(random.integers(0, 3)):
            case 0:
                struct.pack_into("<h", data, at, int(random.integers(-(2**15), 2**15)))
            case 1:
                struct.pack_into(
                    "<f", data, at, float(random.choice([np.nan, np.inf, 0.0, -1.0, 1e30, 352.5]))
                )
            case _:
                data[at] = int(random.integers(0, 256))
    return {name: gzip.compress(bytes(data), 1, mtime=0) if packed else bytes(data)}
