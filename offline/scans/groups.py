"""Whether a comparison is one of diagnoses at all, or of sites that have one diagnosis each."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from models.errors import RecipeError
from offline.scans.base import Scans


def site_by_label(scans: Scans) -> dict[str, dict[str, int]]:
    """How many people of each label there are at each site; sites sorted, every label in each."""
    counts: dict[str, dict[str, int]] = {}
    for name in sorted(set(scans.site.tolist())):
        here = scans.y[scans.site == name]
        counts[name] = {label: int(np.count_nonzero(here == i)) for i, label in enumerate(scans.labels)}
    return counts


def as_text(counts: Mapping[str, Mapping[str, int]]) -> str:
    """The table of `site_by_label` in plain lines, a row a site."""
    table = pd.DataFrame.from_dict(counts, orient="index").rename(index={"": "(none)"})
    return table.rename_axis(columns="site").to_string()


def refuse_confounded(scans: Scans) -> None:
    """Refuse to compare labels that no site holds both of: the site would distinguish them.

    Where one site holds both nothing is refused, though the table may still be lopsided; a row of what the
    site alone would give says how much.  RecipeError, with the table.
    """
    counts = site_by_label(scans)
    present = [label for i, label in enumerate(scans.labels) if (scans.y == i).any()]
    if len(present) < 2:
        raise RecipeError(
            f"All {len(scans)} people are {present[0] if present else 'absent'}; expected two of "
            f"{', '.join(scans.labels)} to compare."
        )
    for one, other in combinations(present, 2):
        if not any(row[one] and row[other] for row in counts.values()):
            raise RecipeError(
                f"{one} against {other} cannot be compared here: no site holds both, so the site alone would "
                f"distinguish them:\n{as_text(counts)}\nExpected at least one site with both, in the same "
                "derivative. Add such people."
            )
