"""The figures as one table of ratios, ready for a page of evidence."""

from typing import Any

from tools.bench import latency, throughput

Row = tuple[str, str, str, str, str]


def rows_of(results: dict[str, Any]) -> list[Row]:
    """What was measured, hemostream's figure, the peer's, their ratio, and the aim with how it came out."""
    rows: list[Row] = []
    for which, how in (("latency", "one outlet"), ("latency_apart", "outlets apart")):
        if not (measured := results.get(which)):
            continue
        conditions = measured["conditions_ms"]
        for peer, what in (("plain", "plain loop"), ("ideal", "ideal chain")):
            for name, aim in (("p50", latency.AIM_P50), ("p99", latency.AIM_P99)):
                ratio = measured["ratios"][peer][name]
                rows.append(
                    (
                        f"push to subscriber, {name}, {how}, against the {what}",
                        f"{conditions['hemostream'][name]:.2f} ms",
                        f"{conditions[peer][name]:.2f} ms",
                        f"{ratio:.2f}",
                        met(ratio <= aim, f"at most {aim:g}") if peer == "plain" else "none set",
                    )
                )
    if measured := results.get("cpu"):
        each = measured["cpu_s_per_minute"]
        rows.append(
            (
                "CPU a minute of stream, against the plain loop",
                f"{each['hemostream']:.2f} s",
                f"{each['plain']:.2f} s",
                f"{measured['ratio']:.2f}",
                "none set",
            )
        )
    if measured := results.get("throughput"):
        rates = measured["times_real_time"]
        alone, predicted = rates["pipeline alone"], rates["pipeline and inference"]
        single = rates["pipeline, sample by sample"]
        for what, ours, peer, reached in (
            (
                "replay, pipeline alone, against MNE offline",
                alone,
                "MNE, whole recording",
                met(alone >= throughput.AIM, f"at least {throughput.AIM:g} x real time"),
            ),
            ("replay, pipeline alone, against one bare filter", alone, "sosfilt, whole array", "none set"),
            ("replay sample by sample, against MNE offline", single, "MNE, whole recording", "none set"),
            ("replay with inference, against MNE offline", predicted, "MNE, whole recording", "none set"),
        ):
            rows.append((what, f"{ours:.0f} x", f"{rates[peer]:.0f} x", f"{ours / rates[peer]:.2f}", reached))
    if measured := results.get("first"):
        ours, plain = (measured["excess_s"][condition] for condition in ("hemostream", "plain"))
        rows.append(
            (
                "first decision beyond warm-up and window",
                f"{ours:.2f} s",
                f"{plain:.2f} s",
                f"{ours / plain:.2f}" if plain > 0 else "",
                "none set",
            )
        )
    return rows


def met(reached: bool, aim: str) -> str:
    """The aim, and whether it was reached."""
    return f"{aim}: {'reached' if reached else 'MISSED'}"


def markdown(rows: list[Row]) -> str:
    """A Markdown table."""
    head: Row = ("measure", "hemostream", "peer", "ratio", "aim")
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([text[0], rule, *text[1:]])
