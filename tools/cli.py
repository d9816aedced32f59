"""The ``hemostream`` command.

Commands are registered by name only and imported when they are called, so that ``--help`` answers
at once.  Each lives in its own file; its docstring is its help.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, Parameter

from models.errors import HemostreamError

DESCRIPTION = """Streaming classifier of live brain haemodynamics (fNIRS, fMRI regions).

Start with `hemostream demo`. Research use only: nothing here is a diagnosis."""

COMMANDS = {
    "demo": ("tools.demo:demo", "Everything at once: simulate, train, stream, classify, publish, watch."),
    "simulate": ("tools.simulate:simulate", "Write a cohort of simulated SNIRF recordings with known truth."),
    "train": ("tools.learn:train", "Train a classifier from recordings by replay."),
    "evaluate": ("tools.learn:evaluate", "Evaluate a recipe by unseen person."),
    "classify": ("tools.classify:classify", "The live path over a recording or a journal."),
    "replay": ("tools.replay:replay", "A recording as a live LSL stream."),
    "live": ("tools.live:live", "The bedside session: LSL stream in, decisions out."),
    "export": ("tools.export:export", "A journal as SNIRF recordings."),
}
"""Name: where it lives, and its line in the overview."""


def our_version() -> str:
    """The installed version of hemostream."""
    try:
        return version("hemostream")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "not installed"


def make_app() -> App:
    """The command line, nothing imported yet but itself."""
    app = App(
        name="hemostream",
        help=DESCRIPTION,
        version=our_version,
        help_format="markdown",
        default_parameter=Parameter(negative=()),
    )
    for name, (where, line) in COMMANDS.items():
        app.command(where, name=name, help=None if name in sys.argv else line)
    return app


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; errors that a person can put right are shown without a traceback.

    Parameters
    ----------
    words : sequence of str or None
        Command and options; None takes those that this process was started with.
    """
    try:
        make_app()(sys.argv[1:] if words is None else list(words))
    except HemostreamError as error:
        print(f"hemostream: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
