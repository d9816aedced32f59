"""The page of a system that finds structures in images."""

from collections.abc import Mapping
from typing import Any

from offline.report.cells import figure_of, number
from offline.report.page import PageSection, Paragraph, Picture, ReportPage, TextTable
from offline.report.plots import new_figure

HEAD = (
    "structure",
    "cases",
    "Dice (95 %)",
    "worst case",
    "95 % Hausdorff distance, mm (median)",
    "not found",
    "volume error (median of sizes)",
    "volume error (median)",
)
READ = (
    "Every case was predicted by a network that never saw it. Intervals are over draws of cases, the fitted "
    "networks taken as given. Dice is twice the common voxels over the sum of both; it depends on a "
    "structure's size, so compare it with figures of the same structure only. A volume error above 0 says "
    "that too much is found."
)


def segmentation_page(results: Mapping[str, Any]) -> ReportPage:
    """The page, of what ``results.json`` holds."""
    system, plan = results["segmentation"], results["plan"]
    rows = [structure_row(name, its) for name, its in results["structures"].items()]
    best = "; ".join(f"{name}: Dice {figure_of(its['dice'])}" for name, its in results["structures"].items())
    training, network = plan["training"], plan["network"]
    how = (
        f"{results['cases']} cases in {results['folds']} folds; {training['epochs']} epochs, batches of "
        f"{training['batch']}; width {network['width']}, {network['levels']} resolutions, dilations "
        f"{', '.join(map(str, network['dilations'])) or 'none'}."
    )
    unstated = f"The paper does not state: {', '.join(system['unstated'])}."
    return ReportPage(
        system["title"],
        [
            PageSection("In short", [Paragraph(best + "."), Paragraph(system["ours"]), Paragraph(how)]),
            PageSection("Structures", [TextTable(HEAD, rows), Paragraph(READ, note=True)]),
            PageSection("Cases", [_cases(results)]),
            PageSection("Training", [_losses(results), Paragraph(unstated, note=True)]),
        ],
        system["paper"],
    )


def structure_row(name: str, its: Mapping[str, Any]) -> tuple[str, ...]:
    """A structure's figures."""
    volume, distance = its["volume_error"], its["hausdorff95_mm"]
    return (
        name,
        str(its["cases"]),
        figure_of(its["dice"]),
        number(its["dice_worst"]),
        "not found" if distance["median"] is None else f"{distance['median']:.2f}",
        str(distance["not_found"]),
        f"{100 * volume['median_absolute']:.1f} %",
        f"{100 * volume['median']:+.1f} %",
    )


def _cases(results: Mapping[str, Any]) -> Picture:
    figure, axes = new_figure(6.0, 3.2)
    for name in results["structures"]:
        dice = sorted(
            its[name]["dice"] for its in results["by_case"].values() if its[name]["dice"] is not None
        )
        axes.plot(dice, label=name)
    axes.set_xlabel("case, worst first")
    axes.set_ylabel("Dice")
    axes.legend(loc="lower right", frameon=False)
    return Picture.of(figure, "Dice of every case, worst first", "Dice of every case, by structure.")


def _losses(results: Mapping[str, Any]) -> Picture:
    figure, axes = new_figure(6.0, 3.2)
    for k, losses in enumerate(results["losses"]):
        axes.plot(range(1, len(losses) + 1), losses, label=f"fold {k + 1}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("training loss")
    axes.legend(loc="upper right", frameon=False)
    return Picture.of(
        figure, "Training loss over epochs", "Training loss (Dice and cross-entropy) of each fold."
    )
