"""Faults on purpose: what goes wrong at the bedside, with the truth known."""
