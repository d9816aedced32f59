"""Do the tests notice?  One operator of a module changed at a time: ``python -m tools.mutation``."""
