"""AFNI's realtime protocol under damage: whole streams of both directions, and the control string."""

from pathlib import Path

import numpy as np

from realtime.sources.scanner.afni_commands import write_commands
from realtime.sources.scanner.afni_regions import BYE, AfniRegions, hello, record
from realtime.sources.scanner.afni_volumes import AfniVolumes, end_of_run, read_control
from realtime.volumes.volume import VoxelGrid

PIECE = 4096
N_BYTES = 4 * 6 * 5 * 4


def streams() -> list[dict[str, bytes]]:
    """Whole streams: each direction, and the string of a control channel."""
    turned = np.array([[2.9, 0.5, 0, -9], [-0.5, 2.9, 0, 8], [0, 0, 4, -30], [0, 0, 0, 1.0]])
    images = np.arange(6 * N_BYTES, dtype=np.uint8).tobytes()
    one = write_commands(VoxelGrid((4, 6, 5), turned), 2.0, name="run") + images + end_of_run(N_BYTES)
    slices = (
        b"ACQUISITION_TYPE 2D+zt\nTR 1.5\nXYFOV 240 0\nZDELTA 4\nXYMATRIX 8 8\nZNUM 4\nZORDER alt\n"
        b"XYZAXES L-R A-P S-I\nZFIRST 20S\nDATUM short\nBYTEORDER MSB_FIRST\nNOTE x\n\0"
    )
    records = record((0.1, 0.2, 0.3, 1.0, 2.0, 3.0), (1000.0, 2000.0))
    return [
        {"volumes.bin": one + one},
        {"volumes.bin": slices + bytes(3 * 512) + b"\x01\x02" * 100},
        {"regions.bin": hello(2) + 3 * records + BYE},
        {"regions.bin": hello(1, version=4, n_voxels=1) + 3 * records},
        {"regions.bin": hello(1, version=2) + 9 * records + BYE},
        {"control.bin": b"tcp:localhost:7953\n3T_toafni\n\0"},
    ]


def read_stream(folder: Path) -> int:
    """Read a stream piece by piece, as a socket gives it; how much came of it."""
    path = next(iter(sorted(folder.glob("*.bin"))))
    data = path.read_bytes()
    if path.stem == "control":
        return read_control(data)
    volumes, regions, found = AfniVolumes(), AfniRegions(), 0
    for at in range(0, len(data), PIECE):
        piece = data[at : at + PIECE]
        found += len(regions.take(piece) if path.stem == "regions" else volumes.take(piece, 0.0))
    return found
