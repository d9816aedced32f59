"""In which files an emulated scanner exports: `FORMATS`."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.emulators.scanner.dicom_writer import Write, enhanced, mosaic, slices
from tools.emulators.scanner.images import ExportedSeries
from tools.emulators.scanner.nifti_writer import nifti, packed_nifti


@dataclass(frozen=True)
class ExportFormat:
    """A kind of file.

    Parameters
    ----------
    write : callable
        From a series and a volume to the files' contents.
    suffix : str
        Of their names.
    """

    write: Write
    suffix: str

    def names(self, series: ExportedSeries, number: int, files: int) -> list[str]:
        """What the files of a volume are called, as Siemens' exporter does: series, then instance."""
        first = (number - 1) * files + 1
        return [f"001_{series.number:06d}_{first + index:06d}{self.suffix}" for index in range(files)]


FORMATS: Mapping[str, ExportFormat] = {
    "mosaic": ExportFormat(mosaic, ".dcm"),
    "enhanced": ExportFormat(enhanced, ".dcm"),
    "slices": ExportFormat(slices, ".dcm"),
    "nifti": ExportFormat(nifti, ".nii"),
    "nifti-gz": ExportFormat(packed_nifti, ".nii.gz"),
}
"""By name."""
