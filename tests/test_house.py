"""The house holds: four floors, layered rooms, one name for one thing, shapes that are documented."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
import typing
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tools.bench.structure import Tree

FLOORS = ("models", "realtime", "offline", "tools")
AT_THE_ROOT = 12
NOT_IN_THE_WHEEL = ("bench", "faults", "fuzz", "mutation", "soak")
HOUSE = Path(__file__).resolve().parents[1]


def modules() -> dict[str, Path]:
    found = {}
    for floor in FLOORS:
        for path in sorted((HOUSE / floor).rglob("*.py")):
            parts = path.relative_to(HOUSE).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path, *, at_import: bool) -> set[str]:
    """Project modules that a file names; with ``at_import`` only those that importing it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if at_import and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            # "from package import module" asks for the module; for the package only where a name is its own.
            found.update(names if names <= MODULES.keys() else {node.module, *names})
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return {name for name in found if name.split(".")[0] in FLOORS}


@cache
def tree() -> Tree:
    return Tree(HOUSE)


def test_no_import_runs_back_up() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        for other in imports(path, at_import=False)
        if FLOORS.index(other.split(".")[0]) > FLOORS.index(name.split(".")[0])
    ]
    assert not wrong


def test_no_circle() -> None:
    known = modules()
    graph = {
        name: {o for o in imports(path, at_import=True) if o in known} - {name}
        for name, path in known.items()
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("floor", FLOORS)
def test_rooms_of_a_floor_are_layered(floor: str) -> None:
    """Imports inside functions and for types counted: whoever reads one room need not know those above it."""
    assert not tree().in_a_circle(floor)


@pytest.mark.parametrize("floor", FLOORS)
def test_few_files_are_at_the_root_of_a_floor(floor: str) -> None:
    files = sorted(path.name for path in (HOUSE / floor).glob("*.py") if path.name != "__init__.py")
    assert len(files) <= AT_THE_ROOT, files


def test_no_class_name_means_two_things() -> None:
    assert not tree().twice()


def test_commands_need_nothing_that_the_wheel_leaves_out() -> None:
    left_out = tuple(f"tools.{name}" for name in NOT_IN_THE_WHEEL)
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        if not name.startswith(left_out)
        for other in imports(path, at_import=False)
        if other.startswith(left_out)
    ]
    assert not wrong
    found = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    assert found["exclude"] == [f"{name}*" for name in left_out]


def test_no_relative_import_hides_from_these_tests() -> None:
    relative = [
        f"{name}:{node.lineno}"
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def public_functions() -> Iterator[tuple[str, typing.Any]]:
    for floor in FLOORS:
        package = importlib.import_module(floor)
        for info in pkgutil.walk_packages(package.__path__, f"{floor}."):
            if info.name.startswith("tools.bench") or info.name.endswith("__main__"):
                continue
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if name.startswith("_") or getattr(value, "__module__", None) != info.name:
                    continue
                if inspect.isfunction(value):
                    yield f"{info.name}.{name}", value
                elif inspect.isclass(value):
                    for method_name, method in vars(value).items():
                        if not method_name.startswith("_") and inspect.isfunction(method):
                            yield f"{info.name}.{name}.{method_name}", method


ARRAY = re.compile(r"\bFloats\b|\bBools\b|NDArray|ndarray|Tensor")
SHAPE = re.compile(r"\([a-z0-9_.*+, \n]*\),? (float|int|bool|complex|array|uint|str)")
"""A shape and what it is made of: ``(n_channels, n_samples) float64``."""


def test_public_functions_that_take_or_return_arrays_say_their_shapes() -> None:
    silent = []
    for name, function in public_functions():
        notes = {k: str(v) for k, v in getattr(function, "__annotations__", {}).items()}
        # A stage's state is opaque to everybody but the stage: arrays by name, see realtime.stages.base.
        arrays = [k for k, v in notes.items() if ARRAY.search(v) and "Mapping[str" not in v]
        if arrays and not SHAPE.search(inspect.getdoc(function) or ""):
            silent.append(f"{name} ({', '.join(arrays)})")
    assert not silent, "no shape in the docstring of: " + "; ".join(silent)


def test_help_is_quick() -> None:
    """`hemostream --help` imports nothing heavy."""
    code = (
        "import sys; sys.argv = ['hemostream', '--help']\n"
        "from tools.cli import make_app\n"
        "make_app()(['--help'], exit_on_error=False, result_action='return_value')\n"
        "heavy = {'torch', 'mne', 'pylsl', 'pydantic_settings', 'scipy', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for command in (
        "demo",
        "simulate",
        "train",
        "evaluate",
        "classify",
        "replay",
        "live",
        "doctor",
        "export",
    ):
        assert command in done.stdout


def unsafe(tree: ast.AST) -> Iterator[str]:
    """Ways in which data could become code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            yield from named & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"eval", "exec", "torch.load"}:
                yield called
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
                    yield "allow_pickle"


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "eval(x)",
        "np.load(f, allow_pickle=True)",
        "torch.load(f)",
    ],
)
def test_what_is_unsafe_is_seen(code: str) -> None:
    assert list(unsafe(ast.parse(code)))


def test_nothing_reads_pickles_or_evaluates() -> None:
    found = {
        name: list(unsafe(ast.parse(path.read_text(encoding="utf-8")))) for name, path in MODULES.items()
    }
    assert not {name: what for name, what in found.items() if what}
