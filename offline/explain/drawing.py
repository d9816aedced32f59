"""A map drawn where it lies: on the probe's layout from above, and along the window's seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from realtime.signal import Channel, Kind, SignalSpec

COLOURS = "viridis"
TITLES = {Kind.HBO: "HbO", Kind.HBR: "HbR", Kind.HBT: "HbT", Kind.BOLD: "region"}


def draw_explanation(method: str, its: Mapping[str, Any], spec: SignalSpec, rate: float) -> Figure:
    """One panel a chromophore, and the time course.

    Parameters
    ----------
    method : str
        Its name.
    its : mapping
        What `offline.explain.over_folds.put_together` gave of it.
    spec : SignalSpec
        The channels as the network sees them, in order.
    rate : float
        Hz.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window; save it.
    """
    kinds = list(dict.fromkeys(channel.kind for channel in spec.channels))
    figure = Figure(figsize=(3.6 * (len(kinds) + 1) + 0.6, 4.1), layout="constrained")
    panels = figure.subplots(1, len(kinds) + 1, squeeze=False)[0]
    shares = 100 * np.asarray(its["channels"])
    scale = Normalize(0.0, float(shares.max()) or 1.0)
    for axes, kind in zip(panels, kinds, strict=False):
        own = [i for i, channel in enumerate(spec.channels) if channel.kind == kind]
        _probe(axes, [spec.channels[i] for i in own], shares[own], scale)
        axes.set_title(TITLES.get(kind, str(kind)), fontsize=10)
    bar = figure.colorbar(ScalarMappable(scale, COLOURS), ax=list(panels[:-1]), shrink=0.75, location="left")
    bar.set_label("share of the map, %", fontsize=9)
    _course(panels[-1], np.asarray(its["times"]), rate)
    verdict = "depends on what was learnt" if its["believed"] else "NOT TO BE BELIEVED: as without training"
    figure.suptitle(
        f"{method}: {its['shows']}\n{verdict} (likeness to untrained {its['like_untrained']:.2f}); "
        f"{its['folds']} folds, {_recurs(its['stability']['channels'])}",
        fontsize=10,
    )
    return figure


def draw_channel_map(its: Mapping[str, Any], spec: SignalSpec, labels: Sequence[str]) -> Figure:
    """One panel a chromophore: how far labels differ in each channel, in standard errors.

    Parameters
    ----------
    its : mapping
        What `offline.evaluation.channel_map` found.
    spec : SignalSpec
        The channels as the network sees them.
    labels : sequence of str
        The two.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window; save it.
    """
    of_channel = {row["channel"]: abs(row["statistic"]) for row in its["channels"]}
    values = np.array([of_channel[channel.name] for channel in spec.channels])
    kinds = list(dict.fromkeys(channel.kind for channel in spec.channels))
    figure = Figure(figsize=(3.6 * len(kinds) + 1.2, 4.1), layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False)[0]
    scale = Normalize(0.0, max(float(values.max()), its["threshold"]))
    for axes, kind in zip(panels, kinds, strict=True):
        own = [i for i, channel in enumerate(spec.channels) if channel.kind == kind]
        _probe(axes, [spec.channels[i] for i in own], values[own], scale, "standard errors")
        axes.set_title(TITLES.get(kind, str(kind)), fontsize=10)
    bar = figure.colorbar(ScalarMappable(scale, COLOURS), ax=list(panels), shrink=0.75, location="left")
    bar.set_label("standard errors", fontsize=9)
    bar.ax.axhline(its["threshold"], color="black", linewidth=2)
    some = sum(row["p"] <= 0.05 for row in its["channels"])
    figure.suptitle(
        f"{labels[1]} against {labels[0]}: {some} of {len(values)} channels beyond what is found anywhere\n"
        f"in 5 % of {its['permutations']} permuted labellings (line in the bar)",
        fontsize=10,
    )
    return figure


def _recurs(value: float | None) -> str:
    return "a single one" if value is None else f"their channels agree by {value:.2f}"


def _probe(
    axes: Axes,
    channels: Sequence[Channel],
    shares: npt.NDArray[np.float64],
    scale: Normalize,
    what: str = "share, %",
) -> None:
    """Channels where they lie; in a row, and saying so, where the recording does not tell."""
    axes.set_aspect("equal")
    axes.set_axis_off()
    places = [channel.position for channel in channels]
    if any(place is None for place in places) or len(set(places)) < len(places):
        _bars(axes, channels, shares, what)
        return
    points = _flat(np.array(places, dtype=np.float64))
    for optode, mark in (("source_position", "s"), ("detector_position", "o")):
        known = [place for channel in channels if (place := getattr(channel, optode)) is not None]
        if known:
            where = _flat(np.array(known, dtype=np.float64), like=np.array(places, dtype=np.float64))
            axes.plot(where[:, 0], where[:, 1], mark, color="0.75", markersize=4, zorder=1)
    axes.scatter(
        points[:, 0], points[:, 1], c=shares, cmap=COLOURS, norm=scale, s=130, edgecolors="black", zorder=2
    )
    for i in np.argsort(-shares)[:3]:
        text = channels[i].name.split(" ")[0]
        axes.annotate(text, points[i], xytext=(0, 9), textcoords="offset points", ha="center", fontsize=7)
    axes.margins(0.15)


def _bars(axes: Axes, channels: Sequence[Channel], shares: npt.NDArray[np.float64], what: str) -> None:
    axes.set_axis_on()
    axes.set_aspect("auto")
    order = np.argsort(-shares)[:12]
    axes.barh(range(len(order)), shares[order], color="#0072b2")
    axes.set_yticks(range(len(order)), [channels[i].name for i in order], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(f"no places in the recording; {what}", fontsize=8)


def _flat(
    points: npt.NDArray[np.float64], like: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """From above (x to the right, y to the front), unless the probe is a plane that stands otherwise."""
    reference = points if like is None else like
    spread = np.ptp(reference, axis=0)
    axes = [0, 1] if spread[:2].min() >= 0.2 * spread.max() or spread[2] < spread[:2].min() else None
    if axes is None:
        axes = sorted(np.argsort(-spread)[:2].tolist())
    return np.asarray(points[:, axes])


def _course(axes: Axes, times: npt.NDArray[np.float64], rate: float) -> None:
    seconds = (np.arange(len(times)) - len(times)) / rate
    axes.plot(seconds, 100 * times, color="#d55e00")
    axes.set_ylim(0.0, None)
    axes.set_xlabel("seconds before the window's end")
    axes.set_ylabel("share of the map, % a sample")
    axes.set_title("within the window", fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
