"""A peer of the registration bench, in an environment of its own: python-rtspm, SimpleITK or dipy.

``python registration_peer.py NAME INPUT.npz OUTPUT.npz``; needs only numpy and the package.  The input has
``reference`` (x, y, z), ``volumes`` (n, x, y, z) and ``affine`` (4, 4) mm; the output ``moves`` (n, 4, 4) mm
from the reference's space to each volume's, and the wall-clock and CPU seconds of each estimate and reslice.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

Register = Callable[[np.ndarray], tuple[np.ndarray, Callable[[], object] | None]]


def rtspm(reference: np.ndarray, affine: np.ndarray) -> Register:
    """As pyOpenNFT calls it; SPM counts voxels from 1."""
    from rtspm import spm_realign_rt, spm_reslice_rt  # type: ignore[import-not-found]

    one = np.eye(4)
    one[:3, 3] = -1
    mat = affine @ one
    shape = np.array(reference.shape)
    flags = {
        "quality": 0.9,
        "fwhm": 5,
        "sep": 4,
        "interp": 4,
        "wrap": np.zeros((3, 1)),
        "rtm": 0,
        "PW": "",
    }
    reslicing = {**flags, "mask": 1, "mean": 0, "which": 2}
    kept: list[Any] = [[]] * 6

    def image(data: np.ndarray) -> dict[str, Any]:
        return {"mat": mat.copy(), "dim": shape.copy(), "Vol": np.asfortranarray(data, dtype=float)}

    fixed = image(reference)
    first = True

    def register(data: np.ndarray) -> tuple[np.ndarray, Callable[[], object]]:
        nonlocal kept, first
        pair = [fixed, image(data)]
        number = 1 if first else 2
        found = spm_realign_rt(pair, {**flags, "lkp": np.arange(1, 7)}, number, 1, *kept)
        pair, kept, first = found[0], list(found[1:7]), False
        back = pair[1]["mat"] @ np.linalg.inv(mat)
        return np.linalg.inv(back), lambda: spm_reslice_rt(pair, reslicing)

    return register


def simpleitk(reference: np.ndarray, affine: np.ndarray) -> Register:
    """Correlation, two levels, a third of the voxels."""
    import SimpleITK as sitk  # type: ignore[import-not-found] # noqa: N813

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    edges = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))

    def image(data: np.ndarray) -> Any:
        made = sitk.GetImageFromArray(np.ascontiguousarray(data.T, dtype=np.float32))
        made.SetSpacing(edges.tolist())
        made.SetDirection((affine[:3, :3] / edges).flatten().tolist())
        made.SetOrigin(affine[:3, 3].tolist())
        return made

    fixed = image(reference)

    def register(data: np.ndarray) -> tuple[np.ndarray, Callable[[], object]]:
        moving = image(data)
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsCorrelation()
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentage(0.33)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([2, 1])
        method.SetSmoothingSigmasPerLevel([4, 2])
        method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
        start = sitk.CenteredTransformInitializer(
            fixed, fixed, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
        )
        method.SetInitialTransform(start, inPlace=False)
        found = method.Execute(fixed, moving)
        corners = np.vstack([np.zeros(3), 100 * np.eye(3)])
        there = np.array([found.TransformPoint(point.tolist()) for point in corners])
        move = np.eye(4)
        move[:3, :3], move[:3, 3] = ((there[1:] - there[0]) / 100).T, there[0]
        return move, lambda: sitk.Resample(moving, fixed, found, sitk.sitkBSpline, float("nan"))

    return register


def dipy(reference: np.ndarray, affine: np.ndarray) -> Register:
    """Mutual information, three levels."""
    from dipy.align.imaffine import (  # type: ignore[import-not-found]
        AffineRegistration,
        MutualInformationMetric,
    )
    from dipy.align.transforms import RigidTransform3D  # type: ignore[import-not-found]

    def register(data: np.ndarray) -> tuple[np.ndarray, None]:
        method = AffineRegistration(
            metric=MutualInformationMetric(nbins=32),
            level_iters=[1000, 100, 10],
            sigmas=[3.0, 1.0, 0.0],
            factors=[4, 2, 1],
            verbosity=0,
        )
        found = method.optimize(
            reference,
            data,
            RigidTransform3D(),
            None,
            static_grid2world=affine,
            moving_grid2world=affine,
        )
        return found.affine, None

    return register


PEERS: dict[str, Callable[[np.ndarray, np.ndarray], Register]] = {
    "rtspm": rtspm,
    "simpleitk": simpleitk,
    "dipy": dipy,
}


def timed(ask: Callable[[], Any]) -> tuple[Any, float, float]:
    """What came, and the wall-clock and CPU seconds it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = ask()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def measure(register: Register, volumes: np.ndarray) -> Iterator[tuple[Any, ...]]:
    for data in volumes:
        (move, reslice), wall, cpu = timed(partial(register, data))
        resliced = timed(reslice)[1:] if reslice is not None else (np.nan, np.nan)
        yield move, (wall, cpu), resliced


def main(name: str, source: str, target: str) -> None:
    with np.load(source) as given:
        reference, volumes, affine = (given[key].astype(float) for key in ("reference", "volumes", "affine"))
    register = PEERS[name](reference, affine)
    register(reference)  # SPM's first volume makes the template; the others load and warm up
    moves, estimates, reslices = zip(*measure(register, volumes), strict=True)
    np.savez(target, moves=moves, estimates=estimates, reslices=reslices)


if __name__ == "__main__":
    main(*sys.argv[1:])
