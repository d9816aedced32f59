"""Who is trained on and who is predicted: folds by person.

Windows of one person resemble each other far more than windows of two, whatever their labels; so a fold by
people never has a person on both sides.  Only `time_folds` does, within each person, and says nothing about
other people.  Folds follow from the people and their labels alone, and a
fold is named by whom it holds out, so that its seed can come from what it is, not from its place.

People who were measured together are one unit and stand on one side (`offline.base.together`).

Of all samples ``person``, (n_samples,) str, is whose each is, ``y``, (n_samples,) int64, its label, and
``unit``, (n_samples,) str, of which unit (None: everybody is one); a ``seed`` says who comes together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from models.errors import RecipeError
from offline.base.sample_table import SampleTable

Indices = npt.NDArray[np.intp]
Names = npt.NDArray[np.str_]

MOST_LEFT_OUT_SINGLY = 20
"""Up to so many people each is held out alone; beyond, ten folds say the same for less."""
MANY_FOLDS = 10
FEW_OF_A_LABEL = 10
"""With fewer people of the rarest label, one of each label is left out together."""
PERSON_FOLDS = 5
"""Where they are more: people are compared within a fold, and with more folds fewer of them meet."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One division into people who are trained on and people who are predicted.

    Parameters
    ----------
    held_out : tuple of str
        The people who are predicted, sorted.
    train, test : (n,) intp
        Samples of either side, ascending.
    title : str
        What is held out, where it is not simply these people; empty otherwise.
    """

    held_out: tuple[str, ...]
    train: Indices
    test: Indices
    title: str = ""

    @property
    def name(self) -> str:
        """What is held out: the people joined by ``+``, a site, or a part of the recordings."""
        return self.title or "+".join(self.held_out)


def leave_one_person_out(person: Names, unit: Names | None = None) -> list[Fold]:
    """Every person (or unit), (n_samples,) str, once alone on the predicted side, in order of their names.

    Raises
    ------
    RecipeError
        There are fewer than two people, or units.
    """
    unit = person if unit is None else unit
    return [_fold(person, person[unit == name]) for name in _people(unit)]


def person_folds(
    person: Names, y: npt.NDArray[np.int64], n_folds: int, *, seed: int = 0, unit: Names | None = None
) -> list[Fold]:
    """Divide people into folds, 2 to their number, whose labels are as alike as can be.

    Of samples' people, (n_samples,) str, and labels, (n_samples,) int64.  Where each person has only one
    label, folds are stratified over people; otherwise over samples.

    Raises
    ------
    RecipeError
        There are fewer people (of a label, where each person has one) than folds.
    """
    if unit is not None:
        return _unit_folds(person, y, n_folds, unit, seed)
    people = _people(person)
    own = _label_of_each(person, y)
    fewest = len(people) if own is None else min(np.bincount(list(own.values()), minlength=2))
    if fewest < 2:
        raise RecipeError(
            "A label is held by one person only, so no fold can hold it on both sides. Add people of that "
            "label, or leave it out of the recipe."
        )
    if not 2 <= n_folds <= fewest:
        raise RecipeError(
            f"{n_folds} folds were asked for; expected 2 to {fewest}, the number of people"
            f"{'' if own is None else ' of the rarest label'}. Ask for fewer folds, or add people."
        )
    if own is not None:
        labels, names = np.array([own[name] for name in people]), np.array(people)
        parts = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(names, labels)
    else:
        names = person
        by_group = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        parts = by_group.split(np.zeros(len(y)), y, groups=person)
    groups = [set(names[held_out].tolist()) for _, held_out in parts]
    return sorted((_fold(person, group) for group in groups if group), key=lambda fold: fold.held_out)


def _unit_folds(person: Names, y: npt.NDArray[np.int64], n_folds: int, unit: Names, seed: int) -> list[Fold]:
    """As `person_folds`, with whole units; fewer folds where so many would leave training without a label."""
    fewest = fewest_units(person, y, unit)
    if fewest < 2:
        raise RecipeError(
            f"A label is held by {fewest} of {len(set(unit.tolist()))} groups of people who were measured "
            "together; expected 2 or more, or no fold could hold it on both sides. Add people of that label, "
            "or leave it out of the recipe."
        )
    first = np.unique(person, return_index=True)[1]
    rows = np.arange(len(person)) if _label_of_each(person, y) is None else first
    for number in range(min(n_folds, fewest), 1, -1):
        split = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
        tests = [test for _, test in split.split(np.zeros(len(rows)), y[rows], groups=unit[rows])]
        folds = [_fold(person, person[rows][test]) for test in tests if len(test)]
        if all(holds(y[fold.train], np.unique(y)) for fold in folds):
            return sorted(folds, key=lambda fold: fold.held_out)
    raise RecipeError(
        "No division of the groups of people who were measured together leaves every label in training. "
        "Add people, or leave a label out of the recipe."
    )


def fewest_units(person: Names, y: npt.NDArray[np.int64], unit: Names) -> int:
    """How many units there are; of the rarest label, where each person has one.

    Of samples' people and units, (n_samples,) str, and labels, (n_samples,) int64.
    """
    if _label_of_each(person, y) is None:
        return len(_people(unit))
    return min(len(set(unit[y == label].tolist())) for label in np.unique(y))


def evaluation_folds(
    person: Names, y: npt.NDArray[np.int64], *, seed: int = 0, unit: Names | None = None
) -> list[Fold]:
    """The folds that a cohort is evaluated with, chosen by what it is.

    Of samples' people, (n_samples,) str, and labels, (n_samples,) int64.

    A label that changes within people: one person is left out at a time, or ten folds where people
    are many.  One label a person: as many folds as the rarest label has people, or `PERSON_FOLDS` where
    they are `FEW_OF_A_LABEL` or more, each with people of every label; leaving out one person alone would
    make the held-out label the minority of every training set, which on noise gives an accuracy far
    *under* one half.

    Raises
    ------
    RecipeError
        There are too few people (or too few of a label) to hold any out.
    """
    own = _label_of_each(person, y)
    if own is not None:
        fewest = int(min(np.bincount(list(own.values()), minlength=2)))
        fewest = fewest if unit is None else fewest_units(person, y, unit)
        n_folds = max(fewest, 2) if fewest < FEW_OF_A_LABEL else PERSON_FOLDS
        return person_folds(person, y, n_folds, seed=seed, unit=unit)
    if len(_people(person if unit is None else unit)) <= MOST_LEFT_OUT_SINGLY:
        return leave_one_person_out(person, unit)
    return person_folds(person, y, MANY_FOLDS, seed=seed, unit=unit)


def site_folds(table: SampleTable) -> list[Fold]:
    """Every site once on the predicted side, with no one of it on the other; none with fewer than two sites.

    A person (or unit) who was measured at several sites is left out of training altogether while one of those
    is predicted, and whoever's site is not known (it may be that one) always.  Sites without which some
    label would have no training sample are not predicted.
    """
    folds = []
    labels = np.unique(table.target)
    for site in sorted(set(table.site.tolist()) - {""}):
        test = np.flatnonzero(table.site == site)
        theirs = sorted(set(table.person[test].tolist()))
        elsewhere = (table.site != site) & (table.site != "")
        train = np.flatnonzero(elsewhere & ~np.isin(table.unit, table.unit[test]))
        if holds(table.target[train], labels):
            folds.append(Fold(tuple(theirs), train, test, f"site {site}"))
    return folds if len(folds) > 1 else []


def time_folds(table: SampleTable, *, blocks: int, gap_s: float) -> list[Fold]:
    """Within each person: a block of the recordings is predicted by what was fitted to the other blocks.

    Such figures say nothing about other people.  Each recording is cut into so many blocks of equal length;
    the same block of all a person's recordings is held out together.  Samples that lie less than the gap, s,
    from the predicted block are not trained on: neighbours resemble each other, and the pipeline remembers.
    Samples of one trial (`SampleTable.block`) are held out together, where the middle of them lies.

    Raises
    ------
    RecipeError
        Some block leaves a label without a training sample, or holds no sample at all.
    """
    begin, end = np.full(len(table), np.inf), np.full(len(table), -np.inf)
    for name in np.unique(table.recording):
        here = table.recording == name
        begin[here], end[here] = table.start[here].min(), table.stop[here].max()
    length = (end - begin) / blocks
    middle = _middle_of_trials(table)
    folds = []
    for person in table.people:
        own = table.person == person
        for block in range(blocks):
            low, high = begin + block * length, begin + (block + 1) * length
            test = np.flatnonzero(own & (middle >= low) & (middle < high))
            for name in np.unique(table.recording[test]):  # a trial may reach over the border
                here, theirs = table.recording == name, test[table.recording[test] == name]
                low[here] = np.minimum(low[here], table.start[theirs].min())
                high[here] = np.maximum(high[here], table.stop[theirs].max())
            near = (table.stop > low - gap_s) & (table.start < high + gap_s)
            train = np.flatnonzero(own & ~near)
            if not len(test) or not holds(table.target[train], np.unique(table.target[own])):
                raise RecipeError(
                    f"Block {block + 1} of {blocks} of {person}'s recordings has {len(test)} windows, and "
                    f"{len(train)} are left to train on, {gap_s:g} s away from it; expected some, and all "
                    "labels to train on. Ask for other evaluation.blocks, or a smaller evaluation.gap_s."
                )
            folds.append(Fold((person,), train, test, f"{person}, part {block + 1}"))
    return folds


def _middle_of_trials(table: SampleTable) -> npt.NDArray[np.float64]:
    """The middle of each sample, or of all samples of its trial where an event began one: (n,) float64, s."""
    if table.block is None or table.event is None or "" in table.event:
        return np.asarray(0.5 * (table.start + table.stop))
    keys = np.stack([np.unique(table.recording, return_inverse=True)[1], table.block], axis=1)
    whose = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    size = int(whose.max(initial=-1)) + 1
    first, last = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(first, whose, table.start)
    np.maximum.at(last, whose, table.stop)
    return np.asarray(0.5 * (first + last)[whose])


def fewer_people(fold: Fold, table: SampleTable, n_people: int) -> Fold:
    """The same fold with only so many training people, of all labels by turns.

    The first of them are those of a smaller number; who was measured together comes one after the other.

    Raises
    ------
    RecipeError
        The fold has fewer.
    """
    own = table.rows(fold.train)
    if n_people > len(own.people):
        raise RecipeError(
            f"evaluation.learning_curve asks for {n_people} training people, but without {fold.name} there "
            f"are {len(own.people)}; expected at most as many. Take it out of the recipe, or add people."
        )
    rng = np.random.default_rng([len(fold.held_out), len(fold.train), len(fold.test)])
    first = {person: int(own.target[own.person == person][0]) for person in own.people}
    drawn = rng.permutation(own.people).tolist()
    if own.together is not None:
        unit = dict(zip(own.person.tolist(), own.together.tolist(), strict=True))
        turn = {name: k for k, name in enumerate(dict.fromkeys(unit[person] for person in drawn))}
        drawn.sort(key=lambda person: turn[unit[person]])
    queues = [[p for p in drawn if first[p] == label] for label in sorted(set(first.values()))]
    turns = [queue[i] for i in range(len(own.people)) for queue in queues if i < len(queue)]
    return replace(fold, train=fold.train[np.isin(own.person, turns[:n_people])])


def _people(person: Names) -> list[str]:
    people = sorted({str(name) for name in person})
    if len(people) < 2:
        raise RecipeError(
            f"Evaluation by unseen person needs 2 people or more; found {len(people)}: {', '.join(people)}. "
            "Add people to the cohort, or evaluate within the person (train on a span of each recording)."
        )
    return people


def _fold(person: Names, held_out: Iterable[str]) -> Fold:
    people = tuple(sorted({str(name) for name in held_out}))
    test = np.isin(person, people)
    return Fold(people, np.flatnonzero(~test), np.flatnonzero(test))


def _label_of_each(person: Names, y: npt.NDArray[np.int64]) -> dict[str, int] | None:
    """The label of each person, or None where somebody has two."""
    own: dict[str, int] = {}
    for name, label in sorted({(str(n), int(v)) for n, v in zip(person, y, strict=True)}):
        if own.setdefault(name, label) != label:
            return None
    return own


def holds(y: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> bool:
    """Whether every one of these labels, (m,) int64, is among the samples' ``y``."""
    return bool(np.isin(labels, y).all())
