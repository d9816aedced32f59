"""How fast samples really come, by the local clock alone: stamps and declared rates may say anything.

A bucket that leaks: each sample is a drop, and it leaks as fast as the fastest stream that is taken sends.
What liblsl may have held back for us while the network or we were stalled fits into it; a stream that is
too fast fills it within seconds.
"""

from xml.etree import ElementTree as ET

from models.errors import StreamError
from realtime.devices.recognition import rate_of
from realtime.sources.stream_checks import MOST_HZ, check_sent

HELD_S = 720.0
"""What an outlet and an inlet hold at most, seconds of the declared rate (360 each, liblsl's default)."""
HELD_HZ = 100.0
"""The rate by which liblsl counts those seconds where none is declared."""


class Flow:
    """Counts the samples of one connection.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    speed : float
        Stream seconds a local second.
    """

    def __init__(self, info: ET.Element, speed: float) -> None:
        self._info = info
        self._speed = speed
        self._most = HELD_S * (rate_of(info) or HELD_HZ)
        self._level = 0.0
        self._last: float | None = None
        self._since, self._count = 0.0, 0  # when the bucket was last empty, and samples since

    def take(self, local: float, samples: int) -> str:
        """Take samples that came at a local time (s); say why it is too fast, else empty."""
        if self._last is None:
            self._last = self._since = local
        self._level -= max(local - self._last, 0.0) * MOST_HZ * self._speed
        self._last = max(local, self._last)
        if self._level <= 0.0:
            self._level, self._since, self._count = 0.0, self._last, 0
        self._level += samples
        self._count += samples
        if self._level <= self._most:
            return ""
        took = (self._last - self._since) * self._speed
        try:
            check_sent(self._info, self._count / took if took > 0 else float("inf"))
        except StreamError as error:
            return str(error)
        return ""
