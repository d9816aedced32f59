"""In words: whether position in the session tells the label, and what other common orders give.

``results`` is what ``results.json`` holds.
"""

from collections.abc import Mapping
from typing import Any

from models.evidence.standing import ALPHA, shown
from offline.report.cells import number

MOST_NAMED = 8
"""Of a longer order only so many labels are written out."""
NAMES = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}
REASON = "position in the session tells the label"


def shared_order(results: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is known of the order of labels, where recordings share one; else None."""
    order: Mapping[str, Any] | None = results.get("order")
    return order if order is not None and order["shared"] else None


def against_order(results: Mapping[str, Any], condition: str) -> str:
    """Of what the p of a condition is, to follow it in a sentence; empty where it is the usual one."""
    order = shared_order(results)
    if order is None:
        return ""
    possible = least(order, results, condition)
    return f" against other orders of the labels that are common to all (least possible {possible})"


def p_head(results: Mapping[str, Any]) -> str:
    """What heads a column of p: of which null, where it is not the usual one."""
    return "p" if shared_order(results) is None else "p (common orders)"


def null_lines(results: Mapping[str, Any]) -> list[str]:
    """What is found where there is nothing to find, a sentence for each null, for page and terminal alike.

    Where orders are shared, permuting within recordings is no null: the sentence says so, and what the null
    of common orders gives `order_words` says.
    """
    metric = results["primary"]["metric"]
    out = []
    for key in ("null", "network_null"):
        null = results.get(key)
        if null is None or null["mean"][metric] is None:
            continue
        says = "Where there is nothing to find"
        if key == "null" and shared_order(results) is not None:
            says = "With labels permuted within recordings, which is no null here"
        its = f"{null['permutations']} permutations, {null['of']}"
        spread = "" if null["sd"][metric] is None else f" with SD {number(null['sd'][metric])}"
        out.append(f"{says} ({its}): {NAMES[metric]} {number(null['mean'][metric])} on average{spread}.")
    return out


def fitting_null(results: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The null of the ridge procedure that fits the design: of common orders where these are shared."""
    order = shared_order(results)
    its: Mapping[str, Any] | None = results["null"] if order is None else order["null"]
    return its


def least(order: Mapping[str, Any], results: Mapping[str, Any], condition: str) -> str:
    """The smallest p that a condition's test could have given."""
    null = order["null"] if condition == "ridge" else results.get("network_null")
    smallest = order["smallest_p"]
    if null is not None and not null["exact"]:
        smallest = max(smallest, 1.0 / (1 + null["permutations"]))
    return number(smallest)


def order_words(results: Mapping[str, Any]) -> list[str]:
    """Sentences on a shared order: that the clock tells the label and why, and what is left beside it."""
    order = shared_order(results)
    if order is None:
        return []
    metric = results["primary"]["metric"]
    name = NAMES[metric]
    clock = _value(results, "time", metric)
    sees = (
        f"the comparison called time, which sees no signal, reaches {name} {number(clock)}"
        if clock is not None
        else "the clock alone can tell it"
    )
    out = [f"Position in the session tells the label here, for {_how_shared(order)}: {sees}."]
    null = order["null"]
    if null is None:
        return [*out, "What position alone gives was not estimated: no permutations were asked for."]
    out.append(_null_words(results, order, null, metric, name))
    if (removed := order["position_removed"]) is not None:
        out.append(_removed_words(removed, metric, name))
    else:
        out.append("Position cannot be taken out of the features here, for it is the label.")
    return out


def _value(results: Mapping[str, Any], condition: str, metric: str) -> float | None:
    own = results["conditions"].get(condition)
    value: float | None = None if own is None else own["by_person"][metric]["value"]
    return value


def _how_shared(order: Mapping[str, Any]) -> str:
    named = ", ".join(order["most_common"][:MOST_NAMED])
    more = ", ..." if len(order["most_common"]) > MOST_NAMED else ""
    if order["distinct"] == 1 and not order["other_lengths"]:
        return f"all {order['recordings']} recordings have one order of labels ({named}{more})"
    of = order["recordings"] + order["other_lengths"]
    if order["distinct"] == 1:
        return (
            f"{order['recordings']} of {of} recordings have one order of labels ({named}{more}); the others "
            "have another number of blocks, and were permuted alone"
        )
    return (
        f"the labels of {of} recordings come in {order['distinct']} orders that agree by position (kappa "
        f"{order['agreement']:.2f}); {order['with_most_common']} have {named}{more}"
    )


def _null_words(
    results: Mapping[str, Any], order: Mapping[str, Any], null: Mapping[str, Any], metric: str, name: str
) -> str:
    """What other common orders give, how they were made, and what the usual null would have claimed."""
    if not null["permutations"]:
        return "No other order common to all is possible, so no test can tell the label from its position."
    if order["round_length"] is None:
        made = "all blocks of the session exchanged"
    elif order["permuted_within"] == order["round_length"]:
        made = f"blocks exchanged within rounds of {order['round_length']}, which hold each label as often"
    else:
        made = (
            f"all blocks of the session exchanged, for rounds of {order['round_length']} leave too few "
            "orders for any p of 0.05"
        )
    how = "all there are" if null["exact"] else f"of {order['possible_orders']}"
    own = results["conditions"]["ridge"]["by_person"][metric]
    text = (
        f"With other orders that are common to all ({null['permutations']}, {how}; {made}) the whole ridge "
        f"procedure gives {name} {number(null['mean'][metric])} on average and "
        f"{number(null['greatest'][metric])} at most; with the true one {number(own['value'])}"
    )
    if own["p"] is not None:
        text += f": p = {number(own['p'])} (least possible {least(order, results, 'ridge')})"
    if (usual := own.get("p_within_recordings")) is not None:
        text += f". Labels permuted within recordings, which is no null here, would give p = {number(usual)}"
    if own["p"] is not None and shown(own["p"]) > ALPHA:
        text += ". So it is not shown that ridge learnt more than position"
    return f"{text}."


def _removed_words(removed: Mapping[str, Any], metric: str, name: str) -> str:
    its, null = removed["figures"][metric], removed["null"]
    share = removed["label_share"]
    with_it = f", and {share:.0%} of what tells the labels with it" if share >= 0.005 else ""
    p = "" if its["p"] is None else f", p = {number(its['p'])}"
    others = number(null["mean"][metric])
    mean = "" if null["mean"][metric] is None else f" (other common orders: {others} on average{p})"
    return (
        f"An additional figure, not the primary one: with {removed['terms']} taken out of ridge's features "
        f"by what training people show{with_it}, {name} is {number(its['value'])}{mean}."
    )
