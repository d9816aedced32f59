"""The mutation runner: what it changes, and that it tells a test that bites from one that does not."""

import ast
from pathlib import Path

import pytest

from models.errors import HemostreamError
from tools.mutation.operators import OPERATORS, mutants
from tools.mutation.trial import COPIED, noticing, path_of, trial

SOURCE = '''"""A docstring with a 7 in it."""

import math

EDGE = 2


def clip(value: float, low: float = -1.5, *, loud: bool = False) -> float:
    assert low < 5
    if value <= low or not loud:
        print(f"{value + 1} is low")
    for step in range(3):
        if step is None:
            continue
    return min(value + EDGE * 2, math.ceil(low))
'''


def changed(operator: str) -> set[str]:
    """Lines as an operator changes them."""
    before = SOURCE.splitlines()
    found = set()
    for one in mutants(SOURCE, (operator,)):
        assert one.operator == operator
        different = [line.strip() for line in one.source.splitlines() if line not in before]
        assert len(different) == 1
        found.add(different[0])
    return found


def test_each_operator_changes_what_it_is_called_for() -> None:
    clip = "def clip(value: float, low: float = {}, *, loud: bool = {}) -> float:"
    assert changed("compare") == {
        "if (value < low) or not loud:",
        "if (value > low) or not loud:",
        "if (step is not None):",
    }
    assert changed("arithmetic") == {
        clip.format("(1.5)", "False"),
        "return min((value - EDGE * 2), math.ceil(low))",
        "return min(value + (EDGE / 2), math.ceil(low))",
    }
    assert changed("constant") == {
        "EDGE = 3",
        "EDGE = (1)",
        clip.format("-2.25", "False"),
        clip.format("-1.5", "True"),
        "for step in range(4):",
        "for step in range((2)):",
        "return min(value + EDGE * 3, math.ceil(low))",
        "return min(value + EDGE * (1), math.ceil(low))",
    }
    assert changed("boolean") == {"if (value <= low and (not loud)):", "if value <= low or (loud):"}
    assert changed("return") == {"return None"}
    assert changed("twin") == {
        "return max(value + EDGE * 2, math.ceil(low))",
        "return min(value + EDGE * 2, math.floor(low))",
    }
    assert changed("drop") == {"pass", "break"}


def test_every_mutant_is_a_module_and_another_one() -> None:
    found = mutants(SOURCE)
    assert len({one.source for one in found}) == len(found)
    assert {one.operator for one in found} == set(OPERATORS)
    for one in found:
        assert ast.dump(ast.parse(one.source)) != ast.dump(ast.parse(SOURCE))
        assert one.diff(SOURCE, "clip.py").startswith(f"@@ -{one.line} +{one.line} @@\n-")


def test_mutants_can_be_sought_in_a_part_of_a_module() -> None:
    both = SOURCE + "\n\ndef other(x: int) -> int:\n    return x + 1\n"
    assert {one.source for one in mutants(both, within=("other",))} < {one.source for one in mutants(both)}
    assert {one.line for one in mutants(both, within=("other",))} == {len(both.splitlines())}
    assert len(mutants(both, within=("other", "clip"))) == len(mutants(both)) - 2  # those of EDGE
    with pytest.raises(HemostreamError, match="No another in the module; it has clip, other"):
        mutants(both, within=("another",))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house of one module and one test, which holds one side of one comparison."""
    for name in COPIED[:-1]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = ''\n")
    (tmp_path / "models" / "small.py").write_text("def low(value):\n    return value < 3\n")
    (tmp_path / "tests" / "test_small.py").write_text(
        "from models.small import low\n\n\ndef test_low():\n    assert low(2)\n    assert not low(4)\n"
    )
    return tmp_path


def test_what_no_test_holds_survives_and_the_tree_stays_as_it_was(house: Path) -> None:
    path = house / path_of("models.small")
    source = path.read_text()
    tests = noticing(house, "models.small")
    assert tests == ("tests/test_small.py",)
    with trial(house, tests) as copy:
        usual_s = copy.begin("models.small")
        lives = {
            one.source.splitlines()[1].strip(): copy.survives("models.small", one.source, usual_s)
            for one in mutants(source, ("compare",))
        }
        assert (copy.folder / path_of("models.small")).read_text() == source
    assert lives == {"return (value <= 3)": True, "return (value >= 3)": False}
    assert path.read_text() == source
    assert not copy.folder.exists()


def test_tests_that_fail_without_a_mutant_say_nothing(house: Path) -> None:
    (house / "tests" / "test_small.py").write_text("def test_red():\n    assert False\n")
    with (
        trial(house, ("tests/test_small.py",)) as copy,
        pytest.raises(HemostreamError, match="fail without a mutant"),
    ):
        copy.begin("models.small")
