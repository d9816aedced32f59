"""The page of one session: what was recorded, decided and abstained, and what was corrected and how.

For fMRI the list is the one that reports of neurofeedback studies are asked for (COBIDAS, Nichols et al.
2017; CRED-nf, Ros et al. 2020) and that under a third of them give (Heunis et al. 2020).  What neither the
journal nor the bundle says is said not to be stated: nothing is filled in.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from matplotlib.figure import Figure

from models.bundle import Bundle
from offline.report.cells import NONE, capital, times
from offline.report.page import (
    Bullets,
    PageBlock,
    PageSection,
    Paragraph,
    Picture,
    ReportPage,
    Row,
    TextTable,
)
from offline.report.plots import COLOURS, new_figure
from offline.report.session_data import SessionData, furthest
from realtime.pipeline import Pipeline
from realtime.plan import Plan
from realtime.signal import Kind
from realtime.stages import STAGES

NOT_STATED = "not stated"
MOST_ROWS = 40
ABSTENTION_COLOUR = "#767676"


def session_page(data: SessionData, bundle: Bundle | None) -> ReportPage:
    """The page of a run.

    Parameters
    ----------
    data : SessionData
        What the journal holds of it.
    bundle : Bundle or None
        The bundle that predicted it; without one, what only the bundle knows is not stated.
    """
    plan = None if bundle is None else Plan.from_card(bundle.card)
    return ReportPage(
        f"Session {data.started.session}, run {data.started.run}",
        [
            _recorded(data),
            _decided(data),
            _signal(data),
            _corrected(data, plan),
            _trouble(data),
        ],
        subtitle=_subtitle(data),
    )


def _subtitle(data: SessionData) -> str:
    origin = data.streams[-1].origin if data.streams else None
    what = "no stream" if origin is None else f"a {origin.kind} stream"
    return f"{what}; model {data.started.model_hash[:12] or NOT_STATED}"


def _recorded(data: SessionData) -> PageSection:
    stamps, period = data.stamps, data.period
    span = float(stamps[-1] - stamps[0]) if len(stamps) else 0.0
    utc = [d.window_start_utc for d in data.decisions[:1]] + [d.window_end_utc for d in data.decisions[-1:]]
    known = [_to_the_second(text) for text in utc if text]
    missing = f"{data.missing_cells / data.cells:.2%}" if data.cells else NONE
    rows: list[Row] = [
        ("windows cover (UTC)", " to ".join(known) if len(known) == 2 else NOT_STATED),
        ("length by the source's clock", _seconds(span)),
        ("samples", f"{len(stamps)}, every {period:.4g} s (median)" if period else f"{len(stamps)}"),
        ("gaps", _gaps(data)),
        ("channel-samples not measured", missing),
    ]
    for stream in data.streams[-1:]:
        kinds = [channel.kind for channel in stream.spec.channels]
        held = ", ".join(f"{kinds.count(kind)} {kind.replace('_', ' ')}" for kind in stream.spec.kinds)
        rows.insert(0, ("stream", f"{stream.name or NOT_STATED}: {held}"))
    if data.offsets:
        low, high = min(data.offsets), max(data.offsets)
        rows.append(
            (
                "clocks",
                f"compared {times(len(data.offsets), 'time')}; the offset moved by "
                f"{1e3 * (high - low):.3g} ms",
            )
        )
    return PageSection("Recording", [TextTable(("", ""), rows)])


def _to_the_second(utc: str) -> str:
    return f"{datetime.fromisoformat(utc):%Y-%m-%d %H:%M:%S}"


def _gaps(data: SessionData) -> str:
    gaps = data.gaps
    if not gaps:
        return "none"
    longest = max(length for length, _ in gaps)
    lost = sum(missing for _, missing in gaps)
    return f"{len(gaps)}, the longest {_seconds(longest)}; about {times(lost, 'sample')} missing"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _decided(data: SessionData) -> PageSection:
    if not data.decisions:
        return PageSection("Decisions", [Paragraph("No window was decided.")])
    windows = data.windows
    rows: list[Row] = [
        (label, str(count), f"{count / windows:.1%}") for label, count in data.labels.most_common(MOST_ROWS)
    ]
    abstained = windows - data.labels.total()
    rows.append(("abstained", str(abstained), f"{abstained / windows:.1%}"))
    why: list[Row] = [
        (reason, str(count), f"{count / windows:.1%}") for reason, count in data.reasons.most_common()
    ]
    ages = np.array([each.age_s for each in data.decisions])
    blocks: list[PageBlock] = [
        TextTable(("label", "windows", "share"), rows),
        TextTable(
            ("reason to abstain", "windows", "share"),
            why,
            "A window may have several reasons." if why else "",
        ),
        Picture.of(_course(data), "Decisions over the session", "Each mark is one window."),
        Paragraph(
            f"Age of decisions: median {np.median(ages):.3f} s, 99 % within {np.quantile(ages, 0.99):.3f} s "
            "(seconds of the stream from the window's end; below 0 where a window's last sample lies before "
            "its end).",
            note=True,
        ),
    ]
    return PageSection("Decisions", blocks)


def _course(data: SessionData) -> Figure:
    """Labels (and abstentions) over the session's minutes, and the head's displacement where it is known."""
    names = [*sorted(data.labels), "abstained"]
    moved = data.motion.get(Kind.DISPLACEMENT)
    figure, axes = new_figure(8.0, 1.2 + 0.35 * len(names))
    start = data.decisions[0].window_start
    for row, name in enumerate(names):
        own = [
            (each.window_end - start) / 60.0
            for each in data.decisions
            if (each.abstained and name == "abstained") or each.label == name
        ]
        colour = ABSTENTION_COLOUR if name == "abstained" else COLOURS[row % len(COLOURS)]
        axes.plot(own, [row] * len(own), "|", color=colour, markersize=11)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlabel("minutes since the first window began")
    if moved is not None and len(moved) == len(data.stamps) and len(moved):
        other = axes.twinx()
        other.plot((data.stamps - data.stamps[0]) / 60.0, 1e3 * moved, color="#999999", linewidth=0.8)
        other.set_ylabel("displacement, mm")
        other.set_ylim(bottom=0.0)
    return figure


def _signal(data: SessionData) -> PageSection | None:
    decisions = [each for each in data.decisions if each.count == 1]
    if not decisions:
        return None
    rows: list[Row] = [
        ("coverage", f"mean {np.mean([each.coverage for each in decisions]):.1%}"),
        ("largest gap of a window", f"{max(each.largest_gap_s for each in decisions):.3g} s"),
        ("times uncertain by", f"{max(each.time_uncertainty_s for each in decisions):.3g} s at most"),
    ]
    for name in dict.fromkeys(name for each in decisions for name in each.quality):
        known = [value for each in decisions if (value := each.quality.get(name)) is not None]
        text = f"median {np.median(known):.3g}, {min(known):.3g} to {max(known):.3g}" if known else NONE
        rows.append((name.replace("_", " "), text))
    novelty = [each.novelty for each in decisions if each.novelty is not None]
    if novelty:
        rows.append(
            ("novelty", f"median {np.median(novelty):.3g}, {max(novelty):.3g} at most (1: threshold)")
        )
    rejected: dict[str, int] = {}
    for each in decisions:
        for names in each.left_out.values():
            for name in names:
                rejected[name] = rejected.get(name, 0) + 1
    worst = sorted(rejected.items(), key=lambda item: -item[1])[:8]
    items = [f"{name}: {times(count, 'window')}" for name, count in worst]
    return PageSection(
        "Quality of windows", [TextTable(("", ""), rows), Bullets(items, "Channels most often rejected")]
    )


def _corrected(data: SessionData, plan: Plan | None) -> PageSection:
    """What was done to the signal; of fMRI the whole list."""
    rows: list[Row] = []
    if data.fmri:
        rows += _acquired(data)
        rows += _motion(data)
    blocks: list[PageBlock] = []
    if plan is None:
        rows.append(("stages, window, delay", f"{NOT_STATED}: give the bundle with --model"))
    else:
        pipeline = Pipeline(plan.pipeline, plan.spec)
        rows += [
            ("window", f"{plan.length_s:g} s, every {plan.step_s:g} s"),
            ("delay of the stages", f"{pipeline.delay_s:.3g} s"),
            ("warm-up of the stages", f"{pipeline.warmup_s:.3g} s"),
            ("channels given to the model", str(len(pipeline.spec_out))),
        ]
        blocks.append(
            TextTable(
                ("stage", "settings", "delay, s", "warm-up, s"),
                [
                    (str(own["stage"]), _settings(own), f"{stage.delay_s:.3g}", f"{stage.warmup_s:.3g}")
                    for own, stage in zip(plan.pipeline, pipeline.stages, strict=True)
                ],
                "In this order, the same as in training.",
            )
        )
        done = {str(own["stage"]) for own in plan.pipeline}
        if data.fmri:
            rows += _denoised(done)
    title = "Acquisition and corrections (COBIDAS)" if data.fmri else "What was done to the signal"
    return PageSection(title, [TextTable(("", ""), rows), *blocks])


def _acquired(data: SessionData) -> list[Row]:
    stream = data.streams[-1]
    declared = 1.0 / stream.spec.rate if stream.spec.rate else None
    measured = data.period
    tr = f"{declared:.4g} s declared" if declared else "not declared"
    scanner = data.scanner
    own = [
        (name.replace("_", " "), ", ".join(text.splitlines()) or "none")
        for name, text in scanner.items()
        if name != "motion"
    ]
    return [
        ("repetition time", f"{tr}, {measured:.4g} s measured" if measured else tr),
        ("volumes received", str(len(data.stamps))),
        ("volumes missing", str(sum(missing for _, missing in data.gaps))),
        ("regions", str(sum(channel.kind is Kind.BOLD for channel in stream.spec.channels))),
        *own,
    ]


def _motion(data: SessionData) -> list[Row]:
    corrected = data.scanner.get("motion", NOT_STATED)
    rows: list[Row] = [("motion correction", corrected)]
    if (shift := data.motion.get(Kind.TRANSLATION)) is not None:
        rows.append(("largest translation", _millimetres(furthest(shift))))
    if (turn := data.motion.get(Kind.ROTATION)) is not None:
        most = furthest(turn)
        rows.append(("largest rotation", NONE if most is None else f"{np.degrees(most):.3g} degrees"))
    moved = data.motion.get(Kind.DISPLACEMENT)
    if moved is None:
        return [*rows, ("framewise displacement", NOT_STATED)]
    known = moved[np.isfinite(moved)]
    mean = float(known.mean()) if len(known) else None
    return [
        *rows,
        ("framewise displacement", f"mean {_millimetres(mean)}, largest {_millimetres(furthest(moved))}"),
        ("volumes above 0.5 mm", f"{np.count_nonzero(known > 0.0005)} of {len(moved)}"),
        ("windows that abstained as moved", str(data.reasons.get("moved", 0))),
    ]


def _millimetres(metres: float | None) -> str:
    return NONE if metres is None else f"{1e3 * metres:.3g} mm"


def _denoised(done: set[str]) -> list[Row]:
    """Each customary step, and the stage that did it."""
    steps: Mapping[str, tuple[str, ...]] = {
        "drift removed": ("regress", "bandpass", "running_percent", "normalise"),
        "motion regressed out": ("regress",),
        "spikes": ("despike",),
        "filtered in time": ("bandpass",),
        "scaled": ("percent_signal", "running_percent", "normalise"),
    }
    assert all(stage in STAGES for stages in steps.values() for stage in stages)
    return [(step, ", ".join(s for s in stages if s in done) or "no") for step, stages in steps.items()]


def _settings(own: Mapping[str, object]) -> str:
    texts = [f"{key} = {_value(value)}" for key, value in own.items() if key != "stage"]
    return ", ".join(texts) or "defaults"


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        shown = ", ".join(map(str, value[:6]))
        return f"{shown} and {len(value) - 6} more" if len(value) > 6 else shown
    return f"{value:g}" if isinstance(value, float) else str(value)


def _trouble(data: SessionData) -> PageSection:
    items = [f"connection lost: {reason} ({count})" for reason, count in data.lost.items()]
    items += [f"reset: {reason} ({count})" for reason, count in data.resets.items()]
    items += [f"{what} ({count})" for what, count in data.troubles.items()]
    items += [f"the journal lacks {loss.missing} entries from {loss.first:.1f} s on" for loss in data.losses]
    events: list[Row] = [(label, str(count)) for label, count in data.events.most_common(MOST_ROWS)]
    made = (
        f"Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC from the journal; hemostream is for research use only."
    )
    return PageSection(
        "Events and trouble",
        [
            TextTable(("event", "how often"), events),
            Bullets([capital(item) for item in items[:MOST_ROWS]], "What went wrong" if items else ""),
            *([] if items else [Paragraph("Nothing was lost, reset or refused.")]),
            Paragraph(made, note=True),
        ],
    )
