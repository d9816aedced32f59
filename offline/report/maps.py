"""A map drawn where it lies: on the probe's layout from above, and along the window's seconds.

``its`` is what `offline.explain.over_folds` or `offline.evaluation.channel_map` found, ``spec`` the
channels as the network sees them, in order.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from models.arrays import Floats
from offline.report.plots import COLOURS, as_plain_text, new_figure
from realtime.signal import Channel, Kind, SignalSpec

SHADES = "viridis"
LIGHT = 0.6
"""Share of the shades from which black is read better on them than white."""
FOREMOST = 3
"""Channels of a panel that are named."""
TITLES = {Kind.HBO: "HbO", Kind.HBR: "HbR", Kind.HBT: "HbT", Kind.BOLD: "region"}


def draw_explanation(method: str, its: Mapping[str, Any], spec: SignalSpec, rate: float) -> Figure:
    """One panel a chromophore, and the time course."""
    shares = 100 * np.asarray(its["channels"])
    scale = Normalize(0.0, float(shares.max()) or 1.0)
    figure, _, course = _panels(spec, shares, scale, "share, %", "share of the map, %", more=True)
    _course(course, np.asarray(its["times"]), rate)
    verdict = "depends on what was learnt" if its["believed"] else "NOT TO BE BELIEVED: as without training"
    figure.suptitle(
        f"{method}: {its['shows']}\n{verdict} (likeness to untrained {its['like_untrained']:.2f}); "
        f"{its['folds']} folds, {_recurs(its['stability']['channels'])}",
        fontsize=10,
    )
    return as_plain_text(figure)


def draw_channel_map(its: Mapping[str, Any], spec: SignalSpec, labels: Sequence[str]) -> Figure:
    """One panel a chromophore: how far the two labels differ in each channel, in standard errors."""
    of_channel = {row["channel"]: abs(row["statistic"]) for row in its["channels"]}
    values = np.array([of_channel[channel.name] for channel in spec.channels])
    scale = Normalize(0.0, max(float(values.max()), its["threshold"]))
    figure, bar, _ = _panels(spec, values, scale, "standard errors", "standard errors")
    bar.axhline(its["threshold"], color="black", linewidth=2)
    some = sum(row["p"] <= 0.05 for row in its["channels"])
    figure.suptitle(
        f"{labels[1]} against {labels[0]}: {some} of {len(values)} channels beyond what is found anywhere\n"
        f"in 5 % of {its['permutations']} permutations of {its['of']} (line in the bar)",
        fontsize=10,
    )
    return as_plain_text(figure)


def _panels(
    spec: SignalSpec, values: Floats, scale: Normalize, what: str, of_bar: str, *, more: bool = False
) -> tuple[Figure, Axes, Axes]:
    """A figure with a panel a chromophore, (if there is ``more``) one to its right, and the bar of shades.

    Returns
    -------
    figure, axes, axes
        The bar's axes and the last panel's.
    """
    kinds = list(dict.fromkeys(channel.kind for channel in spec.channels))
    columns = len(kinds) + more
    figure, panels = new_figure(3.6 * columns + (0.6 if more else 1.2), 4.1, columns=columns)
    panels = np.ravel(panels)
    for axes, kind in zip(panels, kinds, strict=False):
        own = [i for i, channel in enumerate(spec.channels) if channel.kind == kind]
        _probe(axes, [spec.channels[i] for i in own], values[own], scale, what)
        axes.set_title(TITLES.get(kind, str(kind)), fontsize=10)
    drawn = list(panels[: len(kinds)])
    bar = figure.colorbar(ScalarMappable(scale, SHADES), ax=drawn, shrink=0.75, location="left")
    bar.set_label(of_bar, fontsize=9)
    return figure, bar.ax, panels[-1]


def _recurs(value: float | None) -> str:
    return "a single one" if value is None else f"their channels agree by {value:.2f}"


def _probe(axes: Axes, channels: Sequence[Channel], shares: Floats, scale: Normalize, what: str) -> None:
    """Channels where they lie; bars, and why, where the recording has no positions."""
    axes.set_aspect("equal")
    axes.set_axis_off()
    found = [channel.position for channel in channels]
    if None in found or len(set(found)) < len(found):
        _bars(axes, channels, shares, what)
        return
    positions = np.array(found, dtype=np.float64)
    points = _flat(positions)
    for optode, mark in (("source_position", "s"), ("detector_position", "o")):
        known = [at for channel in channels if (at := getattr(channel, optode)) is not None]
        if known:
            where = _flat(np.array(known, dtype=np.float64), like=positions)
            axes.plot(where[:, 0], where[:, 1], mark, color="0.75", markersize=4, zorder=1)
    axes.scatter(
        points[:, 0], points[:, 1], c=shares, cmap=SHADES, norm=scale, s=130, edgecolors="black", zorder=2
    )
    # Names beside channels that lie close would cover each other: ranks within, names below.
    foremost = np.argsort(-shares)[:FOREMOST].tolist()
    for rank, i in enumerate(foremost, 1):
        ink = "black" if scale(shares[i]) > LIGHT else "white"
        axes.annotate(str(rank), points[i], ha="center", va="center", fontsize=8, color=ink, zorder=3)
    names = [f"{rank} {channels[i].name.split(' ')[0]}" for rank, i in enumerate(foremost, 1)]
    axes.text(0.5, -0.02, "\n".join(names), transform=axes.transAxes, ha="center", va="top", fontsize=8)
    axes.margins(0.15)


def _bars(axes: Axes, channels: Sequence[Channel], shares: Floats, what: str) -> None:
    axes.set_axis_on()
    axes.set_aspect("auto")
    order = np.argsort(-shares)[:12]
    axes.barh(range(len(order)), shares[order], color=COLOURS[0])
    axes.set_yticks(range(len(order)), [channels[i].name for i in order], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(f"no positions in the recording; {what}", fontsize=8)


def _flat(points: Floats, like: Floats | None = None) -> Floats:
    """From above (x to the right, y to the front), unless the probe is a plane that stands otherwise."""
    spread = np.ptp(points if like is None else like, axis=0)
    above = spread[:2].min() >= 0.2 * spread.max() or spread[2] < spread[:2].min()
    axes = [0, 1] if above else sorted(np.argsort(-spread)[:2].tolist())
    return np.asarray(points[:, axes])


def _course(axes: Axes, times: Floats, rate: float) -> None:
    seconds = (np.arange(len(times)) - len(times)) / rate
    axes.plot(seconds, 100 * times, color=COLOURS[1])
    axes.set_ylim(0.0, None)
    axes.set_xlabel("seconds before the window's end")
    axes.set_ylabel("share of the map, % a sample")
    axes.set_title("within the window", fontsize=10)
