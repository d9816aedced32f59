"""An atlas as files: a label NIfTI, and the table of its names beside it (BIDS ``dseg.tsv``)."""

from pathlib import Path

import nibabel
import numpy as np

from realtime.volumes.atlas import Atlas


def save_atlas(atlas: Atlas, path: Path) -> Path:
    """Write the labels, and the names beside them.

    Returns
    -------
    Path
        Of the table.
    """
    nibabel.save(nibabel.Nifti1Image(atlas.labels.astype(np.int16), atlas.grid.affine_mm), path)
    stem = path.name[: -len(".nii.gz")] if path.name.endswith(".nii.gz") else path.stem
    table = path.with_name(f"{stem}.tsv")
    lines = ["index\tname", *(f"{number}\t{name}" for number, name in atlas.names.items())]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table
