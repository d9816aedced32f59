"""Ridge on connectivity, less what something else than the diagnosis does to connectivity."""

from typing import Any

from offline.estimators.combat import FEWEST
from offline.estimators.corrected import Harmonised, WithoutTraits
from offline.estimators.ridge_connectivity import RidgeConnectivity
from offline.studies.base import Paper, Role, Study, UnlabelledUse
from offline.studies.tables import AGE, CORRELATION_AND_TRAITS, FEMALE, N_TRAITS

NOT_EXPORTABLE = "it needs the age and sex of whoever is judged"


def residual(*, random_state: int) -> Any:
    """Ridge on what age, sex and motion leave of connectivity."""
    return WithoutTraits(RidgeConnectivity(), N_TRAITS)


def combat(*, estimate: bool = False, random_state: int) -> Any:
    """Ridge on connectivity that ComBat harmonised; age and sex are its covariates."""
    return Harmonised(RidgeConnectivity(), N_TRAITS, kept=(AGE, FEMALE), estimate=estimate)


RESIDUAL = Study(
    name="ridge-residual",
    title="Ridge on connectivity without age, sex and motion",
    ours="Each edge's linear regression on age, its square, sex and the logarithm of the mean framewise "
    "displacement is fitted to the people of training, without their diagnoses, and taken out of everybody; "
    "ridge on what is left. A trait that is unknown stands at the mean of training. What the diagnosis "
    "shares with a trait goes with it. In the transductive condition edges and traits are centred by site, "
    "so that the regression is one within sites.",
    table=CORRELATION_AND_TRAITS,
    model=residual,
    role=Role.BASELINE,
    not_exportable_because=NOT_EXPORTABLE,
)
COMBAT = Study(
    name="ridge-combat",
    title="Ridge on connectivity harmonised by ComBat",
    paper=Paper(
        "Johnson WE, Li C, Rabinovic A (2007). Adjusting batch effects in microarray expression data using "
        "empirical Bayes methods. Biostatistics 8:118-127."
    ),
    ours="ComBat is fitted to the people of training, age and sex as covariates and never the diagnosis; "
    "ridge on the result. Nothing is known of an unseen site, so its people stay as they are; a site that "
    "training knows (in the ten folds) is corrected as fitted. The penalty is chosen on training sites that "
    "are left out after they were harmonised.",
    table=CORRELATION_AND_TRAITS,
    model=combat,
    role=Role.BASELINE,
    unlabelled=UnlabelledUse(
        {"estimate": True},
        "the unseen site's ComBat parameters are estimated from all its people without labels",
        FEWEST,
    ),
    not_exportable_because=NOT_EXPORTABLE,
)
