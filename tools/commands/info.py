"""``hemostream info``: what a bundle is, and what it was worth on people whom it had not seen."""

from pathlib import Path
from typing import TYPE_CHECKING

from tools.messages import say

if TYPE_CHECKING:
    from models.cards.card import Card
    from models.cards.scan_card import ScanCard
    from models.cards.window_card import WindowCard


def info(bundle: Path, *, model_hash: str | None = None) -> None:
    """Show what a bundle is: its model, training, evaluation on unseen people, and which labels it shows.

    Parameters
    ----------
    bundle : Path
        Bundle folder, as "train" or "study export" writes it.
    model_hash : str
        The hash that it must have, or its first digits (12 at least).
    """
    from models.bundle_files import is_scan_bundle, read_files
    from models.cards.scan_card import ScanCard
    from models.cards.window_card import WindowCard
    from models.outside import printable

    if is_scan_bundle(bundle):
        scans = read_files(bundle, ScanCard, model_hash)[0]
        lines = [*_of_scans(scans), *_worth(scans)]
    else:
        windows = read_files(bundle, WindowCard, model_hash)[0]
        lines = [*_of_windows(windows), *_worth(windows), *_how_to_show(windows), *_evidence(windows)]
    for line in lines:
        say(printable(line, None))


def _of_windows(card: "WindowCard") -> list[str]:
    window, its = card.window, card.training
    lines = [
        f"Model: {card.model.kind} (hash {card.hash[:12]}), labels {', '.join(card.labels)}",
        f"Takes: {len(card.input.get('channels', ()))} channels at {card.rate:g} Hz, windows of "
        f"{window.length_s:g} s every {window.step_s:g} s",
        f"Trained: {its.get('people', '?')} people, {its.get('recordings', '?')} recordings, recipe "
        f"{its.get('recipe', '?')} ({str(its.get('recipe_hash', '?'))[:12]}), cohort "
        f"{str(its.get('cohort_hash', '?'))[:12]}",
    ]
    if by := its.get("calibrated"):
        blocks = sum(by["blocks"].values())
        came = "not evaluated since" if by["moved"] else "nothing was gained: the weights are the old ones"
        lines.append(
            f"Calibrated: to one person by {by['minutes']:.1f} minutes ({blocks} blocks), from "
            f"{by['parent'][:12]}; {came}"
        )
    if card.montages is not None:
        lines.insert(2, f"Montages: {card.montages.line}")
    return lines


def _of_scans(card: "ScanCard") -> list[str]:
    low, high = card.input.repetition_time
    return [
        f"Model: {card.study.get('title', 'a scan model')} (hash {card.hash[:12]}), labels "
        f"{', '.join(card.labels)}",
        f"Takes: scans of {card.input.least_s:g} s or more, {len(card.input.regions)} regions, a repetition "
        f"time of {low:.3g} to {high:.3g} s",
        f"Trained: {card.training.get('people', '?')} people",
    ]


def _worth(card: "Card") -> list[str]:
    lines = [f"Evaluated: {card.evaluation_line}"]
    if card.unseen is not None:
        lines += [f"  {line}" for line in card.unseen.details]
    return [*lines, f"Labels: {card.labels_line}"]


def _how_to_show(card: "WindowCard") -> list[str]:
    """What to do where every window is undecided."""
    from models.evidence.unseen import least_confidence

    if least_confidence(card.policy.get("min_confidence"), card.unseen) is not None:
        return []
    if card.training.get("calibrated", {}).get("moved"):
        return [
            "  to have labels shown: set [policy] min_confidence in the recipe, train by it, and calibrate "
            "that bundle"
        ]
    return [
        "  to have labels shown: train with --evaluation and a report that is better than chance on ten "
        "unseen people or more, or set [policy] min_confidence in the recipe"
    ]


def _evidence(card: "WindowCard") -> list[str]:
    its = card.evidence
    if its.law is None:
        forgets = "never forgets" if its.memory_s is None else f"forgets within about {its.memory_s:g} s"
        return [f"Evidence: a mean over windows that {forgets}"]
    over = "the session" if its.block is None else f"what follows an event ({', '.join(its.block.events)})"
    rule = "no rule for stopping early"
    if its.rule is not None:
        rule = f"stops at log odds of {its.rule.upper:.2f} or {its.rule.lower:.2f}"
    return [f"Evidence: as windows of unseen people added up, over {over}; {rule}"]
