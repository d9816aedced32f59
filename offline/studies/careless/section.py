"""The careless protocols of a study as a section of its page, and as one cell of the table of all."""

from collections.abc import Mapping
from typing import Any

from offline.studies.careless.habits import EXPLAINED, Habit
from offline.studies.sheet import listed, table, text

HONEST, CARELESS = "#0072b2", "#d55e00"
"""Colours that stay apart for those who do not see red or green."""
LEFT, WIDTH, BAR, GAP = 300, 360, 16, 14
"""Of the bars, in pixels: where they begin, how long 1 is, how thick they are, and between habits."""
BY_HABIT = ("system: site, people", *(each for habit in Habit for each in (str(habit), "honest")))
HEAD = (
    "protocol",
    "",
    "accuracy",
    "balanced accuracy",
    "AUC within folds",
    "on permuted labels: accuracy (SD)",
    "balanced accuracy",
    "AUC within folds",
)


def section(results: Mapping[str, Any]) -> str:
    """What careless protocols would have claimed, as HTML; empty where none was tried.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.
    """
    found = results.get("careless")
    if not found:
        return ""
    title = "<h2>What careless protocols would have claimed</h2>"
    if "why_not" in found:
        return f"{title}<p>No careless protocol was tried: {text(found['why_not'])}.</p>"
    times = f"{found['divisions']} division{'' if found['divisions'] == 1 else 's'}"
    kept = f" Setting kept: {found['setting']}." if found["setting"] else ""
    intro = (
        f"The same model at one site, {found['site']} ({found['people']} people, majority "
        f"{found['majority_rate']:.3f}), in {found['folds']} folds, {times} with true labels and "
        f"{found['labellings']} permuted labellings; {found['columns']} columns where they are chosen, "
        f"{found['parts']} parts where scans are cut.{kept} Labels that were permuted "
        "mean nothing: what a protocol finds in them, it made itself. No verdict on any paper."
    )
    habits = found["habits"]
    notes = [f"{name}: {EXPLAINED[Habit(name)]}" for name in habits]
    notes += [f"{name}: not tried, for {why.rstrip('.')}." for name, why in found["skipped"].items()]
    return "".join(
        [
            title,
            f"<p>{text(intro)}</p>",
            bars(habits),
            table(HEAD, [row for name, its in habits.items() for row in _rows(name, its)]),
            listed("", notes),
        ]
    )


def highest(results: Mapping[str, Any]) -> str:
    """The highest accuracy that a careless habit gave, and its honest twin's, in a few words.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.
    """
    found = (results.get("careless") or {}).get("habits")
    if not found:
        return "–"
    name = max(found, key=lambda each: float(found[each]["careless"]["true"]["accuracy"]))
    careless, honest = (found[name][twin]["true"]["accuracy"] for twin in ("careless", "honest"))
    return f"{name}: {careless:.2f} (honest {honest:.2f})"


def by_habit(results: Mapping[str, Any]) -> tuple[str, ...] | None:
    """A row under `BY_HABIT`: accuracy of each habit and its twin; None where none was tried.

    Parameters
    ----------
    results : mapping
        What ``results.json`` holds.
    """
    found = results.get("careless") or {}
    if not found.get("habits"):
        return None
    cells = [f"{results['study']['title']}: {found['site']}, {found['people']}"]
    for habit in Habit:
        its = found["habits"].get(str(habit))
        for twin in ("careless", "honest"):
            if its is None:
                cells.append("not tried" if twin == "careless" else "")
                continue
            chance = its[twin]["permuted"]["accuracy"]["mean"]
            cells.append(
                f"{its[twin]['true']['accuracy']:.3f}" + ("" if chance is None else f" ({chance:.3f})")
            )
    return tuple(cells)


def bars(habits: Mapping[str, Any]) -> str:
    """Accuracy of every habit and its twin, on true and (pale, with its SD) on permuted labels, as SVG.

    Parameters
    ----------
    habits : mapping
        Of `offline.studies.careless.auditing.audit_study`.
    """
    parts, y = [], 22
    for name, its in habits.items():
        parts.append(_text(0, y + 2 * BAR, name))
        for twin, colour in (("careless", CARELESS), ("honest", HONEST)):
            for kind, paleness in (("true", 1.0), ("permuted", 0.4)):
                own = its[twin][kind]["accuracy"]
                value, sd = (own["mean"], own["sd"]) if isinstance(own, Mapping) else (own, None)
                if value is None:
                    continue
                label = twin if kind == "true" else "permuted"
                end, middle = LEFT + value * WIDTH, y + (BAR - 3) / 2
                parts.append(
                    f'<rect x="{LEFT}" y="{y}" width="{value * WIDTH:.1f}" height="{BAR - 3}" '
                    f'fill="{colour}" fill-opacity="{paleness}"/>'
                )
                if sd is not None:
                    parts.append(
                        f'<line x1="{end - sd * WIDTH:.1f}" x2="{end + sd * WIDTH:.1f}" y1="{middle}" '
                        f'y2="{middle}" stroke="currentColor"/>'
                    )
                parts.append(_text(LEFT - 64, y + BAR - 5, label, 12))
                parts.append(_text(LEFT + WIDTH + 14, y + BAR - 5, f"{value:.2f}", 12))
                y += BAR
        y += GAP
    half = LEFT + 0.5 * WIDTH
    parts.append(
        f'<line x1="{half}" x2="{half}" y1="16" y2="{y - GAP}" stroke="currentColor" stroke-dasharray="2 3"/>'
    )
    parts.append(_text(LEFT, 10, "accuracy, from 0 to 1; dotted: one half", 12))
    size = f'viewBox="0 0 {LEFT + WIDTH + 60} {y}" width="{LEFT + WIDTH + 60}" height="{y}"'
    return (
        f'<div style="overflow-x:auto"><svg xmlns="http://www.w3.org/2000/svg" {size} role="img" '
        f'aria-label="accuracy of careless protocols and of their honest twins" fill="currentColor" '
        f'font-family="system-ui,sans-serif" font-size="14">{"".join(parts)}</svg></div>'
    )


def _rows(name: str, its: Mapping[str, Any]) -> list[tuple[str, ...]]:
    out = []
    for twin in ("careless", "honest"):
        true, permuted = its[twin]["true"], its[twin]["permuted"]
        cells = [f"{true[metric]:.3f}" for metric in ("accuracy", "balanced_accuracy", "auc")]
        if name == Habit.WINDOWS:
            cells[0] += f" (by person {its[twin]['accuracy_by_person']:.3f})"
        cells += [_mean(permuted[metric]) for metric in ("accuracy", "balanced_accuracy", "auc")]
        out.append((name if twin == "careless" else "", twin, *cells))
    return out


def _mean(its: Mapping[str, float | None]) -> str:
    if its["mean"] is None:
        return "–"
    return f"{its['mean']:.3f}" + ("" if its["sd"] is None else f" ({its['sd']:.3f})")


def _text(x: float, y: float, words: str, size: int = 14) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}">{text(words)}</text>'
