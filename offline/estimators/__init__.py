"""Classifiers of tables: scikit-learn's where it has one, ours where it lacks it."""
