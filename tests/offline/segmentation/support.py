"""Small images in which a ball and a box are to be found."""

from pathlib import Path

import nibabel
import numpy as np

from offline.segmentation.cases import IMAGES, LABELS

VALUES = (0, 1, 2)


def write_case(folder: Path, name: str, seed: int, *, size: int = 20, voxel: float = 1.0) -> None:
    """An image of noise with a bright ball (1) and a brighter box (2), and its labels."""
    rng = np.random.default_rng(seed)
    x, y, z = np.indices((size,) * 3)
    a, b, c = rng.uniform(size * 0.3, size * 0.45, 3)
    labels = np.zeros((size,) * 3, np.uint8)
    labels[(x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 < (size * 0.18) ** 2] = 1
    corner = int(size * 0.6) + rng.integers(0, 2)
    labels[corner : corner + 5, corner : corner + 5, corner : corner + 5] = 2
    image = rng.normal(100, 5, labels.shape) + 60 * (labels == 1) + 120 * (labels == 2)
    affine = np.diag([voxel, voxel, voxel, 1.0])
    for where, values in ((IMAGES, image.astype(np.float32)), (LABELS, labels)):
        (folder / where).mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(values, affine), folder / where / f"{name}.nii.gz")


def write_cases(folder: Path, n: int) -> Path:
    for k in range(n):
        write_case(folder, f"case-{k}", k)
    return folder
