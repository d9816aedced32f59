"""What every system must beat: models of connectivity, and what age, sex, motion and site alone give."""

from functools import partial
from typing import Any

from offline.estimators import MEMBERS
from offline.estimators.combat import FEWEST
from offline.estimators.connectivity_ensemble import ConnectivityEnsembleClassifier
from offline.estimators.consensus_members import linear_svm
from offline.estimators.corrected import Harmonised, WithoutTraits
from offline.estimators.ridge_connectivity import RidgeConnectivity
from offline.estimators.row_space import InRowSpace
from offline.estimators.standardised import Standardised
from offline.estimators.tangent_ridge import TangentRidge
from offline.studies.base import Paper, Role, Study, UnlabelledUse
from offline.studies.systems.models import without_chance
from offline.studies.tables import AGE, ALL_MEASURES, CORRELATION_AND_TRAITS, FEMALE, N_TRAITS

NEEDS_TRAITS = "it needs the age and sex of whoever is predicted"
ridge = partial(without_chance, RidgeConnectivity)
tangent = partial(without_chance, TangentRidge)
residual = partial(without_chance, WithoutTraits, RidgeConnectivity(), N_TRAITS)
combat = partial(without_chance, Harmonised, RidgeConnectivity(), N_TRAITS, kept=(AGE, FEMALE))


def svm(*, random_state: int) -> Any:
    """A linear support vector machine, in the people's coordinates."""
    return Standardised(InRowSpace(linear_svm()))


def _linear(name: str, title: str, table: str, model: Any = ridge, *, fit_s: float = 0.05) -> Study:
    return Study(
        name=name,
        title=title,
        ours=f"A linear model of the table {table!r}.",
        table=table,
        model=model,
        role=Role.BASELINE,
        continuous=model is ridge,
        not_exportable_because="its columns came from elsewhere, so a bundle could not compute them"
        if table == "as it is"
        else "",
        not_auditable_because="its columns are matrices, of which none is left with some of them"
        if model is tangent
        else "",
        fit_s=fit_s,
    )


def _alone(name: str, title: str, table: str, role: Role) -> Study:
    return Study(
        name=name,
        title=title,
        ours=f"Logistic regression on {table} and nothing else.",
        table=table,
        model=partial(without_chance, MEMBERS["logistic-regression"]),
        role=role,
        continuous=table != "site",
        not_exportable_because="it reads no brain",
        not_auditable_because="it reads no scan: there are no columns to choose and no windows",
    )


RIDGE = _linear("ridge", "Ridge on connectivity", "correlation")
PARTIAL = _linear("ridge-partial", "Ridge on partial correlations", "partial correlation")
TANGENT = _linear("ridge-tangent", "Ridge on tangent connectivity", "shrunk correlation", tangent)
SVM = _linear("svm", "Linear SVM on connectivity", "correlation", svm, fit_s=0.3)
TABLE = _linear("ridge-table", "Ridge on a table as it is", "as it is")
TRAITS = _alone("age-sex", "Age and sex", "age and sex", Role.BASELINE)
MOTION = _alone("motion", "Motion alone", "motion", Role.CONFOUND)
SITE = _alone("site", "Site alone", "site", Role.CONFOUND)
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
    not_exportable_because=NEEDS_TRAITS,
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
    not_exportable_because=NEEDS_TRAITS,
)
ENSEMBLE = Study(
    name="connectivity-ensemble",
    title="Connectivity ensemble of ten measures",
    ours="Ridge directions in ten connectivity measures, each with and without the person's own level, "
    "averaged with equal weights; penalties, and how little training sites may matter, chosen on training "
    "sites that are left out.",
    table=ALL_MEASURES,
    model=partial(without_chance, ConnectivityEnsembleClassifier),
    role=Role.BASELINE,
    revision=3,
    not_auditable_because="it needs all columns of its measures, and several sites to choose its "
    "penalties on",
)
