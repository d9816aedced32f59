"""Seconds between the volumes of ABIDE-I's scans, which its phenotype table does not tell.

Published with the collection by site (Di Martino et al. 2014, Mol Psychiatry 19:659-667).  What the headers
of the IMPAC challenge say of the people it shares with ABIDE (recognised by site, age, sex and diagnosis)
was compared with it, and agrees but where a comment says otherwise.
"""

from collections.abc import Mapping

import numpy as np

from models.arrays import Floats
from offline.scans.phenotype import Texts

REPETITION_TIME: Mapping[str, float] = {
    "CALTECH": 2.0,
    # The files CMU_b are another protocol: see `BY_FILE`.
    "CMU": 2.0,
    "KKI": 2.5,
    # Published as 1.656 s; the headers of 18 people have 1.665 to 1.670.
    "LEUVEN_1": 1.6667,
    "LEUVEN_2": 1.6667,
    # The headers agree for children and adults alike, though the 196 volumes of the files MaxMun_d are as
    # alike from one to the next as those of sites with 2 s: their spectra deserve a second look.
    "MAX_MUN": 3.0,
    "NYU": 2.0,
    "OHSU": 2.5,
    "OLIN": 1.5,
    "PITT": 1.5,
    "SBL": 2.2,
    "SDSU": 2.0,
    "STANFORD": 2.0,
    # The headers say 1.0; volumes are as alike from one to the next as those of sites with 2 s (correlation
    # 0.34 after one and 0.10 after two, SDSU has 0.33 and 0.10), which 1 s would not give.
    "TRINITY": 2.0,
    "UCLA_1": 3.0,
    "UCLA_2": 3.0,
    "UM_1": 2.0,
    "UM_2": 2.0,
    "USM": 2.0,
    "YALE": 2.0,
}
"""Seconds, by the site's name in the phenotype table."""

BY_FILE: Mapping[str, float] = {"CMU_b": 1.5}
"""Seconds, by how a file's name begins, where one site had two protocols: 240 volumes of 2 s and 320 of 1.5 s
are the same 480 s, and the headers of the 16 people of CMU divide just so."""


def repetition_times(site: Texts, file: Texts) -> Floats:
    """Seconds between volumes, (n,) float64, by ``SITE_ID`` and ``FILE_ID``; NaN of an unknown site."""
    seconds = np.array([REPETITION_TIME.get(name, np.nan) for name in site.tolist()], dtype=np.float64)
    for start, value in BY_FILE.items():
        seconds[[name.startswith(f"{start}_") for name in file.tolist()]] = value
    return seconds
