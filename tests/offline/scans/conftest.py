"""Small folders in the layouts that the readers know."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offline.base.sample_table import SampleTable
from offline.scans import Scans

N_REGIONS = 4


def text(data: np.ndarray) -> str:
    """A series (n_regions, n_times) as C-PAC writes it."""
    lines = ["\t".join(f"#{k + 1}" for k in range(len(data)))]
    lines += ["\t".join(f"{value:.3g}" for value in row) for row in data.T]
    return "\n".join(lines) + "\n"


@pytest.fixture
def made() -> Callable[..., Scans]:
    """Make scans of no one: a table with these sites and labels."""

    def make(
        site: Sequence[str],
        target: Sequence[int],
        *,
        labels: tuple[str, ...] = ("TD", "ASD"),
        derivative: str = "made up",
        start: int = 0,
        X: np.ndarray | None = None,
        **more: Any,
    ) -> Scans:
        n = len(site)
        if X is None:
            X = np.random.default_rng(start).normal(size=(n, 3))
        person = np.array([f"p{i + start}" for i in range(n)], dtype=str)
        return Scans(
            table=SampleTable(
                recording=person,
                person=person,
                session=np.full(n, "", dtype=str),
                site=np.array(site, dtype=str),
                start=np.zeros(n),
                stop=np.full(n, np.nan),
                target=np.array(target, dtype=np.int64),
            ),
            labels=labels,
            X=X,
            names=tuple(f"f{k}" for k in range(X.shape[1])),
            repetition_time=np.full(n, np.nan),
            age=np.full(n, 10.0),
            sex=np.full(n, "M", dtype=str),
            motion=np.full(n, np.nan),
            derivative=derivative,
            **more,
        )

    return make


@pytest.fixture
def abide_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a small folder in nilearn's layout: six people of three sites, one without a file."""

    def write(
        changed: Mapping[int, Mapping[str, str]] | None = None, columns: Sequence[str] = (), n: int = 6
    ) -> Path:
        rng = np.random.default_rng(0)
        place = tmp_path / "ABIDE_pcp/cpac/nofilt_noglobal"
        place.mkdir(parents=True, exist_ok=True)
        rows = []
        for i in range(n):
            site, prefix = (("NYU", "NYU"), ("CMU", "CMU_b"), ("OHSU", "OHSU"))[i % 3]
            row = {
                "SITE_ID": site,
                "FILE_ID": f"{prefix}_005{i:04d}",
                "DX_GROUP": str(1 + i // 3 % 2),
                "AGE_AT_SCAN": f"{10 + i}.5",
                "SEX": str(1 + i % 2),
                "func_mean_fd": "0.1",
                "ADOS_TOTAL": "-9999" if i % 2 else "12",
                "SRS_RAW_TOTAL": "" if i == 0 else "-9999.0" if i == 1 else "50",
            }
            row.update((changed or {}).get(i, {}))
            rows.append(row)
            data = rng.normal(size=(N_REGIONS, 80 if site == "OHSU" else 176))
            (place / f"{row['FILE_ID']}_rois_cc200.1D").write_text(text(data))
        rows.append({**rows[0], "FILE_ID": "no_filename"})
        names = list(dict.fromkeys([*rows[0], *columns]))
        lines = [",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]
        table = tmp_path / "ABIDE_pcp/Phenotypic_V1_0b_preprocessed1.csv"
        table.write_text("\n".join(lines) + "\n")
        return tmp_path

    return write
