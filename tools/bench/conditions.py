"""Runs of the conditions beside each other on one stream, and what came to the subscriber."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.bench.condition_ideal import HEAD
from tools.bench.processes import Child
from tools.bench.stream import LENGTH, RATE, SESSION

CONDITIONS = ("hemostream", "plain", "ideal")
TOPICS = {
    "hemostream": f"hemostream/{SESSION}/decision",
    "plain": "bench/plain",
    "ideal": "bench/ideal",
}
DECISION_TOPIC = TOPICS["hemostream"]


@dataclass(frozen=True)
class Arrived:
    """A decision in the subscriber's hand.

    Parameters
    ----------
    condition : str
        Whose.
    at : float
        Local time (s) at which it was in hand.
    stamp : float
        Stamp (s) of the sample that completed its window.
    predicted : bool
        Whether a probability came with it.
    got, made : float
        Local time (s) at which the completing sample was in the condition's hand, and the logits were
        there; nan where the condition does not say.
    """

    condition: str
    at: float
    stamp: float
    predicted: bool
    got: float
    made: float


def read_arrivals(path: Path) -> list[Arrived]:
    """What the subscriber wrote down, in order of arrival."""
    nowhere = float("nan")
    names = {topic: condition for condition, topic in TOPICS.items()}
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        at, topic, text = json.loads(line)
        condition = names[topic]
        if condition == "ideal":
            _, stamp, got, made = HEAD.unpack(text.encode("latin-1")[: HEAD.size])
            found.append(Arrived(condition, at, stamp, True, got, made))
            continue
        values: dict[str, Any] = json.loads(text)
        if condition == "plain":
            found.append(Arrived(condition, at, values["stamp"], True, values["got"], values["made"]))
        else:
            predicted = values["probabilities"] is not None
            found.append(Arrived(condition, at, values["window_end"] - 1 / RATE, predicted, nowhere, nowhere))
    return found


@contextmanager
def running(
    folder: Path,
    broker: str,
    bundle: Path,
    conditions: tuple[str, ...],
    *,
    samples: int,
    step: int,
    apart_s: float = 0.0,
    stream_first: bool = False,
    device: str = "cpu",
) -> Iterator[dict[str, Child]]:
    """Start pusher, subscriber and conditions; give them when all of them are connected.

    Parameters
    ----------
    folder : path
        A new one for this run.
    broker : str
        URL.
    bundle : path
        The network of all conditions.
    conditions : tuple of str
        Of `CONDITIONS`.
    samples : int
        How many samples the stream has.
    step : int
        Samples from window to window.  Condition k completes its windows k samples after the first.
    apart_s : float
        Above 0 each condition has an outlet of its own, pushed so much (s) after the one before.
    stream_first : bool
        Whether the stream is already running when conditions connect, as a device's does.
    device : str
        Where hemostream's session computes.

    Yields
    ------
    dict of str to Child
        By name, ``pusher`` and ``subscriber`` among them.
    """
    folder.mkdir()
    address = urlsplit(broker)
    mqtt = {"host": address.hostname, "port": address.port}
    ids = [f"bench-{condition}" for condition in conditions] if apart_s else ["bench"]
    with ExitStack() as stack:

        def start(module: str, **values: Any) -> Child:
            return stack.enter_context(Child(module, **values))

        children = {
            "subscriber": start(
                "subscriber",
                **mqtt,
                topics=[TOPICS[condition] for condition in conditions],
                status=f"hemostream/{SESSION}/status",
                out=str(folder / "arrivals.jsonl"),
            ),
            "pusher": start("pusher", source_ids=ids, samples=samples, apart_s=apart_s),
        }
        children["subscriber"].wait_for("ready")
        children["pusher"].wait_for("open")
        if stream_first:
            children["pusher"].say("go")
        for place, condition in enumerate(conditions):
            common = {"bundle": str(bundle), "source_id": ids[place if apart_s else 0]}
            if condition == "hemostream":
                children[condition] = start(
                    "condition_hemostream",
                    **common,
                    session=SESSION,
                    broker=broker,
                    journal=str(folder / "journal.hemostream"),
                    device=device,
                )
            else:
                # The first window is complete with sample LENGTH - 1; those of others a sample or two later.
                offset = (LENGTH - 1 + CONDITIONS.index(condition)) % step
                children[condition] = start(
                    f"condition_{condition}",
                    **common,
                    **mqtt,
                    topic=TOPICS[condition],
                    step=step,
                    offset=offset,
                )
        for condition in conditions:
            if condition == "hemostream":
                children["subscriber"].wait_for("status baseline")
            else:
                children[condition].wait_for("ready")
        if not stream_first:
            children["pusher"].say("go")
        yield children


def arrivals(children: dict[str, Child], folder: Path) -> list[Arrived]:
    """Have the subscriber write down what came so far, and read it."""
    children["subscriber"].say("report")
    children["subscriber"].wait_for("reported")
    return read_arrivals(folder / "arrivals.jsonl")
