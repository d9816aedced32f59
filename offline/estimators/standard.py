"""Classifiers that scikit-learn has, with settings for a few hundred people and a few hundred columns.

`offline.estimators.standardised.Standardised` stands around each.
"""

from sklearn.base import ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier


def bagged_trees() -> ClassifierMixin:
    """Trees on bootstraps of the people (Breiman 1996, Machine Learning 24:123-140)."""
    tree = DecisionTreeClassifier(max_features=0.2, min_samples_leaf=2)
    return BaggingClassifier(tree, n_estimators=50, random_state=0)


def boosted_stumps() -> ClassifierMixin:
    """Trees of one question, added up (Freund & Schapire 1997, J. Computer System Sciences 55:119-139)."""
    stump = DecisionTreeClassifier(max_depth=1)
    return AdaBoostClassifier(stump, n_estimators=50, random_state=0)


def boosted_trees() -> ClassifierMixin:
    """Shallow trees down the gradient (Friedman 2002, Comp. Statistics & Data Analysis 38:367-378)."""
    return GradientBoostingClassifier(
        max_depth=3, max_features="sqrt", subsample=0.7, learning_rate=0.05, n_estimators=150, random_state=0
    )


def random_forest() -> ClassifierMixin:
    """Trees that see a few columns at each question (Breiman 2001, Machine Learning 45:5-32)."""
    return RandomForestClassifier(200, min_samples_leaf=2, class_weight="balanced", random_state=0)


def linear_discriminant() -> ClassifierMixin:
    """Fisher's, its covariance shrunk (Ledoit & Wolf 2004, J. Multivariate Analysis 88:365-411)."""
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


def quadratic_discriminant() -> ClassifierMixin:
    """A covariance of its own for every label, each drawn towards a sphere."""
    return QuadraticDiscriminantAnalysis(solver="eigen", shrinkage="auto")


def naive_bayes() -> ClassifierMixin:
    """Columns taken as independent Gaussians."""
    return GaussianNB()


def linear_svm() -> ClassifierMixin:
    """The widest linear margin (Cortes & Vapnik 1995, Machine Learning 20:273-297)."""
    return LinearSVC(C=1e-3, class_weight="balanced", max_iter=10_000, random_state=0)


def rbf_svm() -> ClassifierMixin:
    """The widest margin among likenesses."""
    return SVC(C=1.0, gamma="scale", class_weight="balanced")


def multilayer_perceptron() -> ClassifierMixin:
    """One hidden layer with a strong weight decay."""
    return MLPClassifier((20,), alpha=10.0, solver="lbfgs", max_iter=1000, random_state=0)


def logistic_regression() -> ClassifierMixin:
    """Logistic regression with a ridge penalty."""
    return LogisticRegression(C=1e-2, class_weight="balanced", max_iter=2000)


def sparse_logistic_regression() -> ClassifierMixin:
    """Logistic regression with few columns (Tibshirani 1996, J. Royal Statistical Society B 58:267)."""
    return LogisticRegression(
        C=0.1,
        l1_ratio=1.0,
        solver="saga",
        class_weight="balanced",
        tol=1e-3,
        max_iter=5000,
        random_state=0,
    )
