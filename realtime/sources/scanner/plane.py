"""How the slices of a DICOM image lie: `plane_of`."""

from pydicom.dataset import Dataset

from models.errors import UnfinishedVolumeError, VolumeError
from realtime.sources.scanner.dicom_values import number, numbers
from realtime.volumes.slices import SlicePlane


def plane_of(elements: Dataset, measures: Dataset | None = None) -> SlicePlane:
    """Orientation and distances.

    Parameters
    ----------
    elements : Dataset
        That holds ImageOrientationPatient.
    measures : Dataset or None
        That holds PixelSpacing, SliceThickness and SpacingBetweenSlices; the same where None.

    Raises
    ------
    VolumeError
        One is lacking, or is no geometry.
    """
    measures = elements if measures is None else measures
    orientation = numbers(elements, "ImageOrientationPatient", 6)
    spacing = numbers(measures, "PixelSpacing", 2)
    if orientation is None or spacing is None:
        lacking = "ImageOrientationPatient" if orientation is None else "PixelSpacing"
        if "Rows" not in elements and measures is elements:
            raise UnfinishedVolumeError(f"The file ends before it says {lacking}.")
        raise VolumeError(f"The image has no {lacking}. Set the export to keep the geometry.")
    distance = number(measures, "SpacingBetweenSlices") or number(measures, "SliceThickness")
    if distance is None:
        raise VolumeError("The image has neither SpacingBetweenSlices nor SliceThickness; expected one, mm.")
    return SlicePlane(orientation, spacing, abs(distance))
