"""``python -m tools.mutation MODULE...``: change one operator at a time, and see whether a test notices."""

import random
import signal
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import Queue

from cyclopts import App

from models.errors import HemostreamError
from tools.mutation.operators import OPERATORS, Mutant, mutants
from tools.mutation.trial import MutantTrial, noticing, path_of, trial

app = App(name="mutation", help="Do the tests notice a changed operator?", help_format="plaintext")
HOUSE = Path(__file__).resolve().parents[2]


@app.default
def mutation(
    *module: str,
    tests: list[Path] | None = None,
    operators: list[str] | None = None,
    within: list[str] | None = None,
    sample: int = 40,
    seed: int = 1,
    jobs: int = 1,
) -> None:
    """Change one place of a module at a time, in a copy of the tree, and run its tests on each change.

    What survives is printed as a diff as soon as it is known: either no test holds what was changed, or it
    changes nothing.

    Parameters
    ----------
    module : str
        Dotted names, realtime.windows.
    tests : list of Path
        What pytest runs for each of them. Default: the test files that import the module.
    operators : list of str
        Kinds of mutants: compare, arithmetic, constant, boolean, return, twin, drop. Default: all.
    within : list of str
        Only in these functions or classes of the module, _events. Default: everywhere.
    sample : int
        At most so many mutants a module, drawn by chance; 0 tries them all.
    seed : int
        Of that chance.
    jobs : int
        So many at once, each in a copy of its own.
    """
    kinds = tuple(operators or OPERATORS)
    if unknown := sorted(set(kinds) - set(OPERATORS)):
        raise HemostreamError(f"Operators {', '.join(unknown)}; expected some of {', '.join(OPERATORS)}.")
    if not module:
        raise HemostreamError("No module is given; expected dotted names, e.g. realtime.windows.")
    for name in module:
        _try_all(name, [str(path) for path in tests or []], kinds, tuple(within or ()), sample, seed, jobs)


def _try_all(
    name: str,
    tests: list[str],
    kinds: tuple[str, ...],
    within: tuple[str, ...],
    sample: int,
    seed: int,
    jobs: int,
) -> None:
    path = HOUSE / path_of(name)
    if not path.is_file():
        raise HemostreamError(f"There is no module {name}: {path_of(name)} is no file of this tree.")
    paths = tests or noticing(HOUSE, name)
    if not paths:
        raise HemostreamError(f"No test imports {name}; say with --tests what is to notice its mutants.")
    source = path.read_text(encoding="utf-8")
    found = mutants(source, kinds, within)
    drawn = found
    if sample and len(found) > sample:
        drawn = sorted(random.Random(f"{seed}/{name}").sample(found, sample), key=lambda one: one.line)
    with ExitStack() as stack:
        copies = [stack.enter_context(trial(HOUSE, paths)) for _ in range(max(1, jobs))]
        usual_s = max(copy.begin(name) for copy in copies)
        free: Queue[MutantTrial] = Queue()
        for copy in copies:
            free.put(copy)

        def survives(mutant: Mutant) -> bool:
            copy = free.get()
            try:
                return copy.survives(name, mutant.source, usual_s * len(copies))
            finally:
                free.put(copy)

        survivors = []
        pool = ThreadPoolExecutor(len(copies))
        stack.callback(pool.shutdown, cancel_futures=True)  # before the copies go
        for number, (mutant, lives) in enumerate(zip(drawn, pool.map(survives, drawn), strict=True), 1):
            if lives:
                survivors.append(mutant)
                print(mutant.diff(source, str(path_of(name))), flush=True)
            if number % 10 == 0:
                progress = f"{name}: {number} of {len(drawn)}, {len(survivors)} survive"
                print(progress, file=sys.stderr, flush=True)
    tried, lived = (Counter(one.operator for one in some) for some in (drawn, survivors))
    print(f"{name}: {len(survivors)} of {len(drawn)} mutants survive ({len(found)} possible)")
    print(f"  tests: {' '.join(paths)}")
    print("  survived/tried: " + ", ".join(f"{kind} {lived[kind]}/{tried[kind]}" for kind in tried))
    sys.stdout.flush()


def main() -> None:
    """Run, and say plainly what cannot be."""
    # Ended from outside it ends as at Ctrl-C: the tests that run, and the copies, go with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except HemostreamError as error:
        print(f"mutation: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
