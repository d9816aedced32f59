"""Was anything lost?  What a bed's journal holds against what the subscriber has in its hands."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from realtime.log import Received, StreamLost, StreamOpened
from realtime.sinks.journal.journal import read_decisions, read_journal_entries, read_losses
from tools.faults.hearing import Heard, age_at

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class BedAccount:
    """What became of one bed's samples and decisions.

    Parameters
    ----------
    samples : int
        Journaled.
    opened, lost : int
        Streams opened and lost, as journaled.
    missing_entries : int
        Entries that the journal itself declares as lost.
    decisions, predicted : int
        Journaled; with a label.
    undelivered : int
        Journaled and never in the subscriber's hands.
    unknown : int
        In the subscriber's hands and not in the journal, or with another text.
    repeated : int
        Identities that came more than once.
    stale : int
        Came on the topic of current decisions older than their policy allows.
    disordered : int
        Came on that topic behind a later one.
    history : int
        Came on the topic of what is no longer current.
    """

    samples: int
    opened: int
    lost: int
    missing_entries: int
    decisions: int
    predicted: int
    undelivered: int
    unknown: int
    repeated: int
    stale: int
    disordered: int
    history: int


def account(journal: Path, heard: Iterable[Heard], *, max_age_s: float) -> BedAccount:
    """Add up one bed.

    Parameters
    ----------
    journal : path
        Of the session, closed.
    heard : iterable of Heard
        Its decisions, as they arrived.
    max_age_s : float
        How old (stream s) a current decision may be when it arrives.
    """
    samples = opened = lost = 0
    for entry in read_journal_entries(journal):
        match entry:
            case Received():
                samples += len(entry.stamps)
            case StreamOpened():
                opened += 1
            case StreamLost():
                lost += 1
    written: dict[Identity, str] = {}
    predicted = 0
    for text in read_decisions(journal):
        values = json.loads(text)
        written[values["run"], values["sequence"]] = text
        predicted += values["label"] != "abstain"
    came: Counter[Identity] = Counter()
    unknown = stale = disordered = history = 0
    latest: Identity = (0, -1)
    for one in heard:
        values = json.loads(one.text)
        identity = (values["run"], values["sequence"])
        came[identity] += 1
        unknown += written.get(identity) != one.text
        if one.topic == "history":
            history += 1
            continue
        disordered += identity < latest
        latest = max(latest, identity)
        stale += age_at(values, one.at_utc) > max_age_s
    return BedAccount(
        samples=samples,
        opened=opened,
        lost=lost,
        missing_entries=sum(loss.missing for loss in read_losses(journal)),
        decisions=len(written),
        predicted=predicted,
        undelivered=len(set(written) - set(came)),
        unknown=unknown,
        repeated=sum(count > 1 for count in came.values()),
        stale=stale,
        disordered=disordered,
        history=history,
    )
