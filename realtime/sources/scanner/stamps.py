"""When a volume was: its time on our clock (`VolumeStamps`).

Files come late, in bursts, and by a console's clock that may be an hour off. Volumes themselves come by the
scanner's own, very regular clock. So a volume's stamp is its place in the series times the repetition time,
counted from a start that is fitted to the arrivals: the earliest that would have each volume arrive no
earlier than its stamp. A volume that is missing then leaves a gap of its length, and jitter of the export
moves nothing.

A header's repetition time may be rounded: of the real run that the tests read, volumes come every 1.978 s
and the header says 1.97, which is a second in 125 volumes. So what the console's times of acquisition say
beyond the count is added, by differences only and only where they are near the count. Without such times
(NIfTI) stamps follow the arrivals once all of `LOOK_BACK` volumes have come later than their stamp.

A pause of the scanner within a series shows where times of acquisition and arrivals agree that more time
has gone by; then counting starts anew.
"""

from collections import deque
from dataclasses import dataclass, field

from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark

UNLIKE = 0.5
"""Part of a repetition time by which acquisition times may differ from counting before it is said."""
LOOK_BACK = 32
"""Volumes by whose arrivals a repetition time that is too short is found."""
LEAST_STEP = 1e-3
"""Two stamps are at least this part of a repetition time apart."""


@dataclass
class VolumeStamps:
    """The stamps of one series.

    Parameters
    ----------
    tr : float or None
        Repetition time, s; None takes arrivals as they are.
    """

    tr: float | None
    _anchor: float | None = None
    _first: int = 0
    _last: float = -float("inf")
    _acquired: tuple[int, float] | None = None
    _said: bool = False
    _late: deque[float] = field(default_factory=lambda: deque(maxlen=LOOK_BACK))

    def start(self, number: int, time: float) -> None:
        """Count from a volume and its stamp (s on the stream's clock): where its arrival does not tell when
        it was."""
        self._anchor, self._first = time, number

    def of(
        self, number: int, arrived: float, acquired: float | None = None
    ) -> tuple[float, ScannerRemark | None]:
        """The stamp of the next volume.

        Parameters
        ----------
        number : int
            Its place in the series; greater than that of the last one.
        arrived : float
            When it was whole here, s on the stream's clock.
        acquired : float or None
            When the console says that it was acquired, s.

        Returns
        -------
        float, ScannerRemark or None
            s on the stream's clock, later than the last one; what is to be said of the clocks.
        """
        if self.tr is None:
            self._last = max(arrived, self._last + 1e-6)
            return self._last, None
        remark = None
        if self._anchor is None:
            self._anchor, self._first = arrived, number
        expected = self._anchor + (number - self._first) * self.tr
        late = arrived - expected
        beyond = self._beyond(number, acquired)
        if beyond is not None and abs(beyond) > UNLIKE * self.tr:
            if 0 < beyond <= late + UNLIKE * self.tr:
                remark = ScannerRemark(
                    arrived,
                    ScannerFault.PAUSE,
                    f"Volume {number} was acquired {beyond:.3g} s later than its place in the series says: "
                    f"the "
                    "scanner paused; the signal has a gap there.",
                )
                self._anchor += beyond
                expected += beyond
            elif not self._said:
                self._said = True
                remark = ScannerRemark(
                    arrived,
                    ScannerFault.CLOCK,
                    f"The console's clock moved by {beyond:.6g} s against the volumes' count at volume "
                    f"{number}; "
                    "stamps follow the count and our own clock.",
                )
        elif beyond is not None:
            self._anchor += beyond
            expected += beyond
        else:
            expected += self._behind(arrived - expected)
        if arrived < expected:  # an earlier one had come late
            self._anchor -= expected - arrived
            expected = arrived
        self._last = max(expected, self._last + LEAST_STEP * self.tr)
        return self._last, remark

    def _behind(self, late: float) -> float:
        """What the stamps have fallen behind by the arrivals, of which the last was so much later (s)."""
        assert self._anchor is not None
        self._late.append(late)
        if len(self._late) < LOOK_BACK or (least := min(self._late)) <= 0:
            return 0.0
        self._anchor += least
        self._late.clear()
        return least

    def _beyond(self, number: int, acquired: float | None) -> float | None:
        """Seconds by which the console's clock went further than counting since the last volume."""
        assert self.tr is not None
        before, self._acquired = self._acquired, None if acquired is None else (number, acquired)
        if before is None or acquired is None:
            return None
        return acquired - before[1] - (number - before[0]) * self.tr
