"""An evaluation in plain words: what was done, what was found, what it does not say.

``results`` is what ``results.json`` holds, or what of it has the name of the parameter.
"""

from collections.abc import Mapping
from typing import Any

from models.evidence.standing import shown
from models.networks import COMBINED_KINDS, SOLVED_KINDS
from offline.report.cells import capital, difference, number, sentence, times
from offline.report.order_words import against_order, order_words, shared_order
from offline.report.verdict import against_chance

TITLES = {"auc": "area under the ROC curve (AUC)", "balanced_accuracy": "balanced accuracy"}
METRICS = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}
"""Figures by name in ``results.json``; short for tables."""
SIMPLE = ("linear", "ridge", "memory and symmetry", "time", "age and sex", "majority")
"""What models are compared with (`offline.evaluation.fit_and_predict.BASELINES`)."""
NO_SIGNAL = {
    "time": "only when a window lies in its recording",
    "age and sex": "only what the cohort tells of people",
    "majority": "it always names the most frequent label",
}
"""Those that see no signal, and what they see instead."""


def finding(results: Mapping[str, Any], condition: str) -> str:
    """One condition's result in a sentence, against chance."""
    metric = results["primary"]["metric"]
    value = results["conditions"][condition]["by_person"][metric]["value"]
    if value is None:
        return f"{condition}: the {TITLES[metric]} is not determined by these recordings."
    return f"{condition}: {TITLES[metric]} {number(value)}. {chance_words(results, condition)}"


def chance_words(results: Mapping[str, Any], condition: str) -> str:
    """Whether a condition's primary figure differs from chance (`offline.report.verdict`)."""
    metric = results["primary"]["metric"]
    its = results["conditions"][condition]["by_person"][metric]
    against = against_order(results, condition)
    return against_chance(its, chance_of(results, metric), against=against)


def chance_of(results: Mapping[str, Any], metric: str) -> float:
    """What guessing gives: one half, or for balanced accuracy one in as many labels as there are."""
    return 1.0 / len(results["labels"]) if metric == "balanced_accuracy" else 0.5


def summary_of(results: Mapping[str, Any]) -> list[str]:
    """What stands on top of the page: a few sentences."""
    own = results["recipe"]["model"]
    first, *others = results["labels"]
    people = f"{results['people']} {'person' if results['people'] == 1 else 'people'}"
    each = "each" if results["primary"]["label_of"] == "person" else "every window"
    asked = f"A computer model was asked to tell {first} from {' and '.join(others)}, for {each} of {people}."
    out = [asked, protocol(results), finding(results, own)]
    return [*out, *_simple(results), *_clock_alone(results), sentence(results["says"])]


def protocol(results: Mapping[str, Any]) -> str:
    """How it was evaluated, in words."""
    folds = len({name for name in results["folds"] if not name.startswith("site ")})
    kind = results["recipe"].get("settings", {}).get("model", {}).get("kind")
    what = "choice of settings, calibration and early stopping"
    if kind in SOLVED_KINDS:  # there is nothing to stop early
        what = "choice of the penalty and calibration"
    elif kind in COMBINED_KINDS:
        what = "choice among models, calibration and early stopping"
    return (
        f"{capital(results['protocol'])}, in {times(folds, 'division')}; scaling, {what} all happened inside "
        "the training side of each."
    )


def by_time(results: Mapping[str, Any]) -> bool:
    """Whether parts of recordings were held out, not people."""
    settings = results["recipe"].get("settings", {})
    return bool(settings.get("evaluation", {}).get("by", "people") == "time")


def fitted_to(results: Mapping[str, Any]) -> str:
    """To what the model that predicts somebody was fitted, as the folds divided them."""
    if by_time(results):
        return "other parts of the same person's recordings"
    folds = [name for name in results.get("folds", ()) if not name.startswith("site ")]
    if len(folds) == results.get("people"):
        return "all others"
    return f"people of the other folds ({len(folds)} in all)" if folds else "others"


def _clock_alone(results: Mapping[str, Any]) -> list[str]:
    """Where labels follow from when a window lies in its recording: that they do, why, and what is left."""
    if shared_order(results) is not None:
        return order_words(results)
    metric, own = results["primary"]["metric"], results["recipe"]["model"]
    clock, value = _known(results, "time"), _known(results, own)
    if clock is None or value is None or clock <= chance_of(results, metric) or clock < value:
        return []
    return [
        "The comparison called time sees no signal, only when a window lies in its recording, and does at "
        f"least as well as {own}: blocks of a label come at alike times. So these figures do not show that "
        "anything was learnt from the signals. Let the pauses between events vary from person to person."
    ]


def _simple(results: Mapping[str, Any]) -> list[str]:
    """The simple comparison with the highest primary figure, the clock included, beside the own model.

    Where that one sees no signal, the best of those that see signals too.
    """
    own = results["recipe"]["model"]
    values = {name: _known(results, name) for name in SIMPLE if name != own}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return []
    best = max(known, key=lambda name: known[name])
    out = [f"The best simple comparison is {_titled(best)}. {finding(results, best)}{_less(results, best)}"]
    signals = {name: value for name, value in known.items() if name not in NO_SIGNAL}
    if best in NO_SIGNAL and signals:
        foremost = max(signals, key=lambda name: signals[name])
        out.append(
            f"The best of those that see signals is {foremost}. {finding(results, foremost)}"
            f"{_less(results, foremost)}"
        )
    return out


def _titled(name: str) -> str:
    return f"{name}, which sees no signal ({NO_SIGNAL[name]})" if name in NO_SIGNAL else name


def _less(results: Mapping[str, Any], name: str) -> str:
    """How the own model compares with another, person by person; begins with a blank."""
    own = results["recipe"]["model"]
    its = results.get("compared", {}).get(name, {}).get("figure")
    if its is None or its["difference"] is None:
        return ""
    value, ends = difference(its)
    if its["interval"] is None:
        return f" The difference, {own} less {name}, is {value}; too few people for an interval."
    low, high = (shown(end) for end in its["interval"])
    what = f"{own} is better" if low > 0 else f"{own} is worse" if high < 0 else "the two are not told apart"
    return f" The difference, {own} less {name}, is {value} (95 % by the bootstrap {ends}): {what}."


def _known(results: Mapping[str, Any], name: str) -> float | None:
    """The primary figure of a condition, where it is there and determined."""
    own = results["conditions"].get(name)
    value: float | None = None if own is None else own["by_person"][results["primary"]["metric"]]["value"]
    return value


def simulated(results: Mapping[str, Any]) -> str:
    """What simulated people could show at all, and which of it a window can carry; empty for real ones."""
    its = results["simulated"]
    if its is None:
        return ""
    seconds = its["window_s"]
    text = (
        "These people are simulated: accuracy on them says nothing about any patient. A window of "
        f"{seconds:g} s holds one whole turn of nothing slower than {1 / seconds:.2f} Hz: of a difference at "
        "0.01 to 0.02 Hz (as in how mirrored channels go together) it shows only what the level and slope of "
        "a window tell."
    )
    if results["primary"]["label_of"] == "person":
        text += (
            f" Were each person's parameters known exactly, {its['latent_accuracy']:.0%} of people could be "
            "told apart by their group; from signals less, from windows less still."
        )
    return text


def who(described: Mapping[str, Any]) -> str:
    """Who was recorded, in a sentence or two."""
    parts = [f"{described['people']} people, {described['recordings']} recordings"]
    for name in ("sites", "sexes"):
        if described[name]:
            parts.append(f"{name}: " + ", ".join(f"{n} {value}" for value, n in described[name].items()))
    if (ages := described["ages"]) is not None:
        parts.append(f"ages {ages['least']:g} to {ages['most']:g} years, mean {ages['mean']:.1f}")
    return "; ".join(parts) + "."


def stopping(evidence: Mapping[str, Any]) -> str:
    """What a rule that reports a label early did to held-out people."""
    its = evidence["stopping"]
    begin = f"Seconds count from {evidence['since']}."
    if its is None:
        return f"{begin} No rule that stops early could be set on so few training people."
    wanted = f"{its['wanted']:.0%} wrong at most was asked for"
    if not its["stopped"]:
        return (
            f"{begin} The rule for stopping early ({wanted}) stopped none of {its['people']} held-out people."
        )
    low, high = its["wrong_share_interval"]
    return (
        f"{begin} The rule for stopping early ({wanted}) gave {its['stopped']} of {its['people']} "
        "held-out people "
        f"a label after a median of {its['median_seconds']:.0f} s, {its['wrong']} of them a wrong one "
        f"(95 %: {low:.0%} to {high:.0%} of those who got one)."
    )


def map_words(its: Mapping[str, Any]) -> str:
    """What a map shows, and whether it may be believed."""
    foremost = [f"{name} ({share:.0%} of folds)" for name, share in list(its["foremost"].items())[:5]]
    verdict = (
        "It depends on what was learnt"
        if its["believed"]
        else "It is NOT to be believed, for networks without training give much the same"
    )
    return (
        f"It shows: {its['shows']}. {verdict} (likeness to untrained networks {its['like_untrained']:.2f}). "
        f"Agreement of the folds' channels: {number(its['stability']['channels'])}. Foremost: "
        f"{', '.join(foremost)}."
    )
