"""Run everything, and compare, keep or pin."""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.pinned.figures import differences, figures_of
from tests.pinned.runs import HERE, RUNS, pinned_files, run_all

PINNED = HERE / "pinned.json"


def figures_in(folder: Path) -> dict[str, object]:
    """What is pinned of all runs."""
    return {
        str(path.relative_to(folder)): figures_of(path) for run in RUNS for path in pinned_files(folder, run)
    }


def other_bytes(folder: Path, kept: Path) -> list[str]:
    """Pinned files that are not the same bytes in both folders."""
    names = {
        str(path.relative_to(root))
        for root in (folder, kept)
        for run in RUNS
        for path in pinned_files(root, run)
    }
    return [
        name
        for name in sorted(names)
        if not ((folder / name).is_file() and (kept / name).is_file())
        or (folder / name).read_bytes() != (kept / name).read_bytes()
    ]


def main() -> int:
    """Say what differs; 1 where anything does."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.pinned")
    parser.add_argument("--keep", type=Path, help="a new folder for all files")
    parser.add_argument("--against", type=Path, help="a folder that was kept: compare byte by byte")
    parser.add_argument("--write", action="store_true", help="pin what comes out now")
    asked = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = asked.keep.resolve() if asked.keep else Path(temporary)
        if asked.keep:
            folder.mkdir(parents=True)
        run_all(folder)
        if asked.write:
            PINNED.write_text(json.dumps(figures_in(folder), indent=1, sort_keys=True) + "\n")
            return 0
        wrong = []
        if asked.against:
            wrong = other_bytes(folder, asked.against.resolve())
        elif not asked.keep:
            wrong = differences(figures_in(folder), json.loads(PINNED.read_text()))
    print("\n".join(wrong) or ("kept" if asked.keep else "everything is as it was"))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
