"""``hemostream simulate``: a cohort of simulated people in a folder."""

import sys
import tempfile
from pathlib import Path

from models.errors import RecordingError
from models.files.output_place import LEAST_FREE, check_folder
from tools.messages import say
from tools.outputs import refuse_existing

COHORT_FILES = ("cohort.tsv", "truth.json")


def _earlier(folder: Path, overwrite: bool, needed: int) -> list[Path]:
    """Refuse a folder that holds anything, unless it may be overwritten; give an earlier cohort's files.

    Raises
    ------
    HemostreamError
        If the path is a file, or the folder cannot be written or holds something.
    """
    if folder.exists() and not folder.is_dir():
        raise RecordingError(f"{str(folder)!r} is a file; expected a folder, or nothing. Give another name.")
    check_folder(folder, "The cohort", needed=needed)
    found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    ours = set(COHORT_FILES) <= set(found) and all(
        name in COHORT_FILES or (name.startswith("person-") and name.endswith(".snirf")) for name in found
    )
    if found and not ours and not overwrite:
        shown = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
        raise RecordingError(
            f"Folder {str(folder)!r} is not empty and is not a simulated cohort: it holds {shown}. "
            "Give an empty or new folder, or --overwrite to write among them."
        )
    refuse_existing(folder, overwrite=overwrite, option="COHORT_DIR")
    return [folder / name for name in found] if ours else []


def simulate(
    cohort_dir: Path,
    *,
    people: int = 12,
    sessions: int = 1,
    seconds: float = 480.0,
    seed: int = 0,
    group_effect: float = 0.0,
    response: float = 0.5,
    latency: float = 5.0,
    block: float = 10.0,
    rest: float = 20.0,
    jitter: float | None = None,
    lateral: float | None = None,
    pairs: int = 20,
    short_pairs: int = 4,
    rate: float = 10.0,
    spikes: float = 2.0,
    shifts: float = 0.5,
    spread: float = 1.0,
    resting: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a cohort of simulated fNIRS recordings with a known truth.

    The folder gets one SNIRF file a recording, the table cohort.tsv and truth.json with every
    setting and every drawn parameter. The same settings and seed give the same cohort. What a
    classifier scores on it shows that the machinery works; it says nothing about autism.

    Parameters
    ----------
    cohort_dir
        Folder to write, new or empty.
    people
        Number of people; they belong to group A and B by turns.
    sessions
        Recordings a person.
    seconds
        Length of a recording.
    seed
        Another number gives other people.
    group_effect
        Difference between the groups in DFA exponent and left-right correlation, each in units of
        the spread between people (Cohen's d). 0 is no difference at all.
    response
        Peak of the HbO response to a block, micromol/L; 0 is none.
    latency
        Time to peak (s) of the response to a brief stimulus.
    block
        Length (s) of a block of the task.
    rest
        Mean rest (s) between blocks.
    jitter
        Rests differ by up to this (s) from the mean; default a fifth of it, at most 4.
    lateral
        Blocks are of the left or the right hand (events 'left' and 'right', half each, in an order
        of each recording's own), and the hemisphere on the hand's side responds less by this
        fraction: 0 is no difference, 1 a response of the other side only. The default is a task
        without sides.
    pairs
        Source-detector pairs of 3 cm, half of them on each hemisphere.
    short_pairs
        Pairs of 8 mm that see the scalp only.
    rate
        Samples a second.
    spikes
        Motion spikes a minute.
    shifts
        Motion shifts a minute.
    spread
        Scales how much people and channels differ; 0 makes everybody alike.
    resting
        No task: a recording at rest.
    overwrite
        Replace a simulated cohort that is there already. In a folder that holds other things, replace
        files of the same names and leave the others.

    Raises
    ------
    HemostreamError
        If the folder is refused.
    RecipeError
        If a number is out of bounds.
    """
    from rich.progress import Progress

    from offline.base.result_cache import new_folder
    from offline.base.terminal import PlainConsole
    from offline.simulation import Simulation, bayes_ceiling, check_numbers, write_cohort

    task = {
        "block_s": block,
        "rest_s": rest,
        "jitter_s": min(4.0, 0.2 * rest) if jitter is None else jitter,
        "size": response * 1e-6,
        "latency_s": latency,
        "lateral": lateral,
    }
    settings = Simulation.from_json(
        {
            "seconds": seconds,
            "rate": rate,
            "n_pairs": pairs,
            "n_short": short_pairs,
            "task": None if resting else task,
            "group_effect": group_effect,
            "spread": spread,
            "spikes_per_minute": spikes,
            "shifts_per_minute": shifts,
        }
    )
    check_numbers(people, seed, sessions)
    # Two wavelengths of eight bytes.
    size = people * sessions * seconds * rate * (pairs + short_pairs) * 16
    earlier = _earlier(cohort_dir, overwrite, needed=round(size) + LEAST_FREE)
    console = PlainConsole(file=sys.stderr)
    with (
        new_folder(cohort_dir),
        # A cohort is there when it is whole: half of one would pass for a smaller one.
        tempfile.TemporaryDirectory(prefix=".hemostream-", dir=cohort_dir) as scratch,
        Progress(console=console, disable=not console.is_terminal, transient=True) as progress,
    ):
        bar = progress.add_task("Simulating", total=people * sessions)
        write_cohort(Path(scratch), settings, people, seed, sessions, done=lambda _: progress.advance(bar))
        for each in earlier:
            each.unlink()
        for each in sorted(Path(scratch).iterdir()):
            each.replace(cohort_dir / each.name)
    say(
        f"{people} people, {people * sessions} recordings of {settings.seconds:g} s. Best accuracy possible "
        f"between the groups: {bayes_ceiling(settings.group_effect):.2f}."
    )
    say(f"Cohort: {cohort_dir / 'cohort.tsv'}")
