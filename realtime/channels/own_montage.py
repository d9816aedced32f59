"""Which of a signal's channels are taken where no list of them is given: by what they are, not by name."""

from collections.abc import Sequence

from realtime.signal import CONFOUNDS, Channel, Kind, SignalSpec

FORMS = ((Kind.INTENSITY,), (Kind.OPTICAL_DENSITY,), (Kind.HBO, Kind.HBR, Kind.HBT), (Kind.BOLD,))
"""In what forms one measurement comes, as it is computed: a file may hold several."""


def own_channels(
    spec: SignalSpec,
    kinds: Sequence[Kind],
    *,
    min_distance: float | None = None,
    max_distance: float | None = None,
) -> tuple[int, ...]:
    """The channels of one signal that a pipeline can start from, in an order that follows from what they are.

    So the order of rows in a stream changes nothing that is computed of them, not even a last bit.

    Parameters
    ----------
    spec : SignalSpec
        What there is.
    kinds : sequence of Kind
        What the pipeline may start from; of several forms, what is nearest to what was measured.
    min_distance, max_distance : float or None
        Source-detector distances that are taken, m; with either, a channel of unknown distance is not.

    Returns
    -------
    tuple of int
        Indices in ``spec``; empty where nothing fits.
    """
    wanted = rawest(kinds, spec)
    found = [i for i, channel in enumerate(spec.channels) if channel.kind in wanted]
    found = [i for i in found if distance_fits(spec.channels[i], min_distance, max_distance)]
    kept = {channel.name for channel in whole_pairs([spec.channels[i] for i in found], wanted)}
    return tuple(sorted((i for i in found if spec.names[i] in kept), key=lambda i: _order(spec.channels[i])))


def rawest(kinds: Sequence[Kind], spec: SignalSpec) -> Sequence[Kind]:
    """Of the kinds that a pipeline takes, those that the signal has and nothing else was computed of."""
    for form in FORMS:
        if set(form) & set(kinds) & set(spec.kinds):
            return [*(kind for kind in form if kind in kinds), *(kind for kind in kinds if kind in CONFOUNDS)]
    return kinds


def distance_fits(channel: Channel, least: float | None, most: float | None) -> bool:
    """Whether source and detector are so far from each other, m; where either is given, it must be known."""
    if least is None and most is None:
        return True
    if channel.distance is None:
        return False
    return (least is None or channel.distance >= least) and (most is None or channel.distance <= most)


def whole_pairs(channels: Sequence[Channel], kinds: Sequence[Kind]) -> list[Channel]:
    """Those whose source and detector have every wavelength that any has."""
    if not {Kind.INTENSITY, Kind.OPTICAL_DENSITY} & set(kinds):
        return list(channels)
    wavelengths = {channel.colour for channel in channels}
    held: dict[tuple[int | None, int | None], set[float | None]] = {}
    for channel in channels:
        held.setdefault(channel.pair, set()).add(channel.colour)
    return [channel for channel in channels if held[channel.pair] == wavelengths]


def _order(channel: Channel) -> tuple[object, ...]:
    """By place, then by kind and colour; names decide only between channels that are otherwise alike."""
    place = channel.position or (0.0, 0.0, 0.0)
    # Tenths of millimetres: what a stream's description rounds must not change the order.
    return *(round(metres, 4) for metres in place), channel.kind, channel.colour or 0.0, channel.name
