"""The sets of the comparison of classifiers (`tools.bench.classifier`), and the recipe of each row."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import HemostreamError
from models.networks import RIDGE, SOLVED_KINDS
from offline.samples.recipe import Recipe, load_recipe, parse_recipe
from offline.simulation.cohort import write_cohort
from offline.simulation.settings import Simulation, TaskBlocks
from tools.bench.classifier_rows import ALIGN, BEST_ROW, MODELS, NETWORK_ROW, PROBE, ComparedModel


@dataclass(frozen=True)
class ComparedSet:
    """Recordings and a question.

    Parameters
    ----------
    recipe : str
        The one that ships for such recordings.
    events : mapping of label to tuple of str
        Names of the events that begin each label's interval, in place of the recipe's.
    files : tuple of str
        Of recordings: patterns below the folder of data.
    person : int
        Which part of a recording's path names the person, from the end.
    simulated : tuple or None
        Seconds, block, rest, jitter and seed of simulated people instead.
    without : str
        A stage of the recipe that these files do not allow.
    changes : mapping
        Sections of the recipe that these files need.
    cheaper : mapping
        Sections for networks where these people are many: less to compute.
    without_rows : tuple of str
        Rows that would cost too much here.
    """

    recipe: str
    events: Mapping[str, tuple[str, ...]]
    files: tuple[str, ...] = ()
    person: int = 1
    simulated: tuple[float, float, float, float, int] | None = None
    without: str = ""
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cheaper: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    without_rows: tuple[str, ...] = ()


CHEAPER: Mapping[str, Mapping[str, Any]] = {
    "window": {"step_s": 4.0},
    "training": {"epochs": 12, "patience": 3},
}
TOO_MUCH_OF_FOUR = (
    "+ ensemble of 3",
    "+ regularisation",
    "+ positions, pre-trained",
    "+ alignment",
    "+ alignment, ridge",
    "+ alignment, linear",
    "kept filters aligned, CGRNN",
    "kept filters aligned, ridge",
    "kept filters aligned, linear",
    "kept filters, positions",
    NETWORK_ROW,
    BEST_ROW,
)
SIDES_OF = {"left": ("left",), "right": ("right",)}
SETS: Mapping[str, ComparedSet] = {
    "homer3_tapping": ComparedSet(
        "movement", {"rest": ("1",), "movement": ("1",)}, ("fnirs/homer3_tapping/subj*/*.nirs",), 2
    ),
    "homer3_two_conditions": ComparedSet(
        "movement",
        {"rest": ("1", "2"), "movement": ("1", "2")},
        tuple(f"fnirs/homer3_two_conditions/nirs/s*/neuro_run{n:02}.nirs" for n in (1, 4, 5, 6, 7, 8, 9, 10)),
        2,
        changes={"input": {"length_unit": "cm"}},
    ),
    "n-back 0/2": ComparedSet(
        "nback",
        {"low": ("0-back",), "high": ("2-back",)},
        ("fnirs/tufts_nback/*.snirf",),
        cheaper=CHEAPER,
    ),
    "n-back, four loads": ComparedSet(
        "nback",
        {f"{load}-back": (f"{load}-back",) for load in range(4)},
        ("fnirs/tufts_nback/*.snirf",),
        cheaper=CHEAPER,
        without_rows=TOO_MUCH_OF_FOUR,
    ),
    "Cortivision, one person": ComparedSet(
        "lateralised",
        {"left": ("LEFT",), "right": ("RIGHT",)},
        ("fnirs/lsl_tapping_xdf/*.xdf",),
        without="homologues",  # its channels have no positions
        changes={
            "input": {
                "min_distance": 0.015,
                "max_distance": 0.05,
                "stream": "raw",
                "layout": "fnirs/lsl_tapping_xdf/sub-001_task-fingertapping_nirs.json",
            },
            "evaluation": {"by": "time"},
        },
    ),
    "simulated, 10 s": ComparedSet("lateralised", SIDES_OF, simulated=(480.0, 10.0, 20.0, 8.0, 21)),
    "simulated, 45 s": ComparedSet("lateralised", SIDES_OF, simulated=(900.0, 45.0, 30.0, 10.0, 22)),
}


def cohort_of(name: str, folder: Path) -> Path:
    """The table of a set's cohort, written into a folder; simulated recordings beside it.

    Raises
    ------
    HemostreamError
        The environment names no data, or a pattern finds no file.
    """
    its = SETS[name]
    if its.simulated is not None:
        if not (folder / "cohort.tsv").exists():
            seconds, block, rest, jitter, seed = its.simulated
            task = TaskBlocks(block_s=block, rest_s=rest, jitter_s=jitter, lateral=0.4)
            settings = Simulation(rate=5.0, seconds=seconds, n_short=0, task=task)
            write_cohort(folder, settings, 16, seed)
        return folder / "cohort.tsv"
    files = [file for pattern in its.files for file in sorted(data_folder().glob(pattern))]
    if not files:
        raise HemostreamError(f"Nothing in {data_folder()} is called {' or '.join(its.files)}.")
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["recording\tperson", *(f"{file}\t{_person(file, its.person)}" for file in files)]
    (folder / "cohort.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "cohort.tsv"


def data_folder() -> Path:
    """What `HEMOSTREAM_DATA` names."""
    if not (data := os.environ.get("HEMOSTREAM_DATA")):
        raise HemostreamError("HEMOSTREAM_DATA is not set; expected the folder of real recordings.")
    return Path(data)


def _person(file: Path, part: int) -> str:
    return file.parts[-part].split("_")[0]


def recipe_of(set_name: str, model: str, *, permutations: int, encoder: str = "") -> Recipe:
    """The recipe of one row of the comparison; its pre-trained encoder's file, where it has one."""
    its, compared = SETS[set_name], MODELS[model]
    ships = load_recipe(its.recipe).model_dump(exclude={"name"})
    first = next(iter(ships["labels"]["intervals"].values()))
    intervals = ships["labels"]["intervals"] if set(its.events) <= set(ships["labels"]["intervals"]) else {}
    ships["labels"]["intervals"] = {
        label: {**intervals.get(label, first), "events": events} for label, events in its.events.items()
    }
    if compared.pipeline is not None:
        ships["pipeline"] = compared.pipeline
    ships["pipeline"] = [stage for stage in ships["pipeline"] if stage["stage"] != its.without]
    if compared.aligned:
        ships["pipeline"] = [ALIGN if stage["stage"] == "normalise" else stage for stage in ships["pipeline"]]
    if compared.model:
        own = ships["model"]["params"] if compared.own_features else {}
        own = own if not own or compared.model["kind"] == RIDGE else {RIDGE: own}
        ships["model"] = dict(compared.model) | ({"params": own} if own else {})
    if SIDES_OF.keys() == its.events.keys():
        ships["labels"]["mirror"] = [["left", "right"]]
    ships["training"] |= compared.training
    if compared.mirrored and _sided(its):
        ships["training"]["augmentation"] = {"mirror": True}
    if compared.pretrained and encoder:
        sha256 = hashlib.sha256(Path(encoder).read_bytes()).hexdigest()
        ships["training"]["pretrained"] = {"file": encoder, "sha256": sha256}
    ships["evaluation"] |= {"permutations": permutations}
    for changes in (its.changes, its.cheaper if _has_network(compared) else {}):
        for section, values in changes.items():
            ships[section] |= values
    if layout := ships["input"].get("layout"):
        ships["input"]["layout"] = str(data_folder() / layout)
    return parse_recipe({"name": f"{set_name}, {model}", **ships}, set_name)


def models_of(set_name: str) -> list[str]:
    """The rows of a set."""
    its = SETS[set_name]
    return [
        name
        for name, model in MODELS.items()
        if name not in its.without_rows
        and (_sided(its) or not model.lateral)
        and not (its.without and model.placed)
        # Behind differences of sides there is no place that the network could know.
        and not (model.pipeline is None and model.model == PROBE and _sided(its))
    ]


def _sided(its: ComparedSet) -> bool:
    """Whether left and right are labels and channels' positions are known."""
    return SIDES_OF.keys() == its.events.keys() and not its.without


def _has_network(compared: ComparedModel) -> bool:
    """Whether anything of it is trained step by step; a recipe that ships has no network."""
    kinds = compared.model.get("members", (compared.model.get("kind"),))
    return any(kind is not None and kind not in SOLVED_KINDS for kind in kinds)
