"""Checks of this machine: installation, torch, clock, the journal's folder, the bundle."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.errors import HemostreamError
from tools.doctor.finding import Finding, good, problem, warning

FLOORS = ("models", "realtime", "offline", "tools")
PYTHON = (3, 11)
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""No machine that runs this version is older."""
STEP_S = 0.5
"""A wall clock that moves by more than this against the monotonic one, while we look, is being set."""
ROOM, LITTLE_ROOM = 2e9, 2e8
"""Bytes: a day of 104 channels at 10 Hz takes about 0.4e9 with what goes with it."""


def check_python(version: tuple[int, int], system: str) -> Finding:
    """Look at the interpreter.

    Parameters
    ----------
    version : tuple of 2 int
        Of Python.
    system : str
        Of the platform, for the record.
    """
    found = f"Python {version[0]}.{version[1]} on {system}"
    if version < PYTHON:
        wanted = ".".join(map(str, PYTHON))
        return problem(
            "python", found, f"{wanted} or later", f"Install Python {wanted} and make a new environment"
        )
    return good("python", found)


def check_installation(
    house: Path, origins: Mapping[str, str | None], owners: Mapping[str, Sequence[str]], version: str
) -> Finding:
    """See whether `models`, `realtime`, `offline` and `tools` are ours.

    Parameters
    ----------
    house : Path
        Folder that holds ours.
    origins : mapping
        For each of the four where Python would import it from; None where nowhere.
    owners : mapping
        For each the distributions that bring a package of that name.
    version : str
        Of hemostream, as installed.
    """
    check = "installation"
    alone = "Install hemostream into an environment of its own"
    for floor in FLOORS:
        origin = origins.get(floor)
        others = sorted({owner for owner in owners.get(floor, ()) if owner.lower() != "hemostream"})
        whose = f" (it comes with {', '.join(others)})" if others else ""
        if origin is None or Path(origin).resolve().parent.parent != house.resolve():
            return problem(
                check,
                f"package {floor!r} is {origin or 'nowhere'}{whose}",
                f"{house / floor}, which is ours",
                alone,
            )
        if others:
            return warning(
                check,
                f"package {floor!r} is ours, but {', '.join(others)} brings one of that name too",
                "",
                alone,
            )
    return good(check, f"hemostream {version} in {house}")


def check_torch(load: Callable[[], tuple[str, Sequence[str], bool]]) -> Finding:
    """See whether torch loads, and on what it would compute.

    Parameters
    ----------
    load : callable
        Gives its version, the devices that can be used (the preferred one first), and whether it was
        built for CUDA.
    """
    try:
        version, devices, for_cuda = load()
    except (ImportError, OSError) as error:
        return problem(
            "torch", f"torch does not load: {error}", "a working torch", "Install it anew: pip install torch"
        )
    found = f"torch {version}, computes on {devices[0]} (of {', '.join(devices)})"
    if for_cuda and "cuda" not in devices:
        return good("torch", f"{found}; it could use CUDA, but no such device answers")
    return good("torch", found)


def check_clock(now: float, newest: float, stepped: float) -> Finding:
    """See whether the wall clock can be believed; decisions carry UTC.

    Parameters
    ----------
    now : float
        Seconds since 1970.
    newest : float
        Latest date of hemostream's own files, s since 1970.
    stepped : float
        How far (s) the wall clock moved against the monotonic one while the doctor looked.
    """
    found = f"it is {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC"
    do = "Set the clock, or let the system do it (NTP)"
    if now < EARLIEST:
        return problem("clock", found, "a date of this age", do)
    if now < newest - 86400:
        return warning("clock", f"{found}, earlier than hemostream's own files", "a later date", do)
    if abs(stepped) > STEP_S:
        return warning(
            "clock",
            f"{found}; it was set by {stepped:+.1f} s meanwhile",
            "a clock that runs",
            "A session does not mind (it uses another clock), but its dates will jump",
        )
    return good("clock", found)


def check_journal_folder(folder: Path, free: Callable[[Path], float] | None = None) -> Finding:
    """See whether a journal can be written there, and for how long.

    Parameters
    ----------
    folder : Path
        Where the journal would be.
    free : callable or None
        Free bytes at a path; None asks the system.
    """
    check = "journal"
    if not folder.is_dir():
        return problem(
            check, f"{folder} is no folder", "a folder that exists", "Make it, or name another one"
        )
    try:
        with tempfile.TemporaryFile(dir=folder) as file:  # has no name, leaves nothing
            file.write(b"hemostream")
    except OSError as error:
        return problem(
            check, f"{folder} cannot be written: {error.strerror}", "a folder to write to", "Name another one"
        )
    try:
        room = (free or (lambda path: shutil.disk_usage(path).free))(folder)
    except OSError as error:
        return warning(check, f"free room in {folder} is not known: {error.strerror}")
    found = f"{folder} can be written, {room / 1e9:.1f} GB free"
    need = "2 GB (a day of 104 channels at 10 Hz takes about 0.4 GB)"
    if room < LITTLE_ROOM:
        return problem(check, found, need, "Make room, or name another folder with --journal")
    if room < ROOM:
        return warning(check, found, need, "Make room before a long session")
    return good(check, found)


def check_bundle(read: Callable[[], Any]) -> tuple[Finding, Any]:
    """See whether the bundle can be read; give it.

    Parameters
    ----------
    read : callable
        Gives the bundle, or raises.
    """
    try:
        bundle = read()
    except HemostreamError as error:
        return problem("model", str(error)), None
    card = bundle.card
    return good("model", f"{card.hash[:12]}, labels {', '.join(card.labels)}"), bundle


def newest_file(house: Path) -> float:
    """Latest date of our own files (s since 1970); 0 where none can be read."""
    dates = [0.0]
    for floor in FLOORS:
        try:
            dates += [entry.stat().st_mtime for entry in os.scandir(house / floor) if entry.is_file()]
        except OSError:
            continue
    return max(dates)
