"""A file of a scanner to images, whatever it is: `read_images`."""

from pathlib import Path

from models.errors import UnfinishedVolumeError, VolumeError
from realtime.sources.scanner.dicom import read_dicom
from realtime.sources.scanner.dicom_values import PREAMBLE
from realtime.sources.scanner.image import MOST_BYTES, ScannerImage
from realtime.sources.scanner.nifti import is_nifti, read_nifti


def read_images(path: Path, content: bytes | None = None) -> list[ScannerImage]:
    """The images of a file: DICOM by its magic word, NIfTI by its name.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes or None
        Its bytes, where they are read already.

    Raises
    ------
    UnfinishedVolumeError
        It ends before it holds what it declares.
    VolumeError
        It is another file, or holds no volume that can be read.
    OSError
        It is gone, or must not be read.
    """
    if content is None:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise VolumeError(f"The file has {size} bytes; expected at most {MOST_BYTES}.")
        content = path.read_bytes()
    if is_nifti(path):
        return read_nifti(content, path)
    if len(content) < PREAMBLE:
        raise UnfinishedVolumeError(f"The file has {len(content)} bytes; DICOM has more than {PREAMBLE}.")
    if content[PREAMBLE - 4 : PREAMBLE] != b"DICM":
        raise VolumeError("The file is neither DICOM nor NIfTI (.nii, .nii.gz).")
    return read_dicom(content)
