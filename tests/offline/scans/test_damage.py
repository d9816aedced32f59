"""Files with some bytes changed or cut off: read, or refused in words; nothing else."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from models.errors import HemostreamError
from offline.scans.adhd200_graphs import read_graph_file
from offline.scans.folder import read_array
from offline.scans.matlab import read_alff_file
from offline.scans.nifti import read_images


def image(path: Path, data: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), path)
    return path


@pytest.mark.parametrize("kind", ["npy", "nii", "nii.gz", "zip", "mat"])
def test_damage_is_reported_in_words(tmp_path, kind, request):
    rng = np.random.default_rng(0)
    if kind in ("zip", "mat"):
        folder = request.getfixturevalue("data_dir") / "adhd200"
        whole = (folder / ("KKI.zip" if kind == "zip" else "NYU_alff_ds.mat")).read_bytes()
        read, file = (read_graph_file if kind == "zip" else read_alff_file), tmp_path / f"KKI.{kind}"
    elif kind == "npy":
        file, read = tmp_path / "x.npy", read_array
        np.save(file, rng.normal(size=(9, 4)))
        whole = file.read_bytes()
    else:
        atlas = image(tmp_path / "atlas.nii", np.arange(64, dtype=np.int16).reshape(4, 4, 4) // 16)
        file = image(tmp_path / f"x.{kind}", rng.normal(size=(4, 4, 4, 5)))
        whole = file.read_bytes()

        def read(path):
            return read_images([path], atlas)

    reported = []
    for k in range(45):
        data = bytearray(whole)
        if k % 3 == 0:
            data = data[: rng.integers(0, len(data))]
        for _ in range(k % 5 if k % 3 else 0):
            data[rng.integers(0, min(len(data), 400) if k % 2 else len(data))] = rng.integers(256)
        file.write_bytes(data)
        try:
            read(file)
        except HemostreamError as error:
            reported.append(str(error))
    assert len(reported) >= 15  # at least those that were cut off
    assert all(file.name in each for each in reported)
