"""What a classifier is: networks, one a file, and the bundle that keeps a trained one on disk."""

import os

# On Intel, how MKL splits a product may change the last bits of a row with its place in the batch.
# Strict mode gives every row the same bits; it is read once, so it is set before torch is loaded.
os.environ.setdefault("MKL_CBWR", "AVX2,STRICT")
