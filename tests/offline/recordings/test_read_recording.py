"""A format is known by its name; what cannot be read is said."""

import subprocess
import sys

import pytest

from models.errors import RecordingError
from offline.recordings import read_recording


def test_no_such_file(tmp_path):
    with pytest.raises(RecordingError, match="There is no recording"):
        read_recording(tmp_path / "x.snirf")


def test_an_unknown_format_lists_the_known(tmp_path):
    (tmp_path / "x.edf").touch()
    with pytest.raises(RecordingError, match=r"'\.edf', which is no format .*\.snirf"):
        read_recording(tmp_path / "x.edf")


def test_names_in_capitals_and_as_text(tmp_path):
    (tmp_path / "X.SNIRF").touch()
    with pytest.raises(RecordingError, match="no SNIRF file"):
        read_recording(str(tmp_path / "X.SNIRF"))


def test_importing_the_readers_is_light():
    code = (
        "import sys, offline.recordings\n"
        "heavy = {'mne', 'pylsl', 'pyxdf', 'h5py', 'scipy', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
