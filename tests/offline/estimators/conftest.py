"""The real people: region series read plainly, without the adapter that is tested elsewhere."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest


@dataclass(frozen=True)
class People:
    """Region series (n, 200, n_times), whether each has the disorder, site, age (years) and sex."""

    X: np.ndarray
    y: np.ndarray
    site: np.ndarray
    age: np.ndarray
    male: np.ndarray


@pytest.fixture(scope="session")
def abide(data_dir: Path) -> People:
    root = data_dir / "abide" / "ABIDE_pcp"
    with (root / "Phenotypic_V1_0b_preprocessed1.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    series, kept = [], []
    for row in rows:
        path = root / "cpac" / "nofilt_noglobal" / f"{row['FILE_ID']}_rois_cc200.1D"
        if path.exists():
            series.append(np.loadtxt(path, dtype=np.float32).T)
            kept.append(row)
    X = np.full((len(series), 200, max(each.shape[1] for each in series)), np.nan, dtype=np.float32)
    for own, each in zip(X, series, strict=True):
        own[:, : each.shape[1]] = each
    return People(
        X,
        np.array([row["DX_GROUP"] == "1" for row in kept]).astype(int),
        np.array([row["SITE_ID"] for row in kept]),
        np.array([float(row["AGE_AT_SCAN"]) for row in kept]),
        np.array([float(row["SEX"] == "1") for row in kept]),
    )
