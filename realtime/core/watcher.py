"""What is shown of a core's inside while it computes."""

from typing import Protocol

from realtime.log import StreamOpened
from realtime.signal import Chunk, SignalSpec
from realtime.windows import Window


class SignalWatcher(Protocol):
    """Is shown what passes.  It must be quick, raise nothing, and change nothing that it is shown."""

    def opened(
        self, stream: StreamOpened, spec_in: SignalSpec, spec_out: SignalSpec, *, standardised: bool
    ) -> None:
        """A stream was opened: what goes into the pipeline, and what comes out (in SDs, or in units)."""
        ...

    def restarted(self) -> None:
        """Everything starts over: another clock, or another stream."""
        ...

    def raw(self, chunk: Chunk) -> None:
        """Samples that go into the pipeline."""
        ...

    def processed(self, chunk: Chunk) -> None:
        """Samples that came out of it."""
        ...

    def window(self, window: Window) -> None:
        """The last of the windows that were completed, with the quality of its channels."""
        ...
