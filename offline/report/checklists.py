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

    Of what ``results.json`` holds, and whether leakage protocols were run too.
    """
    by_person = results["primary"]["label_of"] == "person"
    sites = any("unseen site" in name for name in results["conditions"])
    missing = "not answered here: "

    def there(answered: bool, where: str, why: str) -> str:
        return where if answered else missing + why

    leakage = "everybody is on both sides, with other parts of the recordings"
    if not by_time(results):
        leakage = "no person is on both sides"
    reforms = {
        "what is claimed, of which population": missing + "the study's authors must say it",
        "code, versions and settings to compute it again": "section Versions and hashes",
        "where data come from, and how much was lost": "section Cohort",
        "how data were prepared": "recipe in section Versions and hashes; all causal, by replay",
        "which models were compared, how settings were chosen": "sections Protocol and Figures",
        "separation of training from test, leakage": f"section Protocol; {leakage}",
        "what leakage would have claimed": there(
            audited, "section Leakage protocols", "evaluate with --audit"
        ),
        "figures with their uncertainty, how it was found": there(
            results["people"] >= 10, "section Figures", "too few people for an interval between them"
        ),
        "whether it holds elsewhere": there(
            sites, "rows 'unseen site' of section Figures", "the cohort names no two sites"
        ),
    }
    tripod = {
        "setting, eligibility, recruitment": missing + "not part of the recordings",
        "outcome and who assessed it": missing + "the recipe names the label's source only",
        "sample size and how it was reached": "section Cohort; reasons are the authors' to give",
        "missing data and how they were treated": "section Cohort, windows lost and why",
        "discrimination and calibration": "sections Figures and Plots"
        if by_person
        else "section Plots, over windows",
        "net benefit": there(by_person, "section Plots, decision curve", "nobody acts on a window alone"),
        "fairness: figures of subgroups": missing + "sites only; sex and age are counted in section Cohort",
        "the model itself": "a bundle made by `hemostream train`, whose card has it all",
    }
    lists = {"REFORMS": reforms, "TRIPOD+AI": tripod}
    return [(name, asked, where) for name, its in lists.items() for asked, where in its.items()]
