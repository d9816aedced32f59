"""DICOM files as scanners write them: a Siemens mosaic, an enhanced file of frames, single slices.

Only made elements are in them: no person, no institution.
"""

import io
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from models.arrays import Floats
from realtime.sources.scanner.emulated import mark
from realtime.volumes.slices import RAS_OF_LPS
from tools.emulators.scanner.images import ExportedSeries, ExportedVolume


def mosaic(series: ExportedSeries, volume: ExportedVolume) -> list[bytes]:
    """One file: all slices as tiles, with as much of Siemens' header as places them."""
    stored = volume.stored
    rows, columns, slices = stored.shape
    tiles = math.ceil(math.sqrt(slices))
    sheet = np.zeros((tiles, rows, tiles, columns), np.uint16)
    for index in range(slices):
        sheet[index // tiles, :, index % tiles, :] = stored[..., index]
    elements = _elements(series, volume, MRImageStorage)
    elements.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    elements.InstanceNumber = volume.number
    lies = _Lies(volume)
    down, along = lies.down * lies.edges[0], lies.along * lies.edges[1]
    beside = (tiles - 1) / 2
    elements.ImagePositionPatient = _texts(lies.first - beside * rows * down - beside * columns * along)
    lies.onto(elements)
    elements.AcquisitionMatrix = [rows, 0, 0, columns]
    block = elements.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    fields = {"NumberOfImagesInMosaic": [str(slices)], "SliceNormalVector": [f"{x:.8f}" for x in lies.normal]}
    block.add_new(0x10, "OB", csa_header(fields))
    return [_bytes(elements, sheet.reshape(tiles * rows, tiles * columns))]


def enhanced(series: ExportedSeries, volume: ExportedVolume) -> list[bytes]:
    """One file: a frame a slice, described one by one, in an order that is not that of their places."""
    stored = volume.stored
    lies = _Lies(volume)
    order = [
        *range(1, stored.shape[2], 2),
        *range(0, stored.shape[2], 2),
    ]  # interleaved, as they are acquired
    elements = _elements(series, volume, EnhancedMRImageStorage)
    elements.ImageType = ["ORIGINAL", "PRIMARY", "FMRI", "NONE"]
    elements.InstanceNumber = volume.number
    elements.NumberOfFrames = len(order)
    for name in ("RepetitionTime", "AcquisitionDate", "AcquisitionTime"):
        delattr(elements, name)
    measures, orientation, timing = Dataset(), Dataset(), Dataset()
    lies.onto(measures, orientation)
    timing.RepetitionTime = series.tr * 1000
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    shared.MRTimingAndRelatedParametersSequence = [timing]
    elements.SharedFunctionalGroupsSequence = [shared]
    elements.PerFrameFunctionalGroupsSequence = [_frame(lies, index, volume) for index in order]
    return [_bytes(elements, np.moveaxis(stored, 2, 0)[order])]


def slices(series: ExportedSeries, volume: ExportedVolume) -> list[bytes]:
    """A file a slice, numbered through one volume after the other."""
    stored = volume.stored
    lies = _Lies(volume)
    out = []
    for index in range(stored.shape[2]):
        elements = _elements(series, volume, MRImageStorage)
        elements.ImageType = ["ORIGINAL", "PRIMARY", "EPI", "NONE"]
        elements.InstanceNumber = (volume.number - 1) * stored.shape[2] + index + 1
        elements.SOPInstanceUID = generate_uid(entropy_srcs=[series.uid, str(volume.number), str(index)])
        elements.file_meta.MediaStorageSOPInstanceUID = elements.SOPInstanceUID
        elements.ImagePositionPatient = _texts(lies.first + index * lies.step)
        lies.onto(elements)
        out.append(_bytes(elements, stored[..., index]))
    return out


Write = Callable[[ExportedSeries, ExportedVolume], list[bytes]]


def csa_header(fields: Mapping[str, Sequence[str]]) -> bytes:
    """Siemens' header (``SV10``) of some fields of text."""
    out = bytearray(b"SV10\x04\x03\x02\x01" + struct.pack("<II", len(fields), 77))
    for name, values in fields.items():
        vr = b"IS\0\0" if len(values) == 1 else b"FD\0\0"
        out += name.encode().ljust(64, b"\0")
        out += struct.pack("<i4siii", len(values), vr, 6, 6, 77)
        for word in [value.encode() + b"\0" for value in values] + [b""] * (6 - len(values)):
            out += struct.pack("<4i", len(word), len(word), 77, len(word))
            out += word + b"\0" * (-len(word) % 4)
    return bytes(out)


class _Lies:
    """How the slices of a volume lie, in DICOM's directions."""

    def __init__(self, volume: ExportedVolume) -> None:
        affine = RAS_OF_LPS @ volume.grid.affine_mm
        self.edges: Floats = volume.grid.voxel_mm
        self.down, self.along, self.normal = (affine[:3, axis] / self.edges[axis] for axis in range(3))
        self.first, self.step = affine[:3, 3], affine[:3, 2]

    def onto(self, measures: Dataset, orientation: Dataset | None = None) -> None:
        """Write it down."""
        measures.PixelSpacing = _texts(self.edges[:2])
        measures.SliceThickness = _texts(self.edges[2:])[0]
        measures.SpacingBetweenSlices = _texts(self.edges[2:])[0]
        (measures if orientation is None else orientation).ImageOrientationPatient = _texts(
            np.concatenate([self.along, self.down])
        )


def _frame(lies: _Lies, index: int, volume: ExportedVolume) -> Dataset:
    place, content, value, out = Dataset(), Dataset(), Dataset(), Dataset()
    place.ImagePositionPatient = _texts(lies.first + index * lies.step)
    content.StackID, content.InStackPositionNumber, content.TemporalPositionIndex = (
        "1",
        index + 1,
        volume.number,
    )
    content.FrameAcquisitionDateTime = _clock(volume.acquired).strftime("%Y%m%d%H%M%S.%f")
    value.RescaleSlope, value.RescaleIntercept, value.RescaleType = 1, 0, "US"
    out.PlanePositionSequence = [place]
    out.FrameContentSequence = [content]
    out.PixelValueTransformationSequence = [value]
    return out


def _elements(series: ExportedSeries, volume: ExportedVolume, kind: UID) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[series.uid, str(volume.number)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    out.SOPClassUID, out.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    out.Modality, out.Manufacturer = "MR", "hemostream"
    out.StudyInstanceUID = generate_uid(entropy_srcs=["hemostream study", series.uid])
    out.SeriesInstanceUID, out.SeriesNumber = series.uid, series.number
    out.SeriesDescription, out.ImageComments = series.description, mark(series.origin)
    out.RepetitionTime = series.tr * 1000
    at = _clock(volume.acquired)
    out.AcquisitionDate, out.AcquisitionTime = at.strftime("%Y%m%d"), at.strftime("%H%M%S.%f")
    return out


def _bytes(elements: FileDataset, image: "np.typing.NDArray[np.uint16]") -> bytes:
    elements.Rows, elements.Columns = image.shape[-2:]
    elements.SamplesPerPixel, elements.PhotometricInterpretation = 1, "MONOCHROME2"
    elements.BitsAllocated, elements.BitsStored, elements.HighBit = 16, 16, 15
    elements.PixelRepresentation = 0
    elements.PixelData = np.ascontiguousarray(image, "<u2").tobytes()
    out = io.BytesIO()
    dcmwrite(out, elements, enforce_file_format=True)
    return out.getvalue()


def _texts(values: Floats) -> list[str]:
    """Numbers as DICOM's decimal strings, of at most 16 characters."""
    return [f"{float(value):.10g}"[:16] for value in values]


def _clock(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
