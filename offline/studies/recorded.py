"""The systems of the review that read fNIRS recordings: recipes, with what their papers claim.

Such a system is run by `offline.evaluation.evaluate.evaluate` with its recipe and the audit, and by nothing
else: its figures are those of ``hemostream evaluate COHORT --recipe NAME --audit``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from offline.base.spelling import canonical
from offline.studies.base import Paper, PaperClaim


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A system that is a recipe (one that ships with hemostream, or a TOML file); the rest as of `Study`."""

    name: str
    title: str
    paper: Paper
    ours: str
    recipe: str
    not_exportable_because: str = ""


UNSTATED = ("layer sizes", "the stride of windows", "the optimiser", "how people were divided")

XU2019 = Recorded(
    name="xu2019",
    title="CGRNN on one optical channel (Xu 2019)",
    paper=Paper(
        "Xu L, Geng X, He X, Li J, Yu J (2019). Prediction in autism by deep learning short-time "
        "spontaneous hemodynamic fluctuations. Frontiers in Neuroscience 13:1120.",
        claims=(
            PaperClaim("HbR, channel 10", 92.2, 85.0, 99.4),
            PaperClaim("HbO, channel 43", 90.8, 87.9, 93.8),
            PaperClaim("total, channel 25", 90.0, 81.6, 98.5),
        ),
        unstated=UNSTATED,
    ),
    ours="A CGRNN for every channel and chromophore on windows of 7 s; the channel is chosen within the "
    "fold, people are predicted who were never seen.",
    recipe="xu2019",
    not_exportable_because="a bundle holds networks of all channels",
)
XU2020 = Recorded(
    name="xu2020",
    title="CNN with LSTM on all optical channels (Xu 2020)",
    paper=Paper(
        "Xu L, Liu Y, Yu J, Li X, Yu X, Cheng H, Li J (2020). Characterizing autism spectrum disorder by "
        "deep learning spontaneous brain activity from functional near-infrared spectroscopy. Journal of "
        "Neuroscience Methods 331:108538.",
        claims=(
            PaperClaim("HbO", 95.0, 98.6, 91.4),
            PaperClaim("HbR", None, 97.1, 94.3),
        ),
        unstated=UNSTATED,
    ),
    ours="Windows of 7 s of HbO and HbR of all channels; people are predicted who were never seen.",
    recipe="xu2020",
)
RECORDED: Mapping[str, Recorded] = MappingProxyType({each.name: each for each in (XU2019, XU2020)})
"""By name."""


def is_cohort(path: Path) -> bool:
    """Whether a folder, or a table, names recordings of people (`offline.base.cohort`)."""
    table = path / "cohort.tsv" if path.is_dir() else path
    if not table.is_file() or table.suffix.lower() != ".tsv":
        return False
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        columns = {canonical(name) for name in file.readline(10_000).split("\t")}
    return {"recording", "person"} <= columns


def run_recorded(
    system: Recorded, cohort: Path, out: Path, *, workers: int = 1, allow_damaged: bool = False
) -> None:
    """Evaluate a system's recipe on a cohort, with its audit, and write that report; see `evaluate`."""
    from offline.evaluation.evaluate import evaluate
    from offline.samples.recipe import load_recipe
    from realtime.inference import one_thread

    one_thread()
    recipe = load_recipe(system.recipe, allow_damaged=allow_damaged)
    evaluate(cohort, recipe, out, workers=workers, audited=True)
