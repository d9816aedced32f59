"""NIfTI files as converters write them beside a scanner: whole numbers with a slope, packed or not."""

import gzip

import nibabel
import numpy as np

from realtime.sources.scanner.emulated import mark
from tools.emulators.scanner.images import ExportedSeries, ExportedVolume

SLOPE = 0.5
"""What stored values are to be multiplied by: a reader that forgets it is found out."""


def nifti(series: ExportedSeries, volume: ExportedVolume) -> list[bytes]:
    """One ``.nii``."""
    stored = np.clip(np.rint(volume.data / SLOPE), -32768, 32767).astype(np.int16)
    header = nibabel.Nifti1Header()
    header.set_data_shape(stored.shape)
    header.set_data_dtype(np.int16)
    header.set_sform(volume.grid.affine_mm, 1)
    header.set_qform(volume.grid.affine_mm, 1)
    header.set_slope_inter(SLOPE, 0.0)
    header.set_xyzt_units("mm", "sec")
    header["pixdim"][4] = series.tr
    header["descrip"] = mark(series.origin).encode()
    header["magic"], header["vox_offset"] = b"n+1", 352
    return [header.binaryblock + bytes(4) + stored.tobytes(order="F")]


def packed_nifti(series: ExportedSeries, volume: ExportedVolume) -> list[bytes]:
    """One ``.nii.gz``."""
    return [gzip.compress(one, 1, mtime=0) for one in nifti(series, volume)]
