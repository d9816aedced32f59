"""Which seed all chance of a run follows from."""

from models.errors import RecipeError

MOST_SEED = 2**31 - 1
"""What every generator of random numbers takes, a few more for repeats and folds added."""


def seed_of(recipe: int, asked: int | None) -> int:
    """What all chance follows from: what is asked for, or else what the recipe says.

    Raises
    ------
    RecipeError
        A seed is asked for that no recipe may have.
    """
    if asked is not None and not 0 <= asked <= MOST_SEED:
        raise RecipeError(f"The seed (--seed) is {asked}; expected a whole number, 0 to {MOST_SEED}.")
    return recipe if asked is None else asked
