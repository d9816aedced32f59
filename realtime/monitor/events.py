"""Server-sent events: what changed, whenever it did, and a beat in between.

Nothing is queued for a page: one that reads slowly is told later, what is then the state; one that reads
nothing for a while is left.
"""

import asyncio
import contextlib
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from realtime.monitor.beds import Beds

BEAT_S = 0.5
"""A page that hears nothing for four of these shows nothing as current."""
OVERVIEW_PAUSE_S = 0.2
"""News of many beds goes out together."""
BED_PAUSE_S = 0.02
TAKEN_WITHIN_S = 10.0
"""A page that does not take what was sent for so long is left; it connects again when it can."""
MOST_STREAMS = 64


class Streams:
    """All open streams, counted.

    Parameters
    ----------
    beds : Beds
        What is told.
    """

    def __init__(self, beds: Beds) -> None:
        self.beds = beds
        self.open = 0

    def full(self) -> bool:
        """Whether there is no room for another."""
        return self.open >= MOST_STREAMS

    def stream(self, name: str | None, last: str, stays: Callable[[], bool]) -> "EventStream":
        """News of one bed, or (None) of all, after an event's id, for as long as somebody `stays`."""
        return EventStream(self, name, last, stays)


class EventStream(Response):
    """One page's stream."""

    def __init__(self, streams: Streams, name: str | None, last: str, stays: Callable[[], bool]) -> None:
        super().__init__()
        self._streams, self._beds = streams, streams.beds
        self._name, self._stays = name, stays
        self._since = self._beds.place(last)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the page is gone."""
        self._streams.open += 1
        gone = asyncio.create_task(_gone(receive), name="page gone")
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")],
                }
            )
            with self._beds.waiting(self._name) as news:
                news.set()
                while not gone.done() and self._stays():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(BEAT_S):
                            await news.wait()
                    news.clear()
                    async with asyncio.timeout(TAKEN_WITHIN_S):
                        await send({"type": "http.response.body", "body": self._next(), "more_body": True})
                    await asyncio.sleep(OVERVIEW_PAUSE_S if self._name is None else BED_PAUSE_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            pass  # the page does not read; the connection ends with this response
        finally:
            self._streams.open -= 1
            gone.cancel()

    def _next(self) -> bytes:
        beds = self._beds
        if self._name is None:
            data = beds.overview(self._since)
        else:
            beds.follow(self._name)
            data = beds.bed(self._name, self._since)
        self._since = beds.number
        return b"id: %s-%d\nevent: news\ndata: %s\n\n" % (beds.epoch.encode(), self._since, data)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
