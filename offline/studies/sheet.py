"""What pages of studies are made of: each page needs nothing but itself."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from models.private import write_private

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .6rem;border-bottom:1px solid #ccc;"
    "text-align:left;vertical-align:top;min-width:4.5rem}th{border-bottom:2px solid #444}.note{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}td,th{border-color:#444}.note{color:#aaa}}"
)
VIEWPORT = "<meta name=viewport content='width=device-width,initial-scale=1'>"
Row = Sequence[str]


def write_sheet(path: Path, title: str, parts: Sequence[str], *, wide: bool = False) -> None:
    """Write a page.

    Parameters
    ----------
    path : path
        Of the page.
    title : str
        Its title.
    parts : sequence of str
        HTML.
    wide : bool
        Whether it takes the whole window, for a table of many columns.
    """
    style = STYLE.replace("max-width:72rem", "max-width:none") if wide else STYLE
    page = f"<!doctype html><html lang=en><meta charset=utf-8>{VIEWPORT}<title>{text(title)}</title>"
    page += f"<style>{style}</style><body>{''.join(parts)}</body></html>"
    write_private(path, page + "\n")


def table(head: Row, rows: Sequence[Row]) -> str:
    """A table as HTML; a wide one scrolls by itself."""
    first = "".join(f"<th>{text(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div style='overflow-x:auto'><table><tr>{first}</tr>{body}</table></div>"


def listed(title: str, items: Sequence[str]) -> str:
    """A title and what stands under it, as HTML; empty where there is nothing."""
    if not items:
        return ""
    head = f"<p>{text(title)}:</p>" if title else ""
    return f"{head}<ul class=note>{''.join(f'<li>{text(item)}</li>' for item in items)}</ul>"


def links(all_results: Sequence[Mapping[str, Any]], say: Mapping[str, str] | None = None) -> str:
    """Links to the pages of studies, as HTML.

    Parameters
    ----------
    all_results : sequence of mapping
        Of each study.
    say : mapping of str to str, optional
        What stands behind a study's link.
    """
    items = []
    for each in all_results:
        name = each["study"]["name"]
        behind = f": {text(say[name])}" if say else ""
        items.append(
            f'<li><a href="{text(name)}/report.html">{text(each["study"]["title"])}</a>{behind}</li>'
        )
    return f"<ul>{''.join(items)}</ul>"


def markdown(head: Row, rows: Sequence[Row]) -> str:
    """A table as Markdown, whatever stands in its cells."""
    whole = [head, ["---"] * len(head), *rows]
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in whole]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def write_json(path: Path, values: Any) -> None:
    """Write JSON that a person can read, without numbers that JSON does not have."""
    write_private(path, json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def number(value: float | None) -> str:
    """Three digits, or a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def figure(value: float | None, interval: Sequence[float] | None) -> str:
    """A number and its interval, where it has one."""
    ends = "" if value is None or interval is None else f" ({interval[0]:.3f} to {interval[1]:.3f})"
    return number(value) + ends


def text(what: object) -> str:
    """As HTML says it."""
    return escape(str(what))
