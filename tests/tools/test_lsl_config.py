"""What liblsl logs: its warnings and errors, and its information where somebody's configuration holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.lsl_config import WARNINGS_ONLY, configuration_files

ROOT = Path(__file__).parents[2]
OUTLET = """
from tools.lsl_config import hide_lsl_information
hide_lsl_information()
import pylsl
pylsl.StreamOutlet(pylsl.StreamInfo("a", "Test", 1, 0, pylsl.cf_string, "a"))
"""


def logged(home: Path, **environ: str) -> str:
    """What making an outlet writes to the error stream."""
    here = {name: value for name, value in os.environ.items() if name != "LSLAPICFG"}
    done = subprocess.run(
        [sys.executable, "-c", OUTLET],
        cwd=home,
        env={**here, "HOME": str(home), "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr


@pytest.mark.skipif(Path("/etc/lsl_api/lsl_api.cfg").exists(), reason="this machine has a configuration")
def test_information_is_hidden_unless_a_configuration_is_there(tmp_path: Path) -> None:
    assert logged(tmp_path) == ""
    own = tmp_path / "own.cfg"
    own.write_text("[multicast]\nResolveScope = machine\n[log]\nlevel = 0\n")
    assert "INFO" in logged(tmp_path, LSLAPICFG=str(own))
    own.rename(tmp_path / "lsl_api.cfg")
    assert "INFO" in logged(tmp_path)


def test_warnings_and_errors_are_not_hidden() -> None:
    assert "level = -1" in WARNINGS_ONLY  # errors are -2, warnings -1, information 0


def test_the_order_is_that_of_liblsl(tmp_path: Path) -> None:
    named = configuration_files({"LSLAPICFG": "mine.cfg"}, tmp_path, tmp_path / "home")
    assert named[:3] == [
        Path("mine.cfg"),
        tmp_path / "lsl_api.cfg",
        tmp_path / "home/lsl_api/lsl_api.cfg",
    ]
