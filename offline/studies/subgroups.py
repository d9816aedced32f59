"""For whom a study's figures hold: by site, sex, age and motion, of the people of sites it had not seen.

Nothing is fitted: what was predicted of everybody is counted again within each group.  People are compared
with those of the same group and the same site, as in the whole; so a group of many sites has an AUC only from
the sites that hold both of its labels.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.base.predictions import Predictions
from offline.report.study import UNSEEN_SITE
from offline.scans import Scans
from offline.stats.metrics import FEWEST_FOR_OTHERS
from offline.studies.figures import figures_of

Groups = dict[str, npt.NDArray[np.bool_]]

LEAST = FEWEST_FOR_OTHERS
"""People of each label under which a group has its number and no figure: an interval over fewer, drawn from
themselves, says more than they know."""
CHILD, ADULT = 12.0, 18.0
"""Years: where ICH E11 (Clinical investigation of medicinal products in the pediatric population, 2000) ends
childhood and adolescence, and about where resting connectivity changes with puberty and where most adult
cohorts begin."""
UNKNOWN = "unknown"


def groups_of(scans: Scans) -> dict[str, Groups]:
    """By what people are divided, and then by group, who is in it, (n,) bool.

    Everybody is in one group of each division; groups of nobody are left out.
    """
    divisions: dict[str, Groups] = {
        "site": {str(name) or UNKNOWN: scans.site == name for name in np.unique(scans.site)},
        "sex": {
            "female": scans.sex == "F",
            "male": scans.sex == "M",
            UNKNOWN: ~np.isin(scans.sex, ("F", "M")),
        },
        "age": {
            f"under {CHILD:g} years": scans.age < CHILD,
            f"{CHILD:g} to under {ADULT:g} years": (scans.age >= CHILD) & (scans.age < ADULT),
            f"{ADULT:g} years and over": scans.age >= ADULT,
            UNKNOWN: ~np.isfinite(scans.age),
        },
        "motion": _thirds(scans.motion),
    }
    return {
        name: {group: members for group, members in groups.items() if members.any()}
        for name, groups in divisions.items()
    }


def subgroups(table: Predictions, scans: Scans) -> dict[str, Any]:
    """Figures of every group in the condition of unseen sites.

    Parameters
    ----------
    table : Predictions
        All conditions of a study; ``sample`` counts the rows of `scans`.
    scans : Scans
        Of whom.

    Returns
    -------
    dict
        JSON types: ``least``, and ``divisions`` by name, each a list of groups with ``group``, ``people``,
        ``n`` (people of each label) and ``figures``, which is None for a group under `LEAST` of either label.
        Empty where there was no unseen site.
    """
    condition = table.of_condition(UNSEEN_SITE)
    if not len(condition):
        return {}
    divisions = {
        name: [
            _of_group(group, condition.rows(members[condition.sample])) for group, members in groups.items()
        ]
        for name, groups in groups_of(scans).items()
    }
    return {"condition": UNSEEN_SITE, "least": LEAST, "divisions": divisions}


def _of_group(group: str, own: Predictions) -> dict[str, Any]:
    # One scan a person, predicted once in this condition: rows are people.
    counts = np.bincount(own.y, minlength=2)[:2]
    out: dict[str, Any] = {
        "group": group,
        "people": len(own),
        "n": {label: int(n) for label, n in zip(own.labels, counts, strict=True)},
        "figures": None,
    }
    if counts.min() < LEAST:
        return out
    whole: Mapping[str, Any] = figures_of(own, {})[UNSEEN_SITE]
    out["figures"] = {
        "majority_rate": whole["majority_rate"],
        "accuracy": {"value": whole["accuracy"], "interval": whole["accuracy_interval"]},
    } | {
        name: {"value": whole[name]["value"], "interval": whole[name]["interval"]}
        for name in ("balanced_accuracy", "auc")
    }
    return out


def _thirds(motion: npt.NDArray[np.float64]) -> Groups:
    """Thirds of those whose motion is known; who moved exactly as much as a bound is in the lower one."""
    known = np.isfinite(motion)
    if not known.any():
        return {UNKNOWN: ~known}
    low, high = np.quantile(motion[known], [1 / 3, 2 / 3])
    return {
        f"least third (to {low:.3f} mm)": known & (motion <= low),
        f"middle third (to {high:.3f} mm)": known & (motion > low) & (motion <= high),
        f"greatest third (over {high:.3f} mm)": known & (motion > high),
        UNKNOWN: ~known,
    }
