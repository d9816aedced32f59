"""The plan: everything but the data that windows and decisions follow from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from models.cards.card import AGAIN
from models.cards.window_card import CardEvidence, WindowCard
from models.decode import decode
from models.errors import BundleError, RecipeError, SignalError
from models.evidence.unseen import least_confidence
from models.networks.parts.montage import ServedMontages
from models.novelty import Novelty
from realtime.pipeline import Pipeline
from realtime.quality.policy import Policy
from realtime.signal import SignalSpec
from realtime.stages.montages import check_served, montage_of
from realtime.windows import Windows

MOST_CHANNELS = 4096
"""Of a device, or regions of a scanner; more would be a mistake, and take memory by their square."""


@dataclass(frozen=True)
class Plan:
    """Everything but the data that windows and decisions follow from.

    Parameters
    ----------
    spec : SignalSpec
        The channels that are needed, as they come from the device.
    pipeline : sequence of mappings
        Stage settings, in order.
    length_s, step_s : float
        Window length and step, s.
    labels : tuple of str
        In the order of the network's outputs; empty where only windows are wanted.
    temperature : float
        Logits are divided by it before the softmax (Guo et al. 2017).
    policy : Policy
        When a window is usable.
    min_confidence : float or None
        Least probability of the likeliest label at which it is shown; None shows no label.
    evidence : CardEvidence
        How windows add up.
    model_hash : str
        Hash of the bundle.
    novelty : Novelty or None
        What windows looked like in training; None where that is not known.
    montages : ServedMontages or None
        Which montages are served beside that of ``spec``; None where none is.
    """

    spec: SignalSpec
    pipeline: Sequence[Mapping[str, Any]]
    length_s: float = 7.0
    step_s: float = 1.0
    labels: tuple[str, ...] = ()
    temperature: float = 1.0
    policy: Policy = field(default_factory=Policy)
    min_confidence: float | None = 0.0
    evidence: CardEvidence = field(default_factory=CardEvidence)
    model_hash: str = ""
    novelty: Novelty | None = None
    montages: ServedMontages | None = None

    @classmethod
    def from_card(cls, card: WindowCard) -> Self:
        """The plan that a bundle's card holds.

        Raises
        ------
        BundleError
            The card holds something else.
        """
        try:
            policy = decode(Policy, card.policy, error=RecipeError, what="policy")
            plan = cls(
                spec=SignalSpec.from_json(card.input),
                pipeline=card.pipeline,
                length_s=card.window.length_s,
                step_s=card.window.step_s,
                labels=tuple(card.labels),
                temperature=card.calibration.temperature,
                policy=policy,
                min_confidence=least_confidence(policy.min_confidence, card.unseen),
                evidence=card.evidence,
                model_hash=card.hash,
                novelty=Novelty.from_json(card.novelty) if card.novelty else None,
                montages=card.montages,
            )
            plan.check()
        except (SignalError, RecipeError, TypeError, ValueError, OverflowError) as error:
            raise BundleError(f"The card cannot be used: {error} {AGAIN}") from error
        return plan

    def check(self) -> None:
        """Refuse what no session could be made of, or what would exhaust the memory or an hour.

        Raises
        ------
        RecipeError, SignalError
            Names the number.
        """
        if len(self.spec) > MOST_CHANNELS:
            raise SignalError(f"There are {len(self.spec)} channels; expected {MOST_CHANNELS} or fewer.")
        behind = Pipeline(self.pipeline, self.spec).spec_out
        Windows(behind, length_s=self.length_s, step_s=self.step_s)
        if self.montages is not None:
            check_served(self.montages, behind)
            montage_of(behind)
