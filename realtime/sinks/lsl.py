"""Decisions as an LSL stream, so that any recorder captures them with the signal.

One sample a decision, the very text that is published, stamped with the end of the window on the local
clock: a recorder that corrects clocks then places a decision where its window ended.
"""

import pylsl

from realtime.decision import ABSTAIN

NAME = "hemostream-decisions"
TYPE = "Decisions"


class LslSink:
    """An outlet of decisions: one string channel at an irregular rate.

    Parameters
    ----------
    session : str
        Name of the session; with ``run`` it makes the stream's source id.
    run : int
        Number of the run.
    model : str
        Hash of the bundle; part of the stream's description.
    evaluation : str
        What the bundle was worth on unseen people; likewise.
    labels : tuple of str
        The labels that a decision may have, besides ``abstain``; part of the description.
    """

    def __init__(
        self,
        *,
        session: str,
        run: int,
        model: str = "",
        evaluation: str = "",
        labels: tuple[str, ...] = (),
    ) -> None:
        info = pylsl.StreamInfo(
            NAME, TYPE, 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"{NAME}-{session}-{run}"
        )
        about = info.desc()
        channel = about.append_child("channels").append_child("channel")
        channel.append_child_value("label", "decision")
        channel.append_child_value("type", "JSON")
        about.append_child_value("schema", "urn:hemostream:decision:1")
        about.append_child_value("session", session)
        about.append_child_value("run", str(run))
        about.append_child_value("model", model)
        about.append_child_value("evaluation", evaluation)
        named = about.append_child("labels")
        for label in (*labels, ABSTAIN):
            named.append_child_value("label", label)
        self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(info)

    @property
    def has_consumers(self) -> bool:
        """Whether any client listens."""
        return self._outlet is not None and bool(self._outlet.have_consumers())

    def publish(self, text: str, window_end: float) -> None:
        """Push one decision (`realtime.sinks.Sink`); a copy in memory, nothing waits."""
        if self._outlet is not None:
            self._outlet.push_sample([text], window_end)

    def close(self) -> None:
        """End the stream; recorders see it go."""
        self._outlet = None
