"""``hemostream study export``: a system of the review as a bundle that predicts one scan."""

import json
from pathlib import Path

from models.errors import HemostreamError, near_match
from models.files.regular_file import read_regular
from tools.messages import say
from tools.outputs import Out, refuse_existing


def export(
    name: str,
    *,
    data: Path,
    out: Out,
    without: str = "",
    report: Path | None = None,
    cache: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write a system into a bundle, with which "classify" predicts one scan of an unseen site.

    The system is fitted to everybody in the data, settings chosen within them; it needs nobody else of the
    site it will be used at. Its probabilities are calibrated on sites of the training that are left out, and
    it knows what scans of the training look like. Research use only: what it predicts of a scan is no
    diagnosis.

    Parameters
    ----------
    name : str
        Of a system, as "study list" names them.
    data : Path
        Folder of region series, as for "study run".
    out : Path
        Bundle folder to write.
    without : str
        Leave a site out: the bundle then predicts its people as the study did.
    report : Path
        Folder that "study run" wrote to: what the study was worth goes into the card.
    cache : Path
        Folder of tables that were computed before, and for those that are computed now; by default that of
        the report, or none.
    overwrite : bool
        Replace a bundle that is there already.
    """
    import tempfile

    from models.bundle_files import check_target
    from models.files.output_place import check_folder
    from offline.base.progress import shown
    from offline.base.remarks import show
    from offline.scans import read_scans
    from offline.studies import STUDIES
    from offline.studies.export import export_study
    from offline.studies.recorded import RECORDED
    from offline.studies.segmented import SEGMENTED
    from offline.studies.tables import digest

    if name in RECORDED:
        raise HemostreamError(
            f"{name} reads recordings: hemostream train COHORT --recipe {RECORDED[name].recipe} --out BUNDLE "
            "writes its bundle."
            if not RECORDED[name].not_exportable_because
            else f"{name} cannot be written into a bundle: {RECORDED[name].not_exportable_because}."
        )
    if name in SEGMENTED:
        _export_segmented(name, data, out, report, overwrite=overwrite)
        return
    if name not in STUDIES:
        raise HemostreamError(f"There is no system {name!r}. {near_match(name, (*STUDIES, *SEGMENTED))}")
    check_target(out)
    refuse_existing(out, overwrite=overwrite)
    if cache is not None:
        check_folder(cache, "Tables")
    with tempfile.TemporaryDirectory() as scratch, shown(None) as tell:
        tell("read", 0, 1, str(data))
        scans = read_scans(data)
        show(scans.remarks)
        tell("read", 1, 1, f"{len(scans)} people")
        evaluation = {} if report is None else _worth(report / name / "results.json", digest(scans))
        kept = cache or (Path(scratch) if report is None else report / "cache")
        done = export_study(
            STUDIES[name], scans, out, cache=kept, without=without, evaluation=evaluation, tell=tell
        )
    needs = done.bundle.card.input
    low, high = needs.repetition_time
    size = sum((out / each).stat().st_size for each in ("weights.safetensors", "card.json")) / 1e6
    training = done.bundle.card.training
    say(
        f"Fitted to {training['people']} people of {len(training['sites'])} sites. It predicts {done.asked} "
        f"of the people as the study does, within {done.difference:.0e} of the log odds."
    )
    line, looked = training["calibration"], training["novelty"]
    say(
        f"Calibrated on people of left-out sites: log odds times {line['slope']:.3g}, "
        f"{line['intercept']:+.3g}. Of their scans {looked['refused']:.1%} would be refused as unlike the "
        "training."
    )
    say(
        f"It takes scans of {needs.least_s:g} s or more, {len(needs.regions)} regions, a repetition time of "
        f"{low:.3g} to {high:.3g} s: {needs.preprocessing}."
    )
    say(f"hemostream classify SCAN.1D --model {out} --repetition-time SECONDS --out decisions.jsonl")
    say(f"Bundle: {out} (model {done.bundle.card.hash[:12]}, {size:.1f} MB)")


def _worth(path: Path, data: str) -> dict[str, object]:
    """What a study's report says of people it had not seen, if it is of these data (by their digest)."""
    try:
        results = json.loads(read_regular(path).decode("utf-8"))
        worth = {
            "profile": results["profile"],
            "data": results["data"]["digest"],
            "conditions": results["conditions"],
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HemostreamError(
            f"{path} is no report of this system ({error}). Give the folder that study run wrote to, or "
            "leave --report out."
        ) from error
    if worth["data"] != data:
        raise HemostreamError(
            f"{path} is of other data, or of other versions of software (digest {str(worth['data'])[:12]}); "
            f"expected {data[:12]}. Run the study again on these data, or leave --report out."
        )
    return worth


def _export_segmented(name: str, data: Path, out: Path, report: Path | None, *, overwrite: bool) -> None:
    """Train a system that finds structures on all images, as long as for its report if there is one."""
    import tempfile
    from dataclasses import replace

    from models.bundle_files import check_target
    from offline.base.json_files import read_json
    from offline.base.progress import shown
    from offline.segmentation.cases import digest, read_cases
    from offline.studies.segmented import SEGMENTED, export_segmented, plan_of

    check_target(out)
    refuse_existing(out, overwrite=overwrite)
    plan, evaluation = plan_of(SEGMENTED[name], data, "quick"), {}
    if report is not None:
        its = read_json(
            report / name / "results.json",
            absent="give the folder that study run wrote to, or leave --report out.",
            again="Run the study again, or leave --report out.",
        )
        if its.get("digest") != digest(read_cases(data)):
            raise HemostreamError(f"{report} evaluated other images; give the report of these, or none.")
        plan = replace(plan, training=replace(plan.training, epochs=its["plan"]["training"]["epochs"]))
        evaluation = {"structures": its["structures"], "cases": its["cases"], "folds": its["folds"]}
    with tempfile.TemporaryDirectory() as scratch, shown(None) as tell:
        kept = Path(scratch) if report is None else report / name / "work"
        found = export_segmented(
            SEGMENTED[name],
            data,
            out,
            plan=plan,
            evaluation=evaluation,
            work=kept,
            cache=Path(scratch) if report is None else report / "cache",
            tell=tell,
        )
    say(f"Bundle: {out} ({found[:12]})")
