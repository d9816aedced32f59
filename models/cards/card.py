"""The card of a bundle: everything that is to be known of a trained classifier but its weights.

What every card tells stands here.  Its two payloads are `models.cards.window_card.WindowCard`, of a model
that classifies windows, and `models.cards.scan_card.ScanCard`, of a model of whole scans.  A card is JSON
types only and is written in one canonical way, so that it has one hash.  What other floors own (the pipeline,
the policy, the channels) is carried as it is; all else is checked when a card is read.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, Field

from models.decode import Record, decode
from models.errors import BundleError
from models.evidence.unseen import UnseenEvaluation, evaluation_line

WRITTEN_LATER = frozenset({"recording", "unseen", "montages"})
"""Keys that cards of this format did not always have."""
AGAIN = "Fetch it again from where it was trained, or train again."


def _each_once(names: Sequence[str]) -> Sequence[str]:
    if len(set(names)) < len(names):
        raise ValueError("expected each name once")
    return names


Names = Annotated[
    Sequence[Annotated[str, Field(min_length=1)]], Field(min_length=1), AfterValidator(_each_once)
]
"""Names of labels or regions, in order."""


class Card(Record):
    """What both payloads tell.

    Parameters
    ----------
    labels : sequence of str
        In the order of the outputs.
    training, evaluation, versions : mapping
        How it was trained, how it was compared since, and with which software.
    unseen : UnseenEvaluation or None
        What it was worth on people it had not seen; None where it was never evaluated on any.
    weights_sha256, hash : str
        Hexadecimal; filled in when the bundle is written.
    """

    FORMAT: ClassVar[Any]

    labels: Names
    training: Mapping[str, Any] = Field(default_factory=dict)
    evaluation: Mapping[str, Any] = Field(default_factory=dict)
    unseen: UnseenEvaluation | None = None
    versions: Mapping[str, Any] = Field(default_factory=dict)
    weights_sha256: str = ""
    hash: str = ""

    @property
    def evaluation_line(self) -> str:
        """What it was worth on unseen people, in one line."""
        return evaluation_line(self.unseen)

    @property
    def labels_line(self) -> str:
        """Which labels are shown, in one line."""
        return "every label is shown"

    def to_json(self) -> dict[str, Any]:
        """All fields by name."""
        return self.model_dump()


AnyCard = TypeVar("AnyCard", bound=Card)


def card_of_json(kind: type[AnyCard], values: Mapping[str, Any]) -> AnyCard:
    """The card that a file holds.

    Parameters
    ----------
    kind : type of Card
        Which payload is wanted.
    values : mapping
        JSON types.

    Raises
    ------
    BundleError
        A field is missing, unknown, of another type or out of its bounds, or two contradict each other.
    """
    found = values.get("format")
    if type(found) is not type(kind.FORMAT) or found != kind.FORMAT:
        raise BundleError(
            f"The bundle's format is {repr(found)[:40]}; this version of hemostream reads format "
            f"{kind.FORMAT!r}. Take the version that wrote it, or train or export it again."
        )
    card = decode(kind, values, error=BundleError, what="Card", advice=AGAIN)
    if lacking := sorted(kind.model_fields.keys() - card.model_fields_set - WRITTEN_LATER):
        raise BundleError(f"Card: lacks {', '.join(lacking)}; expected all that hemostream writes. {AGAIN}")
    return card
