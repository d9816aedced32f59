"""The encoder that a set's pre-trained row begins with: trained without labels on all other recordings."""

from pathlib import Path

from offline.base.cohort import read_cohort
from offline.samples.recipe import parse_recipe
from offline.training.pretrained import write_encoder
from offline.training.pretraining import pretrain
from tools.bench.classifier_rows import OLD_FILTERS, PROBE
from tools.bench.classifier_sets import SETS, data_folder

SOURCES = {
    "tapping": ("fnirs/homer3_tapping/subj*/*.nirs", 2),
    "n-back": ("fnirs/tufts_nback/*.snirf", 1),
    "rest": ("fnirs/rest/*.snirf", 1),
    "conversation": ("fnirs/conversation/*.snirf", 1),
}
"""Recordings below the folder of data, and which part of their path names the person, from the end.  The two
conditions are none: their positions are in another unit."""
SAME_PEOPLE = {"conversation": "rest"}


def sources_of(set_name: str) -> dict[str, tuple[str, int]]:
    """Those of `SOURCES` that a set has no recording of."""
    own = set(SETS[set_name].files)
    return {name: its for name, its in SOURCES.items() if its[0] not in own}


def encoder_of(set_name: str, folder: Path) -> Path:
    """The file of an encoder that has seen none of a set's recordings; made where it is not there.

    Parameters
    ----------
    set_name : str
        One of `SETS`.
    folder : Path
        For all encoders: sets with the same sources share one.
    """
    taken = sources_of(set_name)
    place = folder / "_".join(taken)
    out = place / "encoder.safetensors"
    if out.exists():
        return out
    place.mkdir(parents=True, exist_ok=True)
    cohorts = []
    for name, (pattern, part) in taken.items():
        lines = ["recording\tperson"]
        for file in sorted(data_folder().glob(pattern)):
            person = file.parts[-part].split("_")[0]
            lines.append(f"{file}\t{SAME_PEOPLE.get(name, name)}-{person}")
        table = place / f"{name}.tsv"
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        cohorts.append(read_cohort(table))
    recipe = parse_recipe(
        {
            "name": "unlabelled",
            "rate": 5.0,
            "window": {"length_s": 7.0, "step_s": 8.0},
            "pipeline": [dict(stage) for stage in OLD_FILTERS],
            "labels": {
                "source": "events",
                "target": "event",
                "intervals": {
                    label: {"events": [label], "delay_s": 0.0, "duration_s": 10.0} for label in ("a", "b")
                },
            },
            "model": PROBE,
            "training": {"epochs": 20},
        },
        "unlabelled",
    )
    made = pretrain(cohorts, recipe, seed=0)
    print(
        f"encoder of {' '.join(taken)}: {made.facts['windows']} windows, loss {made.facts['loss']}",
        flush=True,
    )
    write_encoder(out, made)
    return out
