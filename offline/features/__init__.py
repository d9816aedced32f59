"""What is made of tables of features: an embedding of them, and sites' levels taken out."""

from offline.features.locally_linear import LocallyLinear

__all__ = ["LocallyLinear"]
