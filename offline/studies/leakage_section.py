"""The leakage audit of a study as a section of its page, and as one cell of the table of all."""

import base64
import io
from collections.abc import Mapping
from typing import Any

from offline.evaluation.leakage.protocols import BY_NAME, OF_SCANS
from offline.report.leakage import audit_table, draw_audit
from offline.studies.sheet import listed, table, text

BY_PROTOCOL = (
    "system: site, people",
    *(cell for protocol in OF_SCANS for cell in (str(protocol), "honest")),
)


def section(results: Mapping[str, Any]) -> str:
    """What leakage protocols would have claimed, as HTML; empty where none was tried.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.
    """
    found = results.get("leakage")
    if not found:
        return ""
    title = "<h2>What leakage protocols would have claimed</h2>"
    if "why_not" in found:
        return f"{title}<p>No leakage protocol was tried: {text(found['why_not'])}.</p>"
    head, rows = audit_table(found)
    parts = [title, f"<p>{text(introduction(found))}</p>", picture(found)]
    return "".join([*parts, table(head, rows), listed("", notes(found))])


def introduction(found: Mapping[str, Any]) -> str:
    """What was done, and on whom.

    Parameters
    ----------
    found : mapping
        What ``results.json`` holds of the audit.
    """
    times = f"{found['divisions']} division{'' if found['divisions'] == 1 else 's'}"
    kept = f" Setting kept: {found['setting']}." if found["setting"] else ""
    return (
        f"The same model at one site, {found['site']} ({found['people']} people, majority "
        f"{found['majority_rate']:.3f}), in {found['folds']} folds, {times} with true labels and "
        f"{found['permutations']} permutations of the labels; {found['columns']} columns where they are "
        f"chosen, {found['parts']} parts where scans are cut: accuracy is of parts then, as such papers "
        f"report it.{kept} Permuted labels mean nothing: what a protocol finds in them, it made itself. "
        "No verdict on any paper."
    )


def notes(found: Mapping[str, Any]) -> list[str]:
    """What each protocol is, and which were not tried.

    Parameters
    ----------
    found : mapping
        What ``results.json`` holds of the audit.
    """
    tried = [BY_NAME[name] for name in found["protocols"]]
    return [f"{each}: {each.leaks}; its honest twin {each.twin}." for each in tried] + [
        f"{name}: not tried, for {why.rstrip('.')}." for name, why in found["skipped"].items()
    ]


def picture(found: Mapping[str, Any]) -> str:
    """The audit drawn, as an image that stands in the page itself.

    Parameters
    ----------
    found : mapping
        What ``results.json`` holds of the audit.
    """
    file = io.BytesIO()
    draw_audit(found).savefig(file, format="png", dpi=120)
    shown = base64.b64encode(file.getvalue()).decode()
    words = "accuracy of leakage protocols and of their honest twins"
    return f'<img src="data:image/png;base64,{shown}" alt="{words}" style="max-width:100%">'


def highest(results: Mapping[str, Any]) -> str:
    """The highest accuracy that a leakage protocol gave, and its honest twin's, in a few words.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.
    """
    found = (results.get("leakage") or {}).get("protocols")
    if not found:
        return "–"
    name = max(found, key=lambda each: float(_accuracy(found[each], "leaky")["value"]))
    leaky, honest = (_accuracy(found[name], twin)["value"] for twin in ("leaky", "honest"))
    return f"{name}: {leaky:.2f} (honest {honest:.2f})"


def by_protocol(results: Mapping[str, Any]) -> tuple[str, ...] | None:
    """A row under `BY_PROTOCOL`: accuracy of each protocol and its twin; None where none was tried.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.
    """
    found = results.get("leakage") or {}
    if not found.get("protocols"):
        return None
    cells = [f"{results['study']['title']}: {found['site']}, {found['people']}"]
    for protocol in OF_SCANS:
        its = found["protocols"].get(str(protocol))
        if its is None:
            cells += ["not tried", ""]
            continue
        for own in (_accuracy(its, "leaky"), _accuracy(its, "honest")):
            chance = own["permuted"]["mean"]
            cells.append(f"{own['value']:.3f}" + ("" if chance is None else f" ({chance:.3f})"))
    return tuple(cells)


def _accuracy(its: Mapping[str, Any], twin: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = its[twin]["accuracy"]
    return found
