"""Two processes that share each batch give the loss curve of one; they talk over 127.0.0.1."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.offline.segmentation.support import write_cases

SCRIPT = """
import json, sys
from pathlib import Path
import torch
from models.segmentation.bundle import UNetSettings, VolumeInput
from offline.segmentation.cases import read_cases
from offline.segmentation.prepare import PreparedCases
from offline.segmentation.train import SegmentationTraining, fit_unet, process_group

folder = Path(sys.argv[1])
wanted = VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(16, 16, 16))
torch.set_num_threads(1)
with process_group(torch.device("cpu")) as processes:
    cases = PreparedCases(read_cases(folder / "data"), wanted, (0, 1, 2), folder / "cache")
    fitted = fit_unet(
        cases, range(4), UNetSettings(width=4, levels=2, dilations=(1, 2)),
        SegmentationTraining(epochs=3, batch=2), n_labels=3, patch=wanted.patch, processes=processes,
    )
    if processes.rank == 0:
        (folder / sys.argv[2]).write_text(json.dumps(fitted.losses))
"""


def test_two_processes_give_the_losses_of_one(tmp_path: Path) -> None:
    write_cases(tmp_path / "data", 4)
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr"]
    shared = [*torchrun, "127.0.0.1", "--master-port", "0", "--rdzv-backend", "c10d"]
    shared += ["--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1"]
    for command, name in (([sys.executable], "one"), (shared, "two")):
        done = subprocess.run(
            [*command, str(script), str(tmp_path), name],
            cwd=Path(__file__).parents[3],
            env={
                "PATH": "/usr/bin:/bin",
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": str(Path(__file__).parents[3]),
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one", "two"))
    np.testing.assert_allclose(two, one, atol=1e-5)
