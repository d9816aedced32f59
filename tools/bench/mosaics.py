"""A folder of Siemens mosaics as volumes, read by nibabel, which shares nothing with hemostream's reader."""

import warnings
from pathlib import Path

import numpy as np

from realtime.volumes.volume import Volume, VoxelGrid

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""nibabel's DICOM affines lead to the patient's left and back, hemostream's to their right and front."""


def read_mosaics(folder: Path, every: int = 1) -> list[Volume]:
    """Every n-th volume of a folder, in the order of names, numbered as in the folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # says that its DICOM readers are experimental
        from nibabel.nicom.dicomwrappers import wrapper_from_file
    volumes = []
    files = sorted(folder.glob("*.dcm"))
    for number in range(1, len(files) + 1, every):
        mosaic = wrapper_from_file(files[number - 1])
        data = np.ascontiguousarray(mosaic.get_data(), dtype=np.float32)
        grid = VoxelGrid(data.shape, LPS_TO_RAS @ mosaic.affine)
        volumes.append(Volume(data, grid, folder.name, number, None, None, 0.0))
    return volumes


def read_spm(file: Path) -> np.ndarray:
    """SPM's six numbers of each volume: (n, 6) float64, mm and rad."""
    return np.loadtxt(file, skiprows=1)[:, 1:]
