"""Folds on a Dask cluster: the same tasks, with the same results, on other machines.

Dask runs whatever its scheduler is given, and authenticates no one.  So an address that is not this
machine's own must be ``tls://`` (certificates as Dask's own configuration names them); and workers must have
the same versions of everything that has a hand in the figures.
"""

import ipaddress
import logging
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import distributed

from models.errors import HemostreamError
from offline.base.versions import versions
from offline.evaluation.fit_cache import processor
from offline.evaluation.runner import perform
from offline.evaluation.tasks import F, FitResult, FitTask, Procedure

WAIT_S = 15
"""For the scheduler to answer, s."""
AGAIN = 3
"""A fold whose worker dies is given to another so often."""

log = logging.getLogger(__name__)


def check_address(address: str) -> None:
    """Refuse an address that nothing can be sent to, or not safely.

    Raises
    ------
    HemostreamError
        It is not ``tcp://127.0.0.1:PORT`` or ``tls://HOST:PORT``, but plain TCP to another machine, say.
    """
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or port is None:
        raise HemostreamError(
            f"The cluster's address is {address!r}; expected tcp://127.0.0.1:PORT or tls://HOST:PORT, as the "
            "scheduler prints it when it starts."
        )
    if parts.scheme == "tcp" and not _is_here(parts.hostname):
        raise HemostreamError(
            f"The cluster's address {address} is plain TCP to another machine: recordings would cross the "
            "network unencrypted, and whoever reaches the scheduler could run anything on it. Start it with "
            "TLS and give tls://HOST:PORT (Dask's configuration distributed.comm.tls, has the certificates)."
        )


def perform_on_cluster(
    procedure: Procedure[F], todo: Sequence[Sequence[FitTask[F]]], address: str
) -> Iterator[tuple[int, list[FitResult[F]]]]:
    """Compute groups of tasks on the workers of a scheduler; each group's number and results, as they come.

    The procedure is sent to each worker once, with its data.

    Raises
    ------
    HemostreamError
        No scheduler answers, it has no worker, or a worker has other versions.
    """
    check_address(address)
    try:
        client = distributed.Client(address, timeout=WAIT_S, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise HemostreamError(
            f"No Dask scheduler answers at {address} within {WAIT_S} s. Start one (dask scheduler --host "
            "127.0.0.1) and workers (dask worker ADDRESS --nthreads 1), or leave --cluster away."
        ) from error
    with client:
        _check_workers(client, address)
        shared = client.scatter(procedure, broadcast=True, hash=False)
        futures = {
            client.submit(
                perform, shared, tasks, pure=False, retries=AGAIN, key=f"{tasks[0].condition}-{i}"
            ): i
            for i, tasks in enumerate(todo)
        }
        for future in distributed.as_completed(futures, loop=client.loop):
            yield futures[future], future.result()


def _check_workers(client: distributed.Client, address: str) -> None:
    found: dict[str, tuple[dict[str, str], str]] = client.run(_facts)
    if not found:
        raise HemostreamError(
            f"The scheduler at {address} has no worker. Start some: dask worker {address} --nthreads 1"
        )
    ours = _facts()
    for name, (theirs, kind) in sorted(found.items()):
        other = {k: (v, ours[0].get(k)) for k, v in theirs.items() if v != ours[0].get(k)}
        if other:
            differ = ", ".join(f"{package} {its} (here {own})" for package, (its, own) in other.items())
            raise HemostreamError(
                f"The worker {name} has {differ}; expected the versions of this machine, or figures would "
                "depend on which machine computed them. Install the same lock file there."
            )
        if kind != ours[1]:
            log.warning("worker %s has another processor (%s): last digits may differ", name, kind)


def _facts() -> tuple[dict[str, str], str]:
    return versions(), processor()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
