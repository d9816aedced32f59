"""Scans of people who do not exist, with a difference between groups of known size, or none.

Each person has one number, the latent, that says how strongly two pairs of networks are coupled.  In the
disorder its mean is shifted by `effect` SDs; everything that can be measured depends on the group through it
alone.  So no scorer whatever has an AUC above that of the latent itself, Phi(effect / sqrt 2), however long
the scan (Green and Swets 1966, Signal Detection Theory and Psychophysics).  Around it stands what real data
have too: sites with gains and a coupling of their own, age, sex and motion in the signal, several repetition
times and lengths.  Accuracy here says nothing about any disorder.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.stats import norm

from models.arrays import Floats
from offline.scans.base import Scans

LABELS = ("TD", "disorder")
N_NETWORKS = 4
REPETITION_TIMES = (2.0, 1.5, 2.5, 3.0)
"""By site, s, repeated where there are more sites."""
LENGTHS = (1.0, 1.2, 0.9, 0.9)
"""Volumes of a site's scans, in parts of those asked for."""
COUPLING, COUPLING_PER_SD = 0.2, 0.14
"""Of two networks (Fisher's z) where the latent is 0, and for each SD of it."""
LATENT_TO = (((0, 1), 1.0), ((2, 3), -1.0))
"""Pairs of networks that the latent couples, and which way."""
SPREAD = 0.08
"""SD between people of every other coupling, Fisher's z."""
SITE_SPREAD = 0.10
"""SD between sites of the couplings."""
MEMORY_S = 2.5
"""Time in which the correlation of a signal with itself falls to 1/e, s."""
OWN_NOISE = 0.8
"""Variance of a region's own signal next to its network's, which has 1."""


class Simulated(NamedTuple):
    """Scans, and the truth behind them."""

    scans: Scans
    latent: Floats
    """(n,) float64, the best score there is."""
    best_auc: float
    """AUC that no scorer can exceed on average over such people."""


def best_auc(effect: float) -> float:
    """AUC of the latent itself, exactly, for groups that are `effect` SDs apart."""
    return float(norm.cdf(effect / np.sqrt(2.0)))


def simulate_series(
    n: int = 120,
    *,
    effect: float = 2.4,
    n_regions: int = 20,
    n_times: int = 100,
    n_sites: int = 4,
    motion_apart: float = 0.0,
    seed: int = 0,
) -> Simulated:
    """Region series of n people, half of them of each label at each site.

    Parameters
    ----------
    n : int
        People.
    effect : float
        SDs between the groups' latents; 0: nothing to find.
    n_regions : int
        Divided between four networks.
    n_times : int
        Volumes of a scan at the first site; the others' are a little shorter or longer.
    n_sites : int
        Each with its own gain, coupling, repetition time and length.
    motion_apart : float
        SDs (of the logarithm) by which the second group moves more: a confound, none by default.
    seed : int
        Of everything.

    Returns
    -------
    Simulated
        X is (n, n_regions, n_times) float32.
    """
    rng = np.random.default_rng(seed)
    people = _People.draw(rng, n, n_sites, effect, motion_apart)
    network = np.arange(n_regions) * N_NETWORKS // n_regions
    site_z = rng.normal(0.0, SITE_SPREAD, (n_sites, N_NETWORKS, N_NETWORKS))
    gain = np.exp(rng.normal(0.0, 0.5, (n_sites, n_regions)))
    lengths = np.array([round(n_times * LENGTHS[s % len(LENGTHS)]) for s in range(n_sites)])[people.site]
    seconds = np.array([REPETITION_TIMES[s % len(REPETITION_TIMES)] for s in range(n_sites)])[people.site]
    X = np.full((n, n_regions, int(lengths.max())), np.nan, dtype=np.float32)
    for i in range(n):
        z = COUPLING + site_z[people.site[i]] + rng.normal(0.0, SPREAD, (N_NETWORKS, N_NETWORKS))
        z[0, 2] += 0.05 * (people.age[i] - 12.0) / 4.0  # couplings that follow age and sex, not the label
        z[1, 3] += 0.10 * (people.sex[i] == "F")
        for pair, way in LATENT_TO:
            z[pair] += way * COUPLING_PER_SD * (people.latent[i] - effect / 2.0)
        signals = _smooth(rng, N_NETWORKS, int(lengths[i]), seconds[i])
        signals = _root(z) @ signals
        own = np.sqrt(OWN_NOISE) * _smooth(rng, n_regions, int(lengths[i]), seconds[i])
        moved = rng.standard_t(3, lengths[i]) * people.motion[i]  # in all regions at once
        data = gain[people.site[i]][:, np.newaxis] * (signals[network] + own + moved)
        X[i, :, : lengths[i]] = data - data.mean(axis=1, keepdims=True)
    names = tuple(f"network {network[k] + 1} region {k + 1}" for k in range(n_regions))
    return people.simulated(X, names, seconds, "simulated region series", effect)


def simulate_table(
    n: int = 120, *, effect: float = 2.4, n_features: int = 40, n_sites: int = 4, seed: int = 0
) -> Simulated:
    """A table of features of n people; the latent is the sum of the first fifth of them, plus noise.

    Parameters
    ----------
    n : int
        People, half of them of each label at each site.
    effect : float
        SDs between the groups along the best direction; 0: nothing to find.
    n_features : int
        Columns, at least 5.
    n_sites : int
        Each adds an offset of its own to every column and multiplies it by a gain.
    seed : int
        Of everything.

    Returns
    -------
    Simulated
        X is (n, n_features) float64.  The best direction is known exactly: without sites a scorer that
        knows it has the AUC of the ceiling.
    """
    rng = np.random.default_rng(seed)
    people = _People.draw(rng, n, n_sites, effect, 0.0)
    informed = n_features // 5
    X = rng.normal(size=(n, n_features))
    # Along the mean of the informed columns, and nowhere else, stands the latent.
    along = X[:, :informed].mean(axis=1) * np.sqrt(informed)
    X[:, :informed] += (people.latent - along)[:, np.newaxis] / np.sqrt(informed)
    X[:, -1] += 0.5 * (people.age - 12.0) / 4.0
    X[:, -2] += 0.5 * (people.sex == "F")
    offset = rng.normal(0.0, 0.3, (n_sites, n_features))
    gain = np.exp(rng.normal(0.0, 0.1, (n_sites, n_features)))
    X = gain[people.site] * X + offset[people.site]
    names = tuple(f"feature {k + 1}" for k in range(n_features))
    return people.simulated(X, names, None, "simulated table of features", effect)


@dataclass(frozen=True, eq=False)
class _People:
    """Who is simulated."""

    y: npt.NDArray[np.int64]
    site: npt.NDArray[np.int64]
    age: Floats
    sex: npt.NDArray[np.str_]
    motion: Floats
    latent: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, n: int, n_sites: int, effect: float, apart: float) -> "_People":
        y = np.arange(n, dtype=np.int64) % 2
        site = np.arange(n, dtype=np.int64) // 2 % n_sites
        age = rng.uniform(7.0, 17.0, n)
        sex = np.where(rng.random(n) < 0.2, "F", "M")
        motion = np.exp(rng.normal(np.log(0.12), 0.5, n) + 0.5 * apart * y)
        return cls(y, site, age, sex, motion, rng.normal(size=n) + effect * y)

    def simulated(
        self,
        X: npt.NDArray[np.float32] | Floats,
        names: tuple[str, ...],
        seconds: Floats | None,
        derivative: str,
        effect: float,
    ) -> Simulated:
        person = np.array([f"sim{i:04d}" for i in range(len(self.y))], dtype=str)
        scans = Scans.of(
            person,
            self.y,
            recording=person,
            site=np.array([f"S{s + 1}" for s in self.site], dtype=str),
            labels=LABELS,
            X=X,
            names=names,
            repetition_time=seconds,
            age=self.age,
            sex=self.sex,
            motion=self.motion,
            derivative=derivative,
            # A scale that follows the latent as symptom scales do: a dimensional target.
            scores={"severity": 50.0 + 10.0 * self.latent},
            remarks=(f"simulated: no scorer can have an AUC above {best_auc(effect):.3f}",),
        )
        return Simulated(scans, self.latent, best_auc(effect))


def _smooth(rng: np.random.Generator, rows: int, n_times: int, seconds: float) -> Floats:
    """Gaussian signals of variance 1 that remember themselves for `MEMORY_S`, (rows, n_times) float64."""
    keep = float(np.exp(-seconds / MEMORY_S))
    fresh = rng.normal(size=(rows, n_times)) * np.sqrt(1.0 - keep**2)
    fresh[:, 0] /= np.sqrt(1.0 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], fresh))


def _root(z: Floats) -> Floats:
    """Square root of the correlation matrix with these couplings above the diagonal (Fisher's z)."""
    upper = np.triu(np.tanh(z), k=1)
    size, vectors = np.linalg.eigh(upper + upper.T + np.eye(len(z)))
    size = np.maximum(size, 0.02)  # a set of couplings that cannot all be true gives way a little
    return np.asarray((vectors * np.sqrt(size)) @ vectors.T)
