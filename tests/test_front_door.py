"""``import hemostream``: names for notebooks, each imported when it is first used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hemostream

HOUSE = Path(__file__).resolve().parents[1]


def test_every_public_name_is_there_and_documented_for_type_checkers() -> None:
    for name in hemostream.PUBLIC:
        assert getattr(hemostream, name) is not None
    assert dir(hemostream) == sorted(hemostream.__all__) == sorted(hemostream.PUBLIC)
    tree = ast.parse((HOUSE / "hemostream" / "__init__.py").read_text())
    typed = {
        f"{node.module}:{alias.name}": alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module not in ("importlib", "typing")
        for alias in node.names
    }
    assert {place: name for name, place in hemostream.PUBLIC.items()} == typed


def test_importing_it_imports_nothing_else() -> None:
    code = (
        "import sys, hemostream\n"
        "floors = ('models', 'realtime', 'offline', 'tools', 'numpy', 'torch', 'mne')\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in floors]\n"
        "hemostream.read\n"
        "assert 'offline.recordings' in sys.modules and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"hemostream has no 'raed'; expected one of Bundle, .*read"):
        _ = hemostream.raed  # type: ignore[attr-defined]


def test_a_recording_goes_to_mne_and_back(data_dir: Path) -> None:
    path = next((data_dir / "fnirs").rglob("*.snirf"))
    recording = hemostream.read(path)
    raw = recording.to_raw()
    again = hemostream.Recording.from_raw(raw, name=recording.name)
    assert again.spec.channels == recording.spec.channels
    assert again.data.shape == recording.data.shape
