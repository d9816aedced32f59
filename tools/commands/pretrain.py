"""``hemostream pretrain``: an encoder from recordings without labels."""

from pathlib import Path

from tools.messages import say
from tools.outputs import Out, check_new_file, whole_file


def pretrain(
    cohorts: tuple[Path, ...],
    /,
    *,
    recipe: str,
    out: Out,
    seed: int | None = None,
    overwrite: bool = False,
) -> None:
    """Train the encoder of "virtual_probe" on recordings without labels, rest included.

    Cohorts may have other montages and other events than the one that is learnt from later. Name the
    file in a recipe (training.pretrained). Nobody in it can be evaluated as unseen later: evaluate refuses
    people, and signals, that it has seen here.

    Parameters
    ----------
    cohorts : tuple of Path
        Tables of recordings (tabs between columns): recording, person; all are read as the recipe says.
    recipe : str
        One that ships with hemostream, or a TOML file, of the network "virtual_probe".
    out : Path
        File (safetensors) to write.
    seed : int
        Seed of all random draws, instead of the recipe's.
    overwrite : bool
        Replace a file that is there already.
    """
    check_new_file(out, "The encoder", overwrite=overwrite)

    from models.errors import RecipeError
    from models.networks import VIRTUAL_PROBE
    from offline.base.cohort import read_cohort
    from offline.base.progress import shown
    from offline.samples.recipe import check_model_of, load_recipe
    from offline.training.pretrained import write_encoder
    from offline.training.pretraining import pretrain as pretraining
    from realtime.inference import one_thread

    one_thread()
    its = load_recipe(recipe)
    check_model_of(its)
    if its.model.kind != VIRTUAL_PROBE:
        raise RecipeError(
            f"The recipe's model is {its.model.kind!r}; expected {VIRTUAL_PROBE!r}, whose encoder is the "
            "same for every montage."
        )
    if not cohorts:
        raise RecipeError("No cohort was given; expected one table of recordings or more.")
    tables = [read_cohort(cohort) for cohort in cohorts]
    with shown(None) as tell, whole_file(out) as part:
        made = pretraining(tables, its, seed=seed, progress=tell)
        digest = write_encoder(part, made)
    facts = made.facts
    say(
        f"Pre-trained on {facts['windows']} windows of {facts['people']} people. Which half of a "
        f"window belongs to which, on {facts['spared_people']} people who were spared: loss "
        f"{facts['loss']:.2f}, by chance {facts['chance']:.2f}."
    )
    say(f"Encoder: {out} (SHA-256 {digest[:12]})")
