"""What every system must beat: linear models of connectivity, and what age, sex, motion and site alone "
"give."""

from typing import Any

from offline.estimators import MEMBERS
from offline.estimators.consensus_members import linear_svm
from offline.estimators.ridge_connectivity import RidgeConnectivity
from offline.estimators.row_space import InRowSpace
from offline.estimators.standardised import Standardised
from offline.estimators.tangent_ridge import TangentRidge
from offline.studies.base import Role, Study


def ridge(*, random_state: int) -> Any:
    """Ridge in the dual, its penalty chosen on training sites that are left out."""
    return RidgeConnectivity()


def tangent(*, random_state: int) -> Any:
    """Ridge in the tangent space at the training people's mean."""
    return TangentRidge()


def svm(*, random_state: int) -> Any:
    """A linear support vector machine, in the people's coordinates."""
    return Standardised(InRowSpace(linear_svm()))


def simple(*, random_state: int) -> Any:
    """Regularised logistic regression."""
    return MEMBERS["logistic-regression"]()


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
        model=simple,
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
