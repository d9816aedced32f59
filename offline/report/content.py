"""What stands in a report, as JSON: a pure function of what the evaluation wrote."""

from collections.abc import Mapping
from typing import Any

from offline.report.checklists import items
from offline.report.words import RESEARCH, finding, protocol, simulated, summary_of


def content(
    results: Mapping[str, Any],
    run: Mapping[str, Any],
    audit: Mapping[str, Any] | None,
    network_audit: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that the page says.

    Parameters
    ----------
    results, run : mapping
        What ``results.json`` and ``run.json`` hold.
    audit, network_audit : mapping or None
        What ``audit.json`` and ``audit-network.json`` hold.

    Returns
    -------
    dict
        JSON types.
    """
    return {
        "research_use_only": RESEARCH,
        "summary": summary_of(results),
        "simulated": simulated(results),
        "cohort": cohort_of(results),
        "protocol": protocol(results),
        "findings": {arm: finding(results, arm) for arm in results["arms"]},
        "figures": results["arms"],
        "null": results["null"],
        "leakage_audit": audit,
        "leakage_audit_network": network_audit,
        "channel_map": results["channel_map"],
        "explanations": results["explanations"],
        "over_time": results["over_time"],
        "checklists": [
            {"list": which, "item": what, "where": where}
            for which, what, where in items(results, audited=audit is not None)
        ],
        "recipe": results["recipe"],
        "cohort_hash": results["cohort_hash"],
        "run": dict(run),
    }


def cohort_of(results: Mapping[str, Any]) -> dict[str, Any]:
    """Who was recorded, and what of it could be used.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.

    Returns
    -------
    dict
        ``who`` (counts), ``people`` (a row each: recordings, windows seen and fit, labelled, seconds lost
        before the first fit window, reasons) and ``remarks``; JSON types.
    """
    people: dict[str, dict[str, Any]] = {}
    for account in results["recordings"]:
        row = people.setdefault(
            account["person"],
            {"recordings": 0, "windows": 0, "fit": 0, "labelled": {}, "lost_s": 0.0, "lost": {}},
        )
        row["recordings"] += 1
        row["windows"] += account["windows"]
        row["fit"] += account["fit"]
        row["lost_s"] += account["lost_s"]
        for key in ("labelled", "lost"):
            for name, n in account[key].items():
                row[key][name] = row[key].get(name, 0) + n
    return {"who": results["who"], "people": people, "remarks": list(results["remarks"])}
