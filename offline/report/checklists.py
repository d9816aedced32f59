"""Which questions of the reporting checklists the report answers, where, and which it leaves open.

Kapoor S et al. (2024). REFORMS: consensus-based recommendations for machine-learning-based science. Science
Advances 10:eadk3452.  Collins GS et al. (2024). TRIPOD+AI statement. BMJ 385:e078378.  Items are given by
topic, in our own words; whoever publishes fills in the originals.
"""

from collections.abc import Mapping
from typing import Any

from offline.report.words import by_time

Item = tuple[str, str, str]


def items(results: Mapping[str, Any], *, audited: bool) -> list[Item]:
    """Checklist, what is asked, and where it stands or why it does not.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.
    audited : bool
        Whether leakage protocols were run beside it.
    """
    few = results["people"] < 10
    by_person = results["primary"]["label_of"] == "person"
    sites = any("unseen site" in arm for arm in results["arms"])
    missing = "not answered here: "
    return [
        ("REFORMS", "what is claimed, of which population", missing + "the study's authors must say it"),
        ("REFORMS", "code, versions and settings to compute it again", "section Versions and hashes"),
        ("REFORMS", "where data come from, and how much was lost", "section Cohort"),
        ("REFORMS", "how data were prepared", "recipe in section Versions and hashes; all causal, by replay"),
        (
            "REFORMS",
            "which models were compared, how settings were chosen",
            "sections Protocol and Figures",
        ),
        (
            "REFORMS",
            "separation of training from test, leakage",
            "section Protocol; "
            + (
                "everybody is on both sides, with other parts of the recordings"
                if by_time(results)
                else "nobody is on both sides"
            ),
        ),
        (
            "REFORMS",
            "what leakage would have claimed",
            "section Leakage protocols" if audited else missing + "evaluate with --audit",
        ),
        (
            "REFORMS",
            "figures with their uncertainty, how it was found",
            missing + "too few people for an interval between them" if few else "section Figures",
        ),
        (
            "REFORMS",
            "whether it holds elsewhere",
            "rows 'unseen site' of section Figures" if sites else missing + "the cohort names no two sites",
        ),
        ("TRIPOD+AI", "setting, eligibility, recruitment", missing + "not part of the recordings"),
        (
            "TRIPOD+AI",
            "outcome and who judged it",
            missing + "the recipe names the label's source only",
        ),
        (
            "TRIPOD+AI",
            "sample size and how it was reached",
            "section Cohort; reasons are the authors' to give",
        ),
        ("TRIPOD+AI", "missing data and how they were treated", "section Cohort, windows lost and why"),
        (
            "TRIPOD+AI",
            "discrimination and calibration",
            "sections Figures and Plots" if by_person else "section Plots, over windows",
        ),
        (
            "TRIPOD+AI",
            "net benefit",
            "section Plots, decision curve" if by_person else missing + "nobody acts on a window alone",
        ),
        (
            "TRIPOD+AI",
            "fairness: figures of subgroups",
            missing + "sites only; sex and age are counted in section Cohort",
        ),
        ("TRIPOD+AI", "the model itself", "a bundle made by `hemostream train`, whose card has it all"),
    ]
