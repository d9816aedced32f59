"""A copy of the tree in which a module is changed and its tests are run; the tree itself is never touched."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from models.errors import HemostreamError

COPIED = ("models", "realtime", "offline", "tools", "tests", "pyproject.toml")
PATIENCE = 10.0
"""A mutant's tests may take so many times as long as the unchanged module's ..."""
PATIENCE_S = 20.0
"""... and so many seconds more, before it counts as killed by the clock."""


@dataclass(frozen=True, slots=True)
class MutantTrial:
    """A copy of the tree, with the tests that are to notice.

    Parameters
    ----------
    folder : Path
        Where the copy is.
    tests : tuple of str
        Their paths in the tree, as pytest takes them.
    """

    folder: Path
    tests: tuple[str, ...]

    def begin(self, module: str) -> float:
        """Run the tests on the unchanged module; give how long they take (s).

        Raises
        ------
        HemostreamError
            They fail already, or another tree's module is imported.
        """
        where = f"import importlib; print(importlib.import_module({module!r}).__file__)"
        out = self._start([sys.executable, "-c", where], subprocess.PIPE).communicate()[0].decode().strip()
        expected = self.folder / path_of(module)
        if out != str(expected):
            raise HemostreamError(f"{module} is imported from {out!r}; expected {expected}.")
        begun = time.monotonic()
        if self._run(timeout=600.0) != 0:
            raise HemostreamError(
                f"The tests of {module} fail without a mutant: pytest {' '.join(self.tests)}. "
                "Mend them first."
            )
        return time.monotonic() - begun

    def survives(self, module: str, source: str, usual_s: float) -> bool:
        """Whether the tests pass although the module is changed; too slow counts as noticed."""
        path = self.folder / path_of(module)
        original = path.read_bytes()
        # Two mutants of one length within a second look alike to Python's cache.
        for kept in path.parent.glob(f"__pycache__/{path.stem}.*"):
            kept.unlink()
        try:
            path.write_text(source, encoding="utf-8")
            return self._run(timeout=PATIENCE * usual_s + PATIENCE_S) == 0
        finally:
            path.write_bytes(original)

    def _run(self, *, timeout: float) -> int | None:
        """Exit status of the tests; None where they take too long."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
        command += ["--hypothesis-seed=0", f"--timeout={timeout:.0f}", *self.tests]
        process = self._start(command, subprocess.DEVNULL)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # Its own group: what a test started goes with it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, command: Sequence[str], out: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@contextmanager
def trial(house: Path, tests: Sequence[str]) -> Iterator[MutantTrial]:
    """A copy of the tree at `house` for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="hemostream-mutation-") as temporary:
        folder = Path(temporary).resolve() / "tree"
        folder.mkdir()
        for name in COPIED:
            if (house / name).is_dir():
                shutil.copytree(house / name, folder / name)
            else:
                shutil.copy2(house / name, folder / name)
        yield MutantTrial(folder, tuple(tests))


def path_of(module: str) -> Path:
    """Where a module's file is in the tree."""
    return Path(*module.split(".")).with_suffix(".py")


def noticing(house: Path, module: str) -> tuple[str, ...]:
    """The tests that name a module, by what they import; slow ones (`tests/system`) are left out."""
    parent, _, name = module.rpartition(".")
    wanted = (f"from {module} import", f"import {module}\n", f"from {parent} import {name}\n")
    return tuple(
        str(path.relative_to(house))
        for path in sorted((house / "tests").rglob("test_*.py"))
        if "system" not in path.parts and any(one in path.read_text(encoding="utf-8") for one in wanted)
    )
