"""What the runs are given: a simulated cohort comes from the command for it, scans from here."""

from pathlib import Path

import nibabel
import numpy as np
import torch

from models.segmentation.bundle import SegmentationCard, UNetSettings, VolumeInput, write_segmentation_bundle

PEOPLE = 48
VOLUMES, REGIONS = 60, 6


def write_scans(folder: Path) -> None:
    """Region series of people of two sites and two groups, who differ in one connection, with a score."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["person\tfile\tdiagnosis\tsite\tage\tsex\tburden\trepetition_time"]
    for person in range(PEOPLE):
        drift = 0.3 * rng.normal(size=(VOLUMES, REGIONS)).cumsum(axis=0)
        series = drift + rng.normal(size=(VOLUMES, REGIONS))
        series[:, 1] += 0.6 * (person % 2) * series[:, 0]
        np.savetxt(folder / f"p{person}.csv", series, delimiter=",", fmt="%.5f")
        group, site, sex = ("TD", "ASD")[person % 2], "ab"[person // 2 % 2], "MF"[person // 4 % 2]
        burden = person % 2 + rng.normal()
        rows.append(f"p{person}\tp{person}.csv\t{group}\t{site}\t{8 + person % 5}\t{sex}\t{burden:.3f}\t2.0")
    (folder / "phenotypes.tsv").write_text("\n".join(rows) + "\n")


def write_images(folder: Path) -> None:
    """An image of 2-mm voxels, and a bundle whose weights are drawn at random."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    image = rng.normal(100, 20, (10, 12, 8)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(image, np.diag([2.0, 2.0, 2.0, 1.0])), folder / "a.nii.gz")
    settings = UNetSettings(width=2, levels=2, dilations=(1,))
    network = settings.network(3)
    with torch.no_grad():
        for values in network.parameters():
            values.copy_(torch.from_numpy(rng.normal(size=values.shape)))
    card = SegmentationCard(
        labels=("background", "ball", "box"),
        values=(0, 1, 2),
        network=settings,
        input=VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(16, 16, 16)),
    )
    write_segmentation_bundle(folder / "bundle", card, network)
