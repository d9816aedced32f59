"""The shape of a tree: files, lines, rooms, arrows between rooms, circles, names of two things.

A room is a folder of a floor, or a file at the floor's root.  Imports inside functions and for types count.

Run: ``python -m tools.bench.structure [TREE ...]``
"""

import argparse
import ast
from collections import Counter
from pathlib import Path

FLOORS = ("models", "realtime", "offline", "tools")
LONG = 300
"""Lines past which a file usually holds two ideas."""


class Tree:
    """The modules of a tree.

    Parameters
    ----------
    root : Path
        Folder of the floors.
    """

    def __init__(self, root: Path) -> None:
        self._texts: dict[str, str] = {}
        self._at_root: Counter[str] = Counter()
        for floor in FLOORS:
            for path in sorted((root / floor).rglob("*.py")):
                parts = path.relative_to(root).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                self._texts[name] = path.read_text(encoding="utf-8")
                self._at_root[floor] += len(parts) == 2 and parts[-1] != "__init__"
        self._trees = {name: ast.parse(text) for name, text in self._texts.items()}

    def rows(self) -> list[dict[str, str]]:
        """A row a floor."""
        return [self._row(floor) for floor in FLOORS]

    def twice(self) -> list[str]:
        """Public class names that are defined more than once."""
        names = Counter(
            node.name
            for tree in self._trees.values()
            for node in tree.body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        )
        return sorted(name for name, n in names.items() if n > 1)

    def in_a_circle(self, floor: str) -> set[str]:
        """Rooms of a floor from which a way leads back to themselves."""
        arrows = self._arrows(floor)
        reached = {start: {b for a, b in arrows if a == start} for start, _ in arrows}
        for through in reached:
            for others in reached.values():
                if through in others:
                    others |= reached[through]
        return {start for start, others in reached.items() if start in others}

    def _own(self, floor: str) -> list[str]:
        return [name for name in self._texts if name.split(".")[0] == floor]

    def _arrows(self, floor: str) -> set[tuple[str, str]]:
        return {
            (_room(name), _room(other))
            for name in self._own(floor)
            for other in self._imported(name)
            if other.split(".")[0] == floor and _room(other) != _room(name) and "." in name and "." in other
        }

    def _row(self, floor: str) -> dict[str, str]:
        own = self._own(floor)
        lines = [self._texts[name].count("\n") for name in own]
        return {
            "floor": floor,
            "files": str(len(own)),
            "lines": str(sum(lines)),
            "of them code": str(sum(map(self._code, own))),
            "files at its root": str(self._at_root[floor]),
            f"files past {LONG} lines": str(sum(n > LONG for n in lines)),
            "rooms": str(len({_room(name) for name in own if "." in name})),
            "arrows": str(len(self._arrows(floor))),
            "rooms in a circle": str(len(self.in_a_circle(floor))),
        }

    def _code(self, name: str) -> int:
        """Lines that hold a statement or a part of one: no docstring, no comment, nothing empty."""
        text, words = self._texts[name], set[int]()
        for node in ast.walk(self._trees[name]):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                words.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        lines = enumerate(text.splitlines(), 1)
        return sum(bool(line.strip()) and line.strip()[0] != "#" and i not in words for i, line in lines)

    def _imported(self, name: str) -> set[str]:
        found: set[str] = set()
        for node in ast.walk(self._trees[name]):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                found.update(full if full in self._texts else node.module for full in names.values())
        return found & self._texts.keys()


def _room(name: str) -> str:
    return ".".join(name.split(".")[:2])


def main() -> None:
    """Print a table a tree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path, default=[Path()], help="folders; by default this one")
    for root in parser.parse_args().trees:
        tree = Tree(root)
        rows = tree.rows()
        print(f"{root}\n\n| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}")
        for row in rows:
            print(f"| {' | '.join(row.values())} |")
        twice = tree.twice()
        print(f"\nclass names of more than one thing: {len(twice)} ({', '.join(twice) or 'none'})\n")


if __name__ == "__main__":
    main()
