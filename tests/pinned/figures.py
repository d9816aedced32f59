"""What is pinned of a file, and how two of that differ.

Figures come from networks and from linear algebra, whose last digits differ from one kind of processor to the
next; so they are compared as numbers.  Long tables and signals are pinned by the mean of each column.
"""

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from safetensors.numpy import load_file

RELATIVE, ABSOLUTE = 1e-3, 1e-4
"""How far numbers may lie apart that another processor gave."""
HASHES = frozenset(
    {
        "hash",
        "model",
        "model_hash",
        "cohort_hash",
        "weights_sha256",
        "signals",
        "people_salt",
        "people_hashes",
    }
)
"""Keys whose values hang on the last digits of others."""
ELSEWHERE = frozenset({"versions", "created"})
"""Keys whose values another machine, or another day, has otherwise."""
LEFT_ASIDE = HASHES | ELSEWHERE


def figures_of(path: Path) -> Any:
    """What is pinned of a file: JSON values."""
    match path.suffix:
        case ".json":
            return json.loads(path.read_text())
        case ".toml":
            return tomllib.loads(path.read_text())
        case ".jsonl":
            return _of_rows([_flat(json.loads(line)) for line in path.read_text().splitlines()])
        case ".csv" | ".tsv":
            return _of_table(path)
        case ".snirf":
            return _of_signals(path)
        case ".safetensors":
            return {name: _of_numbers(values) for name, values in sorted(load_file(path).items())}
        case other:
            raise ValueError(f"{path}: it is not known what is pinned of {other!r} files")


def _of_table(path: Path) -> dict[str, Any]:
    with path.open(newline="") as file:
        return _of_rows(list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")))


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """A record as a row: what is nested under dotted names."""
    if not isinstance(value, dict):
        return {name: str(value)}
    return {
        key: text
        for inner, each in value.items()
        if inner not in LEFT_ASIDE
        for key, text in _flat(each, f"{name}.{inner}" if name else inner).items()
    }


def _of_rows(rows: list[dict[str, str]]) -> dict[str, Any]:
    """Of each column the mean, or how often each text stands there."""
    names = sorted(set().union(*rows))
    return {"rows": len(rows), **{name: _of_column([row.get(name, "") for row in rows]) for name in names}}


def _of_column(values: list[str]) -> Any:
    numbers = [value for value in values if value not in ("", "None")]
    try:
        if not numbers:
            return {"numbers": 0}
        return {"numbers": len(numbers), "mean": float(np.mean([float(value) for value in numbers]))}
    except ValueError:
        return {value: values.count(value) for value in sorted(set(values))}


def _of_signals(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu":
            found[name] = _of_numbers(np.asarray(item[()], dtype=np.float64))
        elif isinstance(item, h5py.Dataset):
            found[name] = str(item.asstr()[()])

    with h5py.File(path) as file:
        file.visititems(look)
    return found


def _of_numbers(values: Any) -> dict[str, Any]:
    return {"shape": list(values.shape), "mean": float(values.mean()), "spread": float(values.std())}


def differences(found: Any, pinned: Any, where: str = "") -> list[str]:
    """Where two values differ, a line each."""
    match found, pinned:
        case dict(), dict():
            lines = [f"{where}/{key}: no longer there" for key in sorted(pinned.keys() - found.keys())]
            lines += [f"{where}/{key}: new" for key in sorted(found.keys() - pinned.keys())]
            for key in sorted(found.keys() & pinned.keys()):
                if key not in LEFT_ASIDE:
                    lines += differences(found[key], pinned[key], f"{where}/{key}")
            return lines
        case list(), list() if len(found) == len(pinned):
            return [
                line
                for i, pair in enumerate(zip(found, pinned, strict=True))
                for line in differences(*pair, f"{where}/{i}")
            ]
        case (float(), int() | float()) | (int(), float()):
            same = bool(np.isclose(found, pinned, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True))
        case _:
            same = found == pinned
    return [] if same else [f"{where}: {found!r}, pinned {pinned!r}"]
