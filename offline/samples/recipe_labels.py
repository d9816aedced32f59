"""The section of a recipe that says where labels come from."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from models.decode import Record
from offline.base.spelling import canonical
from offline.samples.blocks import LabelBlock, holding, in_order
from realtime.sources import markers
from realtime.sources.recording import Event

Names = Annotated[tuple[str, ...], Field(strict=False)]
"""A list in TOML (strict alone would want Python's own tuple)."""


class LabelInterval(Record):
    """When a label holds: from ``delay_s`` after an event (before it, if negative), ``duration_s`` long.

    Parameters
    ----------
    events : tuple of str
        Labels of the events that begin it, written as readers write them (``1`` for ``1.0``).
    delay_s : float
        From the event's onset to the interval's, s.
    duration_s : float
        Length of the interval, s.
    within_event : bool
        Whether the interval is no longer than the event, where the recording says how long that lasts; so it
        ends ``delay_s`` after the event does, for blood answers the end as late as the beginning.
    """

    events: Annotated[Names, Field(min_length=1)]
    delay_s: float = 0.0
    duration_s: float = Field(gt=0)
    within_event: bool = False

    @field_validator("events")
    @classmethod
    def _as_readers_write_them(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(markers.label_of([event]) for event in events)

    def span(self, event: Event) -> tuple[float, float]:
        """From when to when it holds because of an event, s on the recording's clock."""
        begin = event.onset + self.delay_s
        known = self.within_event and event.duration > 0
        return begin, begin + (min(self.duration_s, event.duration) if known else self.duration_s)


class Labels(Record):
    """Where labels come from.

    Parameters
    ----------
    source : {"events", "column"}
        Intervals around events, or a column of the cohort's table.
    target : {"event", "person"}
        Whether the label changes within a recording or belongs to the person.
    column : str or None
        The column's name.
    continuous : bool
        Whether the column holds a number of the person (a score, an age) rather than labels.
    values : tuple of str
        Its values in the order of the network's outputs; empty takes them as they sort.
    intervals : mapping of label to Interval
        In the order of the network's outputs.
    mirror : tuple of pairs of label
        Labels that are each other's mirror image (left and right hand), for ``training.augmentation.mirror``.
    """

    RENAMED: ClassVar = {"amount": "continuous"}

    source: Literal["events", "column"]
    target: Literal["event", "person"]
    column: str | None = None
    continuous: bool = False
    values: Names = ()
    intervals: dict[str, LabelInterval] = Field(default_factory=dict)
    mirror: Annotated[
        tuple[Annotated[Names, Field(min_length=2, max_length=2)], ...], Field(strict=False)
    ] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.source == "events" and len(self.intervals) < 2:
            raise ValueError("labels from events need two intervals or more, [labels.intervals.NAME]")
        if self.source == "events" and self.target == "person":
            raise ValueError(
                "labels from events change within a recording, so they cannot be the person's; "
                'set target = "event", or take them from a column'
            )
        if self.source == "column" and not self.column:
            raise ValueError('labels from a column need its name: column = "..."')
        if self.continuous and (self.source != "column" or self.target != "person" or self.values):
            raise ValueError(
                "a continuous target stands in a column and is the person's: give source = 'column', "
                "target = 'person' and no values"
            )
        if len(self.values) == 1:
            raise ValueError(f"values are {list(self.values)}; expected two labels or more, or none for all")
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"values are {list(self.values)}; expected each label once")
        named = [label for pair in self.mirror for label in pair]
        if len(set(named)) < len(named):
            raise ValueError(f"mirror is {list(map(list, self.mirror))}; expected each label once")
        if self.intervals and (unknown := [label for label in named if label not in self.intervals]):
            raise ValueError(f"mirror names {unknown[0]!r}; expected labels of {list(self.intervals)}")
        if "abstain" in (*self.intervals, *self.values):
            raise ValueError(
                "'abstain' is what hemostream reports when it does not know; choose another label"
            )
        return self

    @property
    def events(self) -> frozenset[str]:
        """Names of all events that begin a label; empty where labels stand in a column."""
        return frozenset(name for interval in self.intervals.values() for name in interval.events)

    def blocks(self, events: Iterable[Event]) -> list[LabelBlock]:
        """The intervals of a recording's events, in order of time; empty where labels stand in a column."""
        return in_order(
            LabelBlock(label, event.label, *interval.span(event))
            for event in events
            for label, interval in self.intervals.items()
            if canonical(event.label) in map(canonical, interval.events)
        )

    def label_of(self, start: float, end: float, events: Iterable[Event]) -> str | None:
        """The label of a window by the events around it.

        Parameters
        ----------
        start, end : float
            The window, s on the clock of the events.
        events : iterable of Event
            Of the recording.

        Returns
        -------
        str or None
            The label whose interval holds the window wholly; None where no interval does, or where the
            window reaches into an interval of another label.
        """
        blocks = self.blocks(events)
        number = holding(blocks, start, end)
        return None if number is None else blocks[number].label
