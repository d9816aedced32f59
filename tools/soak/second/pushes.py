"""From a life's faults to what is pushed when: a pure function, so that the truth is known beforehand.

Every sample has a true time, the moment at which it was measured, and a number of its own that grows in
that order.  A push holds samples; where it holds several only the last one's stamp is sent, and liblsl makes
up the others by the declared rate.
"""

import random
from dataclasses import dataclass, replace

from tools.soak.second.plan import Device, Life, PlannedFault


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement.

    Parameters
    ----------
    number : int
        In the order of true times, since the life's start; lost ones are numbered too.
    true : float
        When it was measured, s since the life's start.
    stamp : float
        What the device says of that, s since the life's start.
    """

    number: int
    true: float
    stamp: float


@dataclass(frozen=True, slots=True)
class Push:
    """What is handed to LSL at once.

    Parameters
    ----------
    due : float
        When, s since the life's start.
    samples : tuple of Sample
        In the order in which they are sent; the last one's stamp is the push's.
    again : bool
        Whether it was sent before.
    """

    due: float
    samples: tuple[Sample, ...]
    again: bool = False


def pushes(device: Device, life: Life, seed: str) -> list[Push]:
    """Everything that a life pushes, in order.

    Parameters
    ----------
    device : Device
        Whose life it is.
    life : Life
        What goes wrong in it.
    seed : str
        Of the jitter and of the disorder.
    """
    chance = random.Random(seed)
    samples = _measured(device, life, chance)
    lost = _lost(samples, life)
    groups: dict[int, list[Sample]] = {}
    for one in samples:
        if one.number not in lost:
            groups.setdefault(one.number // device.chunk, []).append(one)
    sent = [Push(group[-1].true, tuple(group)) for group in groups.values()]
    for fault in life.faults:
        match fault.kind:
            case "early":
                sent = _early(sent, fault)
            case "disorder":
                sent = _disorder(sent, fault, chance)
            case "pause":
                over = fault.at + fault.seconds
                sent = [replace(one, due=over) if fault.at <= one.due < over else one for one in sent]
            case _:
                pass
    # Behind the pauses: what is sent again is what was sent by then.
    for fault in life.faults:
        if fault.kind in ("duplicate", "resend", "late resend"):
            sent = _again(sent, fault, device)
    return sorted(sent, key=lambda one: one.due)  # a stable sort: what is due together stays in order


def _measured(device: Device, life: Life, chance: random.Random) -> list[Sample]:
    """Every sample of the life, stamped truly but for jitter and jumps."""
    shifts = [one for one in life.faults if one.kind == "shift"]
    jitters = [one for one in life.faults if one.kind == "jitter"]
    jumps = [one for one in life.faults if one.kind == "jump"]
    found: list[Sample] = []
    for number in range(int(life.seconds * device.rate)):
        grid = number * device.period
        true = grid + sum(one.seconds for one in shifts if one.at <= grid)
        stamp = true + sum(one.by for one in jumps if _during(one, grid))
        sd = max((one.by for one in jitters if _during(one, grid)), default=0.0)
        found.append(Sample(number, true, stamp + (chance.gauss(0.0, sd) if sd else 0.0)))
    return found


def _during(fault: PlannedFault, second: float) -> bool:
    return fault.at <= second < fault.at + fault.seconds


def _lost(samples: list[Sample], life: Life) -> set[int]:
    lost: set[int] = set()
    for fault in life.faults:
        if fault.kind == "loss":
            first = next((one.number for one in samples if one.true >= fault.at), len(samples))
            lost.update(range(first, first + fault.count))
    return lost


def _first_due(sent: list[Push], at: float) -> int:
    return next((i for i, one in enumerate(sent) if one.due >= at), len(sent))


def _early(sent: list[Push], fault: PlannedFault) -> list[Push]:
    """Stamp one push too early: its last sample's stamp is all that is sent of it."""
    i = _first_due(sent, fault.at)
    if i == len(sent):
        return sent
    last = sent[i].samples[-1]
    stamped = replace(last, stamp=last.stamp - fault.seconds)
    return [*sent[:i], replace(sent[i], samples=(*sent[i].samples[:-1], stamped)), *sent[i + 1 :]]


def _disorder(sent: list[Push], fault: PlannedFault, chance: random.Random) -> list[Push]:
    i = _first_due(sent, fault.at)
    block = sent[i : i + fault.count]
    if len(block) < 2:
        return sent
    last = max(one.due for one in block)  # no sample is sent before it is measured
    chance.shuffle(block)
    return [*sent[:i], *(replace(one, due=last) for one in block), *sent[i + fault.count :]]


def _again(sent: list[Push], fault: PlannedFault, device: Device) -> list[Push]:
    """Send the last samples once more, ``seconds`` later."""
    at = fault.at + fault.seconds
    before = [one for one in sent if one.due <= fault.at and not one.again]
    wanted = max(1, round(fault.count / device.chunk))
    copies = [replace(one, due=at, again=True) for one in before[-wanted:]]
    return [*sent, *copies]
