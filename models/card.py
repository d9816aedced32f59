"""The card of a bundle: everything that is to be known of a trained classifier but its weights.

It has one canonical form in JSON, so that it has one hash.  What other floors own (the pipeline, the
policy, the input's channels) is carried as it is; what the network depends on is checked here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from models.errors import BundleError

FORMAT = 2

_NETWORK_KEYS = frozenset({"name", "params", "n_chans", "n_times", "n_outputs"})
_WINDOW_KEYS = frozenset({"length_s", "step_s"})


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is to be known of a trained classifier besides its weights; JSON types only.

    Parameters
    ----------
    network : mapping
        ``name``, ``params``, ``n_chans``, ``n_times``, ``n_outputs`` of
        `models.networks.registry.make_network`.
    input : mapping
        The channels that are needed, in order (a `SignalSpec` as JSON).
    pipeline : sequence of mappings
        Settings of the stages, in order.
    rate : float
        Samples a second of what the network sees, Hz.
    window : mapping
        ``length_s`` and ``step_s``, s.
    labels : sequence of str
        In the order of the network's outputs.
    calibration : mapping
        ``temperature`` by which logits are divided.
    policy : mapping
        When a window is judged.
    evidence : mapping
        ``memory_s`` of the running evidence, s; null never forgets.
    novelty : mapping
        How to tell a window that is unlike the training (`models.novelty.Novelty`); empty where nobody can.
    training, evaluation, versions : mapping
        How it was trained, what it was worth on people it had not seen, and with which software.
    weights_sha256, hash : str
        Hexadecimal; filled in by `write_bundle`.
    format : int
        Version of this form.
    """

    network: Mapping[str, Any]
    input: Mapping[str, Any]
    pipeline: Sequence[Mapping[str, Any]]
    rate: float
    window: Mapping[str, float]
    labels: Sequence[str]
    calibration: Mapping[str, float] = field(default_factory=lambda: {"temperature": 1.0})
    policy: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=lambda: {"memory_s": None})
    novelty: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    hash: str = ""
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """All fields by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def computed_hash(self) -> str:
        """SHA-256 of the canonical card without its hash, hexadecimal."""
        values = self.to_json()
        del values["hash"]
        return hashlib.sha256(canonical(values)).hexdigest()

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Undo `to_json`; everything this file depends on is checked, the rest is left to its owner.

        Raises
        ------
        BundleError
            A field is missing, unknown or of another type, or two fields contradict each other.
        """
        _expect(isinstance(values, dict), "the card", type(values).__name__, "an object")
        found = values.get("format")
        if type(found) is not int or found != FORMAT:
            raise BundleError(
                f"The bundle's format is {found!r}; this version of hemostream reads format {FORMAT}. "
                "Take the version that wrote it, or train again."
            )
        names = {each.name for each in fields(cls)}
        if names != set(values):
            raise BundleError(
                f"The card lacks {sorted(names - set(values))} and has unknown "
                f"{sorted(set(values) - names)}; it was not written by hemostream. Train "
                "again or fetch the bundle again."
            )
        card = cls(**values)
        card._check()
        return card

    def _check(self) -> None:
        mappings = ("network", "input", "window", "calibration", "policy", "evidence", "novelty", "training")
        for name in (*mappings, "evaluation", "versions"):
            value = getattr(self, name)
            _expect(isinstance(value, Mapping), name, value, "an object")
        _expect(set(self.network) == _NETWORK_KEYS, "network", sorted(self.network), sorted(_NETWORK_KEYS))
        _expect(isinstance(self.network["name"], str), "network.name", self.network["name"], "text")
        _expect(
            isinstance(self.network["params"], Mapping), "network.params", self.network["params"], "an object"
        )
        stages = isinstance(self.pipeline, list | tuple) and all(
            isinstance(s, Mapping) for s in self.pipeline
        )
        _expect(stages, "pipeline", self.pipeline, "a list of objects")
        _expect(set(self.window) == _WINDOW_KEYS, "window", sorted(self.window), sorted(_WINDOW_KEYS))
        temperature = self.calibration.get("temperature", 1.0)
        for name, number in (
            ("rate", self.rate),
            ("window.length_s", self.window["length_s"]),
            ("window.step_s", self.window["step_s"]),
            ("calibration.temperature", temperature),
        ):
            _expect(_positive(number), name, number, "a number above 0")
        is_list = isinstance(self.labels, list | tuple)
        labels = is_list and all(isinstance(label, str) and label for label in self.labels)
        _expect(labels and len(set(self.labels)) == len(self.labels), "labels", self.labels, "unlike names")
        outputs = self.network["n_outputs"]
        _expect(len(self.labels) == outputs, "the number of labels", len(self.labels), outputs)
        samples = self.window["length_s"] * self.rate
        n_times = self.network["n_times"]
        whole = type(n_times) is int and n_times == round(samples) and abs(samples - round(samples)) < 1e-6
        _expect(whole, "network.n_times", n_times, f"window.length_s * rate = {samples:g}")
        for name in ("weights_sha256", "hash"):
            _expect(isinstance(getattr(self, name), str), name, getattr(self, name), "text")


def canonical(values: Mapping[str, Any]) -> bytes:
    """The one way in which a card is written: sorted keys, UTF-8, a newline at the end.

    Parameters
    ----------
    values : mapping
        JSON types, finite numbers only.
    """
    text = json.dumps(values, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False, default=_plain)
    return (text + "\n").encode()


def _expect(fine: bool, what: str, found: Any, expected: Any) -> None:
    if not fine:
        raise BundleError(f"Card: {what} is {found!r}; expected {expected}.")


def _positive(value: Any) -> bool:
    # Compared, not converted: JSON holds whole numbers that no float can.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 < value < 1e12


def _plain(value: Any) -> Any:
    """JSON form of mappings that are not dicts."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")
