"""The ``hemostream`` command.

Commands are registered by name only and imported when they are called, so that ``--help`` answers
at once.  Each lives in its own file; its docstring is its help.
"""

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

try:
    from cyclopts import App, Parameter
except KeyboardInterrupt:  # it takes a while
    sys.exit(130)


def not_ours(name: str | None) -> str:
    """The message where a package of ours is another distribution's; empty where it is not about that.

    Parameters
    ----------
    name : str or None
        The module that was not found.
    """
    floor = (name or "").partition(".")[0]
    if floor not in ("models", "realtime", "offline", "tools"):
        return ""
    spec = importlib.util.find_spec(floor)
    if spec and spec.origin and Path(spec.origin).parent.parent == Path(__file__).parents[1]:
        return ""  # ours: then something else is wrong
    where = spec.origin if spec and spec.origin else "nowhere, or a folder without an __init__.py"
    return (
        f"hemostream: {name} is not there, for package {floor!r} is {where}, which is not hemostream's. "
        "Another "
        "distribution, PYTHONPATH or a folder here brings one of that name: install hemostream into an "
        "environment of its own."
    )


try:
    from models.errors import HemostreamError
    from models.files.output_place import FULL
    from tools.messages import say, show_warnings
except ModuleNotFoundError as error:
    sys.exit(not_ours(error.name) or str(error))
except KeyboardInterrupt:
    sys.exit(130)

DESCRIPTION = """Streaming classifier of live brain haemodynamics (fNIRS, fMRI regions).

Start with `hemostream demo`. Research use only: nothing here is a diagnosis."""

COMMANDS = {
    "demo": (
        "tools.commands.demo:demo",
        "Everything at once: simulate, train, stream, classify, publish, watch.",
    ),
    "simulate": (
        "tools.commands.simulate:simulate",
        "Write a cohort of simulated SNIRF recordings with known truth.",
    ),
    "init": ("tools.commands.init:init", "Propose a recipe from recordings, with its reasons."),
    "pretrain": ("tools.commands.pretrain:pretrain", "Train an encoder from recordings without labels."),
    "train": ("tools.commands.train:train", "Train a classifier from recordings by replay."),
    "calibrate": (
        "tools.commands.calibrate:calibrate",
        "Move a classifier to a new person by a few labelled minutes.",
    ),
    "info": ("tools.commands.info:info", "What a bundle is, and what it is worth on unseen people."),
    "evaluate": ("tools.commands.evaluate:evaluate", "Evaluate a recipe by unseen person."),
    "summary": (
        "tools.commands.summary:summary",
        "Write one session as a page: recorded, decided, abstained, corrected.",
    ),
    "report": ("tools.commands.report:report", "Make the page of an evaluation again."),
    "segment": ("tools.commands.segment:segment", "Structures of images, and their volumes."),
    "study": ("tools.commands.study:app", "Published fMRI systems: list, run, write as bundles."),
    "classify": ("tools.commands.classify:classify", "The live path over a recording or a journal."),
    "replay": ("tools.commands.replay:replay", "A recording as a live LSL stream."),
    "scanner": ("tools.commands.scanner:scanner", "What a scanner exports as region signals over LSL."),
    "emulate-scanner": (
        "tools.commands.emulate_scanner:emulate_scanner",
        "Volumes into a folder, as a scanner exports them.",
    ),
    "live": ("tools.commands.live:live", "The bedside session: LSL stream in, decisions out."),
    "monitor": (
        "tools.commands.monitor:monitor",
        "The ward's page: every session of a broker, in a browser.",
    ),
    "doctor": ("tools.commands.doctor:doctor", "What would stop a session here, and what to do about it."),
    "export": ("tools.commands.export:export", "A journal as SNIRF recordings."),
}
"""Name: where it lives, and its line in the overview."""


def our_version() -> str:
    """The installed version of hemostream."""
    try:
        return version("hemostream")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "not installed"


def make_app(*, whole: bool = False) -> App:
    """The command line, nothing imported yet but itself.

    Parameters
    ----------
    whole : bool
        Whether every command's own help is wanted, which imports them all; else only that of the one that
        is called.
    """
    app = App(
        name="hemostream",
        help=DESCRIPTION,
        version=our_version,
        help_format="markdown",
        default_parameter=Parameter(negative=()),
    )
    for name, (where, line) in COMMANDS.items():
        app.command(where, name=name, help=None if whole or name in sys.argv else line)
    return app


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; errors that a person can put right are shown without a traceback.

    Parameters
    ----------
    words : sequence of str or None
        Command and options; None takes those that this process was started with.
    """
    # What is written here is about people: this user's only, also where a library or a child writes it.
    os.umask(0o077)
    try:
        show_warnings()
        make_app()(sys.argv[1:] if words is None else list(words))
    except HemostreamError as error:
        say(f"hemostream: {error}", error=True)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if not (reason := not_ours(error.name)):
            raise
        sys.exit(reason)
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = error.filename or "a file that was to be written"
        say(f"hemostream: {where}: {error.strerror}. Make room, and start again.", error=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
