"""``hemostream init``: a recipe proposed from recordings."""

from pathlib import Path
from typing import TYPE_CHECKING

from tools.messages import remarking_once, say
from tools.outputs import Out, check_new_file, whole_file

if TYPE_CHECKING:
    from offline.samples.samples import Samples


def init(
    cohort: Path,
    *,
    out: Out,
    layout: str | None = None,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | None = None,
    events: str | None = None,
    overwrite: bool = False,
) -> None:
    """Propose a recipe from recordings, with a reason beside every choice.

    Looks at the events (names, spacing, durations), the rate, the channels and the lengths of all recordings,
    and writes labels, window, high-pass and normalisation that keep what blocks of that length show. Then
    it replays the recordings by this recipe and counts the windows of each label and what warming up
    costs. Read the file, change what you know better, and give it to "train" and "evaluate".

    Parameters
    ----------
    cohort : Path
        Table of recordings (tabs between columns): recording, person; optional session, site, age, sex,
        and columns of labels.
    out : Path
        Recipe (TOML) to write.
    layout : str
        Side file (JSON), relative to the cohort, that says what the channels are where recordings do not.
    length_unit : str
        Unit of optode positions (m, cm or mm) where the files' own is wrong.
    haemoglobin_unit : str
        Unit of concentrations (umol/L, uM ...) where SNIRF files do not say it, or wrongly.
    repetition_time : float
        Seconds between volumes of region series.
    stream : str
        Which stream of XDF files that hold several: name, source_id, uid, number, or a predicate.
    events : str
        Which of their marker streams, likewise.
    overwrite : bool
        Replace a recipe that is there already.
    """
    check_new_file(out, "The recipe", overwrite=overwrite)

    from models.decode import decode
    from models.errors import HemostreamError, RecipeError
    from offline.base.cohort import read_cohort
    from offline.base.progress import shown
    from offline.proposal.propose import propose
    from offline.proposal.survey import survey
    from offline.samples.recipe import load_recipe
    from offline.samples.recipe_sections import Input
    from offline.samples.samples import collect

    given = {
        "layout": layout,
        "length_unit": length_unit,
        "haemoglobin_unit": haemoglobin_unit,
        "repetition_time": repetition_time,
        "stream": stream,
        "events": events,
    }
    values = {name: value for name, value in given.items() if value is not None}
    wanted = decode(Input, values, error=RecipeError, what="Options")
    table = read_cohort(cohort)
    if out.resolve() in {table.path.resolve(), *(row.recording.resolve() for row in table.rows)}:
        raise HemostreamError(f"{out} is of the cohort itself; expected another name, for a recipe (TOML).")
    with shown(None) as tell, remarking_once():  # survey and replay read the same recordings
        found = survey(table, wanted, tell)
        with whole_file(out) as part:
            part.write_text(propose(found, wanted), encoding="utf-8")
        try:
            samples = collect(table, load_recipe(out), progress=tell)
        except HemostreamError as error:
            raise RecipeError(f"{error} The proposed recipe is {out}: correct it there.") from error
    for line in counted(samples):
        say(line)
    starts = [event.first_s for event in found.events]
    if starts:
        say(f"The first event comes {min(starts):.0f} s after the start (median).")
    say(f"Recipe: {out}")


def counted(samples: "Samples") -> list[str]:
    """How many windows and people each label has, and what was lost on the way; lines.

    Parameters
    ----------
    samples : Samples
        By the proposed recipe.
    """
    from offline.samples.sample_account import blocks_lost_words

    lines = []
    for number, label in enumerate(samples.labels):
        own = samples.table.rows(samples.table.target == number)
        lines.append(f"{label}: {len(own)} windows of {len(set(own.person.tolist()))} people")
    first = sorted(account.lost_s for account in samples.accounts)
    lost: dict[str, int] = {}
    for account in samples.accounts:
        for reason, n in account.lost.items():
            lost[reason] = lost.get(reason, 0) + n
    windows = sum(account.windows for account in samples.accounts)
    ordered = sorted(lost.items(), key=lambda item: -item[1])
    reasons = ", ".join(f"{n} {reason}" for reason, n in ordered) or "none"
    lines.append(
        f"Of {windows} windows lost: {reasons}. The first usable one of a recording begins "
        f"{first[len(first) // 2]:.0f} s after its start (median)."
    )
    if blocks := blocks_lost_words(samples.accounts):
        lines.append(f"{blocks}.")
    return lines
