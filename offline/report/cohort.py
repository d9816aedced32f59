"""Who was recorded, and what it takes to compute an evaluation again."""

import json
from collections.abc import Mapping
from typing import Any

from offline.report.page import Bullets, PageSection, Paragraph, Preformatted, TextTable
from offline.report.words import who


def cohort_of(results: Mapping[str, Any]) -> dict[str, Any]:
    """Who was recorded, and what of it could be used, of what ``results.json`` holds.

    Returns
    -------
    dict
        ``who`` (counts), ``people`` (a row each: recordings, windows seen and usable, labelled, seconds lost
        before the first usable window, reasons) and ``remarks``; JSON types.
    """
    people: dict[str, dict[str, Any]] = {}
    for account in results.get("recordings", ()):
        row = people.setdefault(
            account["person"],
            {"recordings": 0, "windows": 0, "fit": 0, "labelled": {}, "lost_s": 0.0, "lost": {}},
        )
        row["recordings"] += 1
        for key in ("windows", "fit", "lost_s"):
            row[key] += account[key]
        for key in ("labelled", "lost"):
            for name, n in account[key].items():
                row[key][name] = row[key].get(name, 0) + n
    return {"who": results["who"], "people": people, "remarks": list(results["remarks"])}


def cohort_section(results: Mapping[str, Any]) -> PageSection:
    """The same as a table of people."""
    cohort, labels = cohort_of(results), results.get("labels", ())
    head = ("person", "recordings", "windows", "usable", *labels, "s before the first", "windows lost to")
    rows = [
        (
            person,
            *(str(its[name]) for name in ("recordings", "windows", "fit")),
            *(str(its["labelled"].get(label, 0)) for label in labels),
            f"{its['lost_s']:.0f}",
            ", ".join(f"{n} {why}" for why, n in its["lost"].items()) or "–",
        )
        for person, its in cohort["people"].items()
    ]
    note = "People stand under the codes of the cohort's own table." if rows else ""
    blocks = [Paragraph(who(cohort["who"])), TextTable(head, rows), Paragraph(note, note=True)]
    return PageSection("Cohort", [*blocks, Bullets(cohort["remarks"])])


def versions(results: Mapping[str, Any], run: Mapping[str, Any]) -> PageSection:
    """Recipe, hashes, software and machine."""
    recipe = results["recipe"]
    rows = [
        ("recipe", f"{recipe['name']}, {recipe['hash']}"),
        ("cohort", results["cohort_hash"]),
        ("began (UTC)", run["began_utc"]),
        *((name, str(value)) for its in ("versions", "machine") for name, value in run[its].items()),
    ]
    settings = json.dumps(recipe["settings"], indent=1, ensure_ascii=False)
    return PageSection(
        "Versions and hashes", [TextTable(("what", "which"), rows), Preformatted("Recipe", settings)]
    )
