"""The report as one HTML file that needs nothing but itself (mne.Report)."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mne
from matplotlib.figure import Figure

from models.errors import HemostreamError
from models.private import replace_private, write_private
from models.regular_file import read_regular
from offline.base.predictions import Predictions, read_predictions
from offline.explain.maps import METHODS
from offline.report.content import content
from offline.report.leakage import audit_table
from offline.report.plots import calibration, decision, outcomes, over_time_plot, roc
from offline.report.words import against_chance, chance_of, fitted_to, stopping, who

PAGE, JSON = "report.html", "report.json"


def write_report(folder: Path) -> Path:
    """Make the page, and the same as JSON, from what an evaluation wrote.

    Parameters
    ----------
    folder : path
        Of the evaluation.

    Returns
    -------
    path
        The page.

    Raises
    ------
    HemostreamError
        The folder is none of an evaluation.
    """
    results, run = (_read(folder / name) for name in ("results.json", "run.json"))
    audit, network_audit = (
        _read(folder / name) if (folder / name).exists() else None
        for name in ("audit.json", "audit-network.json")
    )
    if "amount" in results:
        raise HemostreamError(
            f"{folder} holds an evaluation of an amount ({results['amount']}), which has no page yet."
        )
    if "recipe" not in results or "primary" not in results:
        raise HemostreamError(
            f"{folder} holds no report of hemostream evaluate. A study's pages are made by "
            "hemostream study run: start that again with the same --out."
        )
    table = read_predictions(folder / "predictions.csv")
    said = content(results, run, audit, network_audit)
    page = _page(said, table, results, _pictures(folder))
    write_private(folder / JSON, json.dumps(said, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    replace_private(folder / PAGE)
    page.save(folder / PAGE, open_browser=False, overwrite=True, verbose="error")
    return folder / PAGE


def picture_of(method: str) -> str:
    """The file in which a map is drawn."""
    return f"explanation-{method.replace(' ', '-')}.png"


def _pictures(folder: Path) -> dict[str, Path]:
    """What was drawn, by title."""
    wanted = {
        "Leakage protocols": "audit.png",
        "Leakage protocols, network": "audit-network.png",
        "Map: where labels differ": "channel-map.png",
    } | {f"Map: {method}": picture_of(method) for method in METHODS}
    return {title: folder / name for title, name in wanted.items() if (folder / name).exists()}


def _page(
    said: Mapping[str, Any], table: Predictions, results: Mapping[str, Any], pictures: Mapping[str, Path]
) -> Any:
    report = mne.Report(title=f"hemostream: {html.escape(results['recipe']['name'])}", verbose="error")
    by_person = results["primary"]["label_of"] == "person"
    own = results["recipe"]["network"]

    def add(title: str, text: str) -> None:
        report.add_html(text, title, tags=("text",))

    def draw(title: str, figure: Figure, caption: str) -> None:
        report.add_figure(
            figure, title, caption=caption, image_format="png", tags=("plots",), section="Plots"
        )

    add("In short", _paragraphs([*said["summary"], said["simulated"], said["research_use_only"]]))
    add("Cohort", _cohort(said["cohort"], results["labels"]))
    add("Protocol", _paragraphs([said["protocol"], _fixed(results)]))
    add("Figures", _figures(results, said))
    draw(
        "Each person",
        outcomes(table, own, by_person=by_person and len(results["labels"]) == 2),
        f"What {own} gave for each person, fitted to {fitted_to(results)}.",
    )
    if len(results["labels"]) == 2:
        arms = [arm for arm in table.arms if "," not in arm and arm != "majority"][:6]
        unit = "people compared within a fold" if by_person else "each person's windows, averaged over people"
        draw("ROC curves", roc(table, arms, by_person=by_person), f"Of {unit}. Dotted: chance.")
        draw("Calibration", calibration(table, arms, by_person=by_person), "Dotted: what was said is true.")
        if by_person:
            share = results["recipe"]["settings"]["evaluation"]["prevalence"]
            draw("Decision curve", decision(table, arms, share), "Higher is better; 0 is to act on nobody.")
    for its in (said["leakage_audit"], said["leakage_audit_network"]):
        if its is not None:
            add(f"Leakage protocols, {its['model']}", _leakage(its))
    if (evidence := said["over_time"]) is not None:
        add("Evidence over time", _paragraphs([stopping(evidence)]))
        draw(
            "Evidence over time", over_time_plot(evidence), "Grey: windows added as if they were independent."
        )
    if (where := said["channel_map"]) is not None:
        add("Map: where labels differ", _where(where, results["labels"]))
    for method, its in said["explanations"].items():
        add(f"Map: {method}", _paragraphs([_map(its)]))
    for title, path in pictures.items():
        report.add_image(path, title, tags=("pictures",), section="Pictures")
    add("Checklists", _checklists(said["checklists"]))
    add("Versions and hashes", _versions(said))
    return report


def _cohort(cohort: Mapping[str, Any], labels: Sequence[str]) -> str:
    rows = [
        (
            person,
            its["recordings"],
            its["windows"],
            its["fit"],
            *(its["labelled"].get(label, 0) for label in labels),
            f"{its['lost_s']:.0f}",
            ", ".join(f"{n} {why}" for why, n in its["lost"].items()) or "–",
        )
        for person, its in cohort["people"].items()
    ]
    head = (
        "person",
        "recordings",
        "windows",
        "fit to judge",
        *labels,
        "s before the first",
        "windows lost to",
    )
    note = "People stand under the codes of the cohort's own table."
    return _paragraphs([who(cohort["who"]), note, *cohort["remarks"]]) + _table(head, rows)


def _fixed(results: Mapping[str, Any]) -> str:
    metric = _name(results["primary"]["metric"])
    return (
        f"Fixed before the run, and part of the recipe's hash: the primary figure is {metric} by person; the "
        f"label belongs to the {results['primary']['label_of']}."
    )


def _figures(results: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    rows = []
    for arm, its in results["arms"].items():
        cells: list[Any] = [arm]
        for metric in ("auc", "balanced_accuracy"):
            own = its["by_person"][metric]
            cells += [_number(own["value"]), _ends(own["interval"]), _ends(own["bootstrap"]), _p(own["p"])]
        rows.append((*cells, _number(its["pooled"]["majority_rate"])))
    one = ("95 % (null's SD)", "95 % (bootstrap)", "p")
    head = ("", "AUC", *one, "balanced accuracy", *one, "majority rate")
    words = [f"{arm}: {_in_words(results, arm)}" for arm in results["arms"]]
    why = (
        "Intervals by the bootstrap alone are too narrow for cross-validated figures; those by the spread of "
        "the permutation null are the ones to quote. Under 10 people there is none between people."
    )
    return _paragraphs([why]) + _table(head, rows) + _listed(words) + _within(results) + _compared(results)


def _in_words(results: Mapping[str, Any], arm: str) -> str:
    metric = results["primary"]["metric"]
    its = results["arms"][arm]["by_person"][metric]
    return "not determined" if its["value"] is None else against_chance(its, chance_of(results, metric))


def _within(results: Mapping[str, Any]) -> str:
    """Each person's own interval, where people are too few for one between them."""
    own = {arm: its["by_person"].get("of_each") for arm, its in results["arms"].items()}
    rows = [(arm, *(_ends(ends) for ends in each.values())) for arm, each in own.items() if each]
    if not rows:
        return ""
    people = next(list(each) for each in own.values() if each)
    metric = _name(results["primary"]["metric"])
    text = f"Within each person, {metric}: 95 %, whole blocks drawn anew."
    return _paragraphs([text]) + _table(("", *people), rows)


def _compared(results: Mapping[str, Any]) -> str:
    own = results["recipe"]["network"]
    rows = [
        (f"{own} less {arm}", *(cell for each in ("figure", "log_loss") for cell in _apart(its[each])))
        for arm, its in results["compared"].items()
    ]
    text = (
        "Paired, person by person; intervals by drawing people (none under 10 people). Log loss below 0: "
        "the first is better."
    )
    interval = "95 % (bootstrap)"
    return _paragraphs([text]) + _table(
        ("", _name(results["primary"]["metric"]), interval, "log loss, nats", interval), rows
    )


def _apart(its: Mapping[str, Any]) -> tuple[str, str]:
    difference = its["difference"]
    return "–" if difference is None else f"{difference:+.3f}", _ends(its["interval"])


def _leakage(audit: Mapping[str, Any]) -> str:
    return _paragraphs([f"{audit['says'][0].upper()}{audit['says'][1:]}."]) + _table(*audit_table(audit))


def _where(its: Mapping[str, Any], labels: Sequence[str]) -> str:
    """The channels that lie farthest apart."""
    rows = [
        (row["channel"], row["feature"], f"{row['statistic']:+.2f}", _p(row["p"]))
        for row in its["channels"][:10]
    ]
    text = (
        f"No classifier: {labels[1]} less {labels[0]} in standard errors, channel by channel, with p values "
        "that are corrected for all channels and features (the largest of all in each of "
        f"{its['permutations']} permuted labellings)."
    )
    return _paragraphs([text]) + _table(("channel", "of windows", "apart", "p, corrected"), rows)


def _map(its: Mapping[str, Any]) -> str:
    foremost = ", ".join(
        f"{name} ({share:.0%} of folds)" for name, share in list(its["foremost"].items())[:5]
    )
    verdict = (
        "It depends on what was learnt"
        if its["believed"]
        else "It is NOT to be believed, for networks without training give much the same"
    )
    return (
        f"It shows: {its['shows']}. {verdict} (likeness to untrained networks {its['like_untrained']:.2f}). "
        f"Agreement of the folds' channels: {_number(its['stability']['channels'])}. Foremost: {foremost}."
    )


def _checklists(rows: Sequence[Mapping[str, str]]) -> str:
    return _table(
        ("checklist", "asked", "where it stands"), [(r["list"], r["item"], r["where"]) for r in rows]
    )


def _versions(said: Mapping[str, Any]) -> str:
    recipe, run = said["recipe"], said["run"]
    rows = [
        ("recipe", f"{recipe['name']}, {recipe['hash']}"),
        ("cohort", said["cohort_hash"]),
        ("began (UTC)", run["began_utc"]),
        *run["versions"].items(),
        *run["machine"].items(),
    ]
    settings = html.escape(json.dumps(recipe["settings"], indent=1, ensure_ascii=False))
    return _table(("what", "which"), rows) + f"<h4>Recipe</h4><pre>{settings}</pre>"


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{html.escape(text)}</p>" for text in texts if text)


def _listed(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(text)}</li>" for text in texts) + "</ul>"


def _name(metric: str) -> str:
    return "AUC" if metric == "auc" else metric.replace("_", " ")


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    first = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        '<div style="overflow-x:auto"><table class="table table-sm table-striped">'
        f"<thead><tr>{first}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _ends(ends: Sequence[float] | None) -> str:
    return "–" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def _p(value: float | None) -> str:
    return "not estimated" if value is None else f"{value:.3f}"


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(read_regular(path).decode("utf-8"))
    except FileNotFoundError as error:
        raise HemostreamError(
            f"{path.parent} holds no {path.name}: it is not the folder of an evaluation. Give the --out of "
            "hemostream evaluate."
        ) from error
    except OSError as error:
        raise HemostreamError(f"{path} cannot be read: {error.strerror}. Evaluate again.") from error
    except ValueError as error:
        raise HemostreamError(f"{path} is no JSON ({error}). Evaluate again.") from error
    return found
