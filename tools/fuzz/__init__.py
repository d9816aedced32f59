"""Damaged input for everything that reads: 10,000 mutated files a reader, only declared errors."""
