"""Total haemoglobin: the sum of oxygenated and deoxygenated, for each source-detector pair."""

from dataclasses import replace

import numpy as np

from models.errors import SignalError
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import rows_where, usable
from realtime.stages.outline import Outline, each_unit

NAME = "total_haemoglobin"


class TotalHaemoglobin:
    """HbT = HbO + HbR, mol/L, missing where either is.

    The new channels follow the old ones, in the order of the HbO channels.  Channels belong
    together by source and detector, or by the first word of their names where these are not known.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    keep : bool
        Whether HbO and HbR stay.  Channels of other kinds always do.

    Raises
    ------
    SignalError
        If there is no HbO, or a pair has only one of the two.
    """

    delay_s = 0.0
    warmup_s = 0.0

    def __init__(self, spec_in: SignalSpec, *, keep: bool = True) -> None:
        settings.flag(NAME, "keep", keep)
        expected = f"{Kind.HBO} and {Kind.HBR}"
        hbo = _by_place(spec_in, rows_where(NAME, spec_in, lambda c: c.kind == Kind.HBO, expected).tolist())
        hbr = _by_place(spec_in, rows_where(NAME, spec_in, lambda c: c.kind == Kind.HBR, expected).tolist())
        if alone := [pair for pair in [*hbo, *hbr] if pair not in hbo or pair not in hbr]:
            raise SignalError(
                f"Stage {NAME!r} needs {expected} of every pair; "
                f"found only one of them for {', '.join(alone)}."
            )
        gone = () if keep else (Kind.HBO, Kind.HBR)
        self._kept = np.array(
            [i for i, c in enumerate(spec_in.channels) if c.kind not in gone], dtype=np.intp
        )
        self._hbo = np.array(list(hbo.values()), dtype=np.intp)
        self._hbr = np.array([hbr[pair] for pair in hbo], dtype=np.intp)
        totals = [
            replace(spec_in.channels[row], name=f"{pair} hbt", kind=Kind.HBT) for pair, row in hbo.items()
        ]
        self.spec_in = spec_in
        self.spec_out = replace(spec_in, channels=(*spec_in.pick(self._kept.tolist()).channels, *totals))

    @staticmethod
    def check(before: Outline, *, keep: bool = True) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        settings.flag(NAME, "keep", keep)
        for kind in (Kind.HBO, Kind.HBR):
            before.some(NAME, each_unit(kind), f"{Kind.HBO} and {Kind.HBR}")
        gone = () if keep else each_unit(Kind.HBO, Kind.HBR)
        return before.turned(gone, each_unit(Kind.HBT))

    def process(self, chunk: Chunk) -> Chunk:
        """Add the total to the next samples."""
        lost = ~usable(chunk)
        lost_total = lost[self._hbo] | lost[self._hbr]
        data = np.where(lost, np.nan, chunk.data)
        total = data[self._hbo] + data[self._hbr]
        return Chunk(
            self.spec_out,
            np.concatenate([chunk.data[self._kept], total]),
            chunk.times,
            np.concatenate([lost[self._kept], lost_total]),
        )

    def reset(self, reason: Reset) -> None:
        """Nothing is carried, so nothing goes."""

    def state(self) -> State:
        """Nothing."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to continue from."""


def _by_place(spec: SignalSpec, rows: list[int]) -> dict[str, int]:
    pairs: dict[str, int] = {}
    for row in rows:
        pair = _pair_name(spec.channels[row])
        if pair in pairs:
            raise SignalError(
                f"Stage {NAME!r}: {spec.channels[pairs[pair]].name!r} and {spec.channels[row].name!r} are "
                "the same kind of the same pair; expected one channel of a kind for each pair."
            )
        pairs[pair] = row
    return pairs


def _pair_name(channel: Channel) -> str:
    if channel.source is not None and channel.detector is not None:
        return f"S{channel.source}_D{channel.detector}"
    return channel.name.split(" ")[0]
