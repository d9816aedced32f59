"""``hemostream segment``: structures of images, found by a network."""

import csv
import io
from pathlib import Path

from models.errors import HemostreamError
from models.outside import printable
from tools.messages import say
from tools.outputs import Out, check_report

TABLE = "volumes.tsv"
"""Volumes of all images."""
SUFFIXES = (".nii", ".nii.gz")


def segment(
    *image: Path,
    model: Path,
    out: Out,
    model_hash: str | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> None:
    """Find structures in images, and measure their volumes.

    Writes an image of labels for each image, in its own space, and a table of volumes, volumes.tsv (mm3). An
    image that cannot be read does not stop the others. Research use only: a volume is no diagnosis.

    Parameters
    ----------
    image : Path
        3-D NIfTI images, or a folder of them.
    model : Path
        Bundle folder, as "study export li2019" writes it.
    out : Path
        Folder to write.
    model_hash : str
        The bundle must have this hash (12 digits or more).
    device : str
        cuda, mps, cpu, or auto.
    overwrite : bool
        Replace what an earlier call wrote there.
    """
    if not image:
        raise HemostreamError("There is no image to segment; expected one or more, or a folder of them.")
    check_report(out, overwrite=overwrite, page=TABLE)

    import torch

    from models.files.write_atomic import write_atomic
    from models.segmentation.bundle import read_segmentation_bundle
    from offline.base.progress import shown
    from offline.base.result_cache import make_folder
    from offline.segmentation.predict import segment as find
    from offline.volumes.image import read_image, write_labels
    from realtime.inference import choose_device

    bundle = read_segmentation_bundle(model, model_hash)
    where = torch.device(choose_device(device))
    files = _files(image)
    make_folder(out)
    structures = bundle.card.labels[1:]
    table, refused = io.StringIO(), 0
    rows = csv.writer(table, delimiter="\t", lineterminator="\n")
    rows.writerow(["image", *(f"{name} (mm3)" for name in structures), "voxel (mm)", "labels"])
    with shown(None) as tell:
        for k, file in enumerate(files):
            tell("images", k, len(files), file.name)
            try:
                read = read_image(file)
                found = find(read, bundle, where)
                written = out / f"{file.name.removesuffix('.gz').removesuffix('.nii')}_labels.nii.gz"
                write_labels(written, found.labels, read)
            except HemostreamError as error:
                refused += 1
                say(f"hemostream: {printable(str(error), None)}", error=True)
                continue
            voxel = " x ".join(f"{edge:.3g}" for edge in read.voxel_mm)
            volumes = (f"{found.volumes_mm3[name]:.1f}" for name in structures)
            rows.writerow([printable(file.name), *volumes, voxel, written.name])
    if refused == len(files):
        raise HemostreamError("No image could be segmented; see above.")
    write_atomic(out / TABLE, table.getvalue().encode())
    say(f"Segmented {len(files) - refused} of {len(files)} images: {out / TABLE}")


def _files(given: tuple[Path, ...]) -> list[Path]:
    """Images of what was named, folders opened; no two that would be written to one name."""
    files: list[Path] = []
    for each in given:
        if each.is_dir():
            inside = sorted(path for path in each.iterdir() if path.name.endswith(SUFFIXES))
            if not inside:
                raise HemostreamError(f"{each} holds no {' or '.join(SUFFIXES)} file; expected images.")
            files += inside
        else:
            files.append(each)
    names = [file.name.removesuffix(".gz").removesuffix(".nii") for file in files]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise HemostreamError(
            f"Two images are named {printable(twice)}; expected names of their own, for labels are "
            "named after them. Call segment once for each folder."
        )
    return files
