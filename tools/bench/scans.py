"""``python -m tools.bench.scans``: what bundles of scans say of damaged scans, and how calibrated they are.

Sites are put into a few groups; each group's people are strangers to a bundle that is made of all other
groups'.  Real scans only: there is no such thing as an unseen site of a simulation.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cyclopts import App
from threadpoolctl import threadpool_limits

from models.arrays import Floats
from models.cards.scan_card import ScanInput
from models.errors import HemostreamError, near_match
from models.scans.novelty import ScanNovelty
from offline.base.splits import Fold
from offline.evaluation.tasks import FitTask
from offline.report.study import UNSEEN_SITE
from offline.scans import Scans, read_scans
from offline.stats.calibration import calibration_intercept, calibration_slope
from offline.stats.metrics import auc
from offline.studies import STUDIES
from offline.studies.calibration import calibrate
from offline.studies.export import input_of
from offline.studies.fitting import ScanFit, ScanProcedure, log_odds, probabilities_of
from offline.studies.held_out_sites import few_groups_of
from offline.studies.scan_novelty import fit_novelty
from offline.studies.tables import OF_SERIES, table_of
from realtime.quality.policy import Reason
from realtime.scan import reasons_of
from realtime.scan_cells import ScanCells
from tools.bench.machine import describe_machine
from tools.bench.scan_damage import DAMAGES, scan_of

app = App(name="scans", help="Bundles of scans: novelty, calibration.", help_format="plaintext")

GROUPS = 4
"""Of sites that are left out together."""
OWN = "as they are"


@app.command
def novelty(data: Path, *, only: int | None = None, out: Path | None = None) -> None:
    """Refuse scans of unseen sites, as they are and damaged.

    Parameters
    ----------
    data : Path
        Folder of region series.
    only : int
        One of the groups of sites, from 0.
    out : Path
        File of JSON lines that the counts are added to.
    """
    print(describe_machine())
    scans = read_scans(data)
    group = groups_by_repetition_time(scans)
    with threadpool_limits(1):
        for number in range(GROUPS) if only is None else (only,):
            known, strangers = scans.rows(group != number), scans.rows(group == number)
            fitted, needs = fit_novelty(known), input_of(known)
            counts = {
                name: [_why(fitted.novelty, needs, strangers, i, name) for i in range(len(strangers))]
                for name in (OWN, *DAMAGES)
            }
            found = {
                "group": number,
                "sites": sorted(set(strangers.site.tolist())),
                "people": len(strangers),
                "how": fitted.how,
                "reasons": {name: _counted(each) for name, each in counts.items()},
            }
            _added(out, found)


def groups_by_repetition_time(scans: Scans) -> npt.NDArray[np.intp]:
    """Groups of sites, (n,) intp, each with fast and slow ones: else all scans of one repetition time are
    left out together and are refused for that."""
    names, which = np.unique(scans.site, return_inverse=True)
    seconds = np.array([scans.repetition_time[which == k].mean() for k in range(len(names))])
    rank = np.argsort(np.argsort(seconds, kind="stable"), kind="stable")
    return np.asarray(rank[which] % GROUPS, dtype=np.intp)


def _why(looked: ScanNovelty, needs: ScanInput, scans: Scans, row: int, damage: str) -> tuple[str, ...]:
    """Why a bundle with these needs would not predict a person's scan, with this damage."""
    series, seconds = scan_of(scans.X[row]), float(scans.repetition_time[row])
    if damage != OWN:
        series = DAMAGES[damage](series, seconds, np.random.default_rng(row))
    times = np.arange(series.shape[1], dtype=np.float64) * np.float64(seconds)
    cells = ScanCells.of(series, np.zeros(series.shape, dtype=np.bool_))
    reasons, _ = reasons_of(times, cells, seconds, needs, looked)
    return tuple(map(str, reasons))


def _counted(reasons: list[tuple[str, ...]]) -> dict[str, int]:
    by_name = Counter(name for each in reasons for name in each)
    short = {str(Reason.TOO_SHORT), str(Reason.COVERAGE)}
    checks = sum(bool(set(each) - short) for each in reasons)
    return {"refused": sum(map(bool, reasons)), "by checks": checks, **dict(sorted(by_name.items()))}


@app.command
def calibration(
    data: Path, study: str, *, cache: Path, only: int | None = None, out: Path | None = None
) -> None:
    """Compare probabilities on unseen sites before and after calibration.

    Parameters
    ----------
    data : Path
        Folder of region series.
    study : str
        Which system.
    cache : Path
        Folder of tables that were computed before.
    only : int
        One of the groups of sites, from 0.
    out : Path
        File of JSON lines that each group's log odds are added to.
    """
    if study not in STUDIES or STUDIES[study].not_exportable_because or STUDIES[study].table not in OF_SERIES:
        raise HemostreamError(f"There is no system {study!r} to export. {near_match(study, tuple(STUDIES))}")
    scans = read_scans(data)
    group = few_groups_of(scans.table, GROUPS)
    X = np.load(table_of(STUDIES[study].table, scans, cache), mmap_mode="r", allow_pickle=False)
    procedure = ScanProcedure(STUDIES[study], X, scans.table)
    with threadpool_limits(1):
        for number in range(GROUPS) if only is None else (only,):
            train, test = np.flatnonzero(group != number), np.flatnonzero(group == number)
            held = tuple(sorted(scans.table.person[test].tolist()))
            task = FitTask(Fold(held, train, test, f"sites {number}"), UNSEEN_SITE, ScanFit())
            model, setting, rows = procedure.fit(task)
            odds = log_odds(model, rows, scans.site[test])
            line = calibrate(procedure, task, model, setting)
            found = {"study": study, "group": number, "line": line.to_json(), "odds": odds.tolist()}
            _added(out, {**found, "after": line(odds).tolist(), "target": scans.y[test].tolist()})


@app.command
def table(file: Path) -> None:
    """Print what `novelty` or `calibration` added to a file, as a table.

    Parameters
    ----------
    file : Path
        JSON lines.
    """
    found = [json.loads(line) for line in file.read_text().splitlines()]
    if any("reasons" in each for each in found):
        _table_of_novelty(found)
    else:
        _table_of_calibration(found)


def _table_of_novelty(found: list[dict[str, Any]]) -> None:
    people = sum(each["people"] for each in found)
    print(f"{people} people of {sum(len(each['sites']) for each in found)} sites\n")
    print("| scans of unseen sites | refused | by a check alone | reasons |\n| --- | --- | --- | --- |")
    for name in found[0]["reasons"]:
        total: Counter[str] = Counter()
        for each in found:
            total.update(each["reasons"][name])
        refused, checks = total.pop("refused"), total.pop("by checks")
        why = ", ".join(f"{reason} {count}" for reason, count in total.most_common())
        print(f"| {name} | {refused / people:.3f} | {checks / people:.3f} | {why or '–'} |")


def _table_of_calibration(found: list[dict[str, Any]]) -> None:
    print("| study | AUC | slope before | after | all: before | after | intercepts after | lines |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for study in dict.fromkeys(each["study"] for each in found):
        own = {each["group"]: each for each in found if each["study"] == study}
        target = [np.array(own[k]["target"]) == 1 for k in sorted(own)]
        before, after = ([np.array(own[k][name]) for k in sorted(own)] for name in ("odds", "after"))
        together = np.concatenate(target)
        area = auc(together, np.concatenate(after), np.zeros(len(together), dtype=np.str_)) or np.nan
        cells = [_by_bundle(calibration_slope, target, odds) for odds in (before, after)]
        cells += [_figure(calibration_slope, together, np.concatenate(odds)) for odds in (before, after)]
        level = _by_bundle(calibration_intercept, target, after)
        lines = "; ".join(
            f"{own[k]['line']['slope']:.2f}, {own[k]['line']['intercept']:+.2f}" for k in sorted(own)
        )
        print(f"| {study} | {area:.3f} | {' | '.join(cells)} | {level} | {lines} |")


def _by_bundle(of: Any, target: list[Any], odds: list[Floats]) -> str:
    """A figure's mean over bundles, and each."""
    values = [of(t, probabilities_of(o)[:, 1]) for t, o in zip(target, odds, strict=True)]
    each = ", ".join("–" if value is None else f"{value:.2f}" for value in values)
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.2f} ({each})" if known else "–"


def _figure(of: Any, target: Any, odds: Floats) -> str:
    value = of(target, probabilities_of(odds)[:, 1])
    return "–" if value is None else f"{value:.2f}"


def _added(out: Path | None, found: dict[str, Any]) -> None:
    text = json.dumps(found)
    print(text[:2000])
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def main() -> None:
    """Run the bench."""
    app()


if __name__ == "__main__":
    main()
