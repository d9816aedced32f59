"""From the windows of a session to its decisions, in order: on the loop, or off it on a device."""

import asyncio
from collections.abc import Callable, Sequence

from models.outside import printable
from realtime.core import Core
from realtime.core.stream_guard import StreamGuard, fault_text
from realtime.inference import NOT_PREDICTED, Inference, NetworkOutput, predict
from realtime.log import Produced
from realtime.session.publisher import Publisher
from realtime.session.reporter import Reporter
from realtime.session.state import LONGEST_REASON, SessionState
from realtime.windows import Window


class WindowDecider:
    """Runs the network on windows and publishes what follows; used on the session's loop.

    Parameters
    ----------
    core, guard : Core, StreamGuard
        Make the decisions.
    inference : Inference
        Where logits are computed.
    out : Publisher
        Takes readings of the clock and decisions.
    report : Reporter
        Takes what fails, and what works again.
    state : SessionState
        The session's.
    clock : callable
        The local clock, s.
    resume : callable
        Called when a device is done: what arrived meanwhile can be handled.
    """

    def __init__(
        self,
        *,
        core: Core,
        guard: StreamGuard,
        inference: Inference,
        out: Publisher,
        report: Reporter,
        state: SessionState,
        clock: Callable[[], float],
        resume: Callable[[], None],
    ) -> None:
        self.decisions = 0
        """Windows decided so far."""
        self._core = core
        self._guard = guard
        self._inference = inference
        self._out = out
        self._report = report
        self._state = state
        self._clock = clock
        self._resume = resume
        self._task: asyncio.Task[None] | None = None

    @property
    def computing(self) -> bool:
        """Whether a device computes; until it is done no other windows can be taken."""
        return self._task is not None

    def take(self, windows: Sequence[Window]) -> None:
        """Windows in, decisions out, in order."""
        if not self._inference.on_cpu:
            self._task = asyncio.create_task(self._take_elsewhere(windows))
            return
        # On the CPU a hop to another thread and back costs more than it frees here.
        try:
            outputs = predict(windows, self._inference)
        except Exception as error:  # noqa: BLE001 - whatever a network raises, the windows abstain
            self._decide_without(windows, error)
        else:
            self._decide(windows, outputs)

    async def finish(self) -> None:
        """Wait for what a device still computes."""
        if self._task is not None:
            await self._task

    async def _take_elsewhere(self, windows: Sequence[Window]) -> None:
        try:
            try:
                outputs = await asyncio.to_thread(predict, windows, self._inference)
            except Exception as error:  # noqa: BLE001 - as on the CPU
                self._decide_without(windows, error)
            else:
                self._decide(windows, outputs)
        except Exception as error:  # noqa: BLE001 - this task is not awaited; the status reports it
            self._report.failed("session", fault_text(error))
        self._task = None
        self._resume()

    def _decide_without(self, windows: Sequence[Window], error: Exception) -> None:
        """The network raised (torch: out of memory, device lost): abstain, and report it."""
        self._report.inference_error = f"inference failed: {printable(str(error), LONGEST_REASON)}"
        self._decide(windows, [NOT_PREDICTED] * len(windows), failed=True)

    def _decide(
        self, windows: Sequence[Window], outputs: Sequence[NetworkOutput], *, failed: bool = False
    ) -> None:
        if not failed:
            self._report.inference_error = ""
        for window, (logits, batch) in zip(windows, outputs, strict=True):
            produced = Produced(self._clock(), window.sequence, batch)
            self._out.append(produced)
            decision = self._guard.decide(window, logits, produced)
            if decision is None:
                self._report.failed("core", self._guard.fault)
                continue
            if decision.predicted:  # whatever failed before, it works
                self._report.works("core")
                self._report.works("session")
            self.decisions += decision.count
            self._state.decided(decision, produced.local)
            self._out.pass_on(decision, self._core.local_origin.local_time(decision.window_end))
        self._report.publish_changes()
