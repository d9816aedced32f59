"""A plot of a session: what was predicted over time, how sure, and where it abstained."""

from collections.abc import Callable, Sequence
from pathlib import Path

from realtime.decision import Decision

MOST_LABELS = 6


def plot_decisions(
    decisions: Sequence[Decision],
    path: Path,
    *,
    title: str,
    truth: Callable[[Decision], str | None] | None = None,
) -> Path:
    """Draw a session's decisions into a PNG file.

    Parameters
    ----------
    decisions : sequence of Decision
        In order.
    path : Path
        File to write.
    title : str
        Stands above.
    truth : callable or None
        Gives the true label of a window, where it is known.

    Returns
    -------
    Path
        The file.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    labels = list(decisions[0].evidence.probabilities)[:MOST_LABELS]
    start = decisions[0].window_start
    ends = [d.window_end - start for d in decisions]
    step = ends[1] - ends[0] if len(ends) > 1 else 1.0
    colours = dict(zip(labels, plt.get_cmap("tab10").colors, strict=False))  # type: ignore[attr-defined]
    figure, axes = plt.subplots(figsize=(10, 3.6), layout="constrained")
    for d, end in zip(decisions, ends, strict=True):
        if d.abstained:
            axes.axvspan(end - step, end, color="0.93", lw=0)
        true = truth(d) if truth else None
        if true is not None:
            axes.axvspan(end - step, end, ymin=0.965, color=colours[true], lw=0)
    for label in labels:
        sure = [
            (end, d.probabilities[label]) for d, end in zip(decisions, ends, strict=True) if d.probabilities
        ]
        if sure:
            at, p = zip(*sure, strict=True)
            axes.plot(at, p, "o-", ms=3, lw=1, color=colours[label], label=f"{label}, this window")
        evidence = [d.evidence.probabilities[label] for d in decisions]
        axes.plot(ends, evidence, lw=2, alpha=0.35, color=colours[label], label=f"{label}, so far")
    axes.set(
        xlabel="end of the window (s since the first sample)",
        ylabel="probability",
        ylim=(-0.02, 1.09),
        xlim=(0, ends[-1]),
        title=title,
    )
    note = "grey: abstains" + ("; bar on top: the truth" if truth else "")
    axes.text(0.005, 0.02, note, transform=axes.transAxes, fontsize=8, color="0.4")
    axes.legend(loc="center left", fontsize=8, framealpha=0.9)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path
