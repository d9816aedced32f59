"""A DICOM file of a scanner to images: a mosaic, an enhanced file, or one slice of a volume, told apart by
what it holds."""

from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from models.errors import UnfinishedVolumeError, VolumeError
from realtime.sources.scanner.dicom_values import (
    acquired_at,
    needed,
    number,
    numbers,
    parse,
    pixels,
    repetition_time,
    scaled,
    text,
    whole,
)
from realtime.sources.scanner.emulated import origin_of
from realtime.sources.scanner.enhanced import is_enhanced, read_enhanced
from realtime.sources.scanner.image import ScannerImage, SlicePosition
from realtime.sources.scanner.mosaic import is_mosaic, read_mosaic
from realtime.sources.scanner.plane import plane_of
from realtime.volumes.slices import grid_of_slices

MOST_INSTANCES = 2**31 - 1


def read_dicom(content: bytes) -> list[ScannerImage]:
    """The images of a DICOM file.

    Parameters
    ----------
    content : bytes
        Of the file, all of it.

    Returns
    -------
    list of ScannerImage
        One, or as many as an enhanced file holds.

    Raises
    ------
    UnfinishedVolumeError
        It ends before it holds what it declares.
    VolumeError
        It is no image of a scanner that can be read.
    """
    elements = parse(content)
    series = text(elements, "SeriesInstanceUID")
    if not series:
        raise UnfinishedVolumeError("The file ends before it says SeriesInstanceUID.")
    instance = needed(elements, "InstanceNumber", 0, MOST_INSTANCES)
    origin = origin_of(text(elements, "ImageComments"))
    called = " ".join(filter(None, (text(elements, name) for name in ("SeriesNumber", "SeriesDescription"))))
    base = {"series": series, "uid": text(elements, "SOPInstanceUID"), "origin": origin, "called": called}
    tr, acquired = repetition_time(elements), acquired_at(elements)
    if is_enhanced(elements):
        found = read_enhanced(elements)
        first = (instance - 1) * len(found) + 1 if len(found) > 1 else instance
        return [
            ScannerImage(
                data=data,
                grid=grid,
                number=first + index,
                form="enhanced",
                tr=own_tr or tr,
                acquired=own_time if own_time is not None else acquired,
                **base,  # type: ignore[arg-type]
            )
            for index, (data, grid, own_tr, own_time) in enumerate(found)
        ]
    if is_mosaic(elements):
        data, grid = read_mosaic(elements)
        return [ScannerImage(data, grid, number=instance, form="mosaic", tr=tr, acquired=acquired, **base)]  # type: ignore[arg-type]
    image = _slice(elements, instance)
    return [replace(image, tr=tr, acquired=acquired, **base)]  # type: ignore[arg-type]


def _slice(elements: Dataset, instance: int) -> ScannerImage:
    """One slice, and where it belongs."""
    frames = whole(elements, "NumberOfFrames", 1, 2**20) or 1
    if frames != 1:
        raise VolumeError(
            f"The file has {frames} frames that nothing describes; expected enhanced DICOM, a mosaic or "
            f"one slice."
        )
    stored = pixels(elements, 1)[0]
    where = numbers(elements, "ImagePositionPatient", 3)
    if where is None:
        raise VolumeError("The image has no ImagePositionPatient: it is no slice of a volume.")
    grid, _ = grid_of_slices(plane_of(elements), where[None], *stored.shape)
    data = scaled(stored, number(elements, "RescaleSlope"), number(elements, "RescaleIntercept"))
    times = whole(elements, "NumberOfTemporalPositions", 1, 2**20)
    images = whole(elements, "ImagesInAcquisition", 1, 2**30)
    per_volume = images // times if images and times and images % times == 0 else None
    position = SlicePosition(
        instance, where, whole(elements, "TemporalPositionIdentifier", 1, 2**31), per_volume
    )
    return ScannerImage(
        np.ascontiguousarray(data[..., None]),
        grid,
        series="",
        number=instance,
        uid="",
        form="slices",
        tr=None,
        acquired=None,
        slice_of=position,
    )
