"""Checks of Lab Streaming Layer: the library, its configuration, its ports, whether streams are found."""

import configparser
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.doctor.finding import Finding, good, problem, warning
from tools.lsl_config import configuration_files

GLIBC = (2, 35)
"""Oldest one that the library in pylsl's Linux wheel runs with (measured)."""
BASE_PORT, PORT_RANGE = 16572, 32
"""liblsl's own."""
DISCOVER_S = 2.5
"""Longest wait for a stream of our own to be found (s); a machine's own are found within 0.6 (measured)."""
CONFIGURATION = (
    "https://labstreaminglayer.readthedocs.io/info/lslapicfg.html describes how a configuration file is made"
)


@dataclass(frozen=True, slots=True)
class LslSettings:
    """What of liblsl's configuration matters here.

    Parameters
    ----------
    path : Path or None
        The file in force; None where there is none.
    session : str
        Streams of other session ids are not seen.
    scope : str
        How far streams are looked for.
    peers : tuple of str
        Hosts that are asked directly.
    base_port, port_range : int
        Where streams listen.
    """

    path: Path | None = None
    session: str = "default"
    scope: str = "site"
    peers: tuple[str, ...] = ()
    base_port: int = BASE_PORT
    port_range: int = PORT_RANGE

    @property
    def most_streams(self) -> int:
        """How many streams of one host are found: every other port and one (measured: 17 of 32)."""
        return self.port_range // 2 + 1


def check_liblsl(
    load: Callable[[], str], *, system: str, machine: str, glibc: tuple[int, int] | None
) -> Finding:
    """Check whether the library loads, and how to get it where it does not.

    Parameters
    ----------
    load : callable
        Imports pylsl and gives its version.
    system, machine : str
        Of `platform.system` and `platform.machine`.
    glibc : tuple of 2 int or None
        Version of the C library on Linux.
    """
    try:
        return good("liblsl", load())
    except (ImportError, RuntimeError, OSError) as error:
        found = " ".join(str(error).split())[:160] or type(error).__name__
    where = f"{system} on {machine}" + (f", glibc {glibc[0]}.{glibc[1]}" if glibc else "")
    return problem(
        "liblsl",
        f"it does not load ({found}) on {where}",
        "pylsl with liblsl",
        how_to_get(system, machine, glibc),
    )


def how_to_get(system: str, machine: str, glibc: tuple[int, int] | None) -> str:
    """How to get liblsl on a platform.

    Parameters
    ----------
    system, machine : str
        Of `platform.system` and `platform.machine`.
    glibc : tuple of 2 int or None
        Version of the C library on Linux.
    """
    if system == "Darwin":
        return "brew install labstreaminglayer/tap/lsl, then set PYLSL_LIB to its liblsl.dylib"
    if system == "Windows":
        return "pip install --force-reinstall pylsl, whose wheel for Windows brings the library"
    other = (
        "conda install -c conda-forge liblsl, or a package of github.com/sccn/liblsl/releases, or build it "
        "there; then set PYLSL_LIB to its liblsl.so"
    )
    if machine not in ("x86_64", "AMD64"):
        return f"The wheel for Linux is for x86_64 only: {other}"
    if glibc is not None and glibc < GLIBC:
        return f"The wheel needs glibc {GLIBC[0]}.{GLIBC[1]} or later: {other}"
    return f"pip install --force-reinstall pylsl, whose wheel brings the library; or {other}"


def read_settings(environ: Mapping[str, str], folder: Path, home: Path) -> tuple[LslSettings, Finding]:
    """Find the configuration that liblsl takes, in its own order, and what it means.

    Parameters
    ----------
    environ : mapping
        Where ``LSLAPICFG`` may stand.
    folder, home : Path
        Working folder and home.
    """
    check = "LSL configuration"
    named = environ.get("LSLAPICFG")
    path = next((place for place in configuration_files(environ, folder, home) if place.is_file()), None)
    if named and path != Path(named):
        return LslSettings(), warning(
            check, f"LSLAPICFG names {named}, which is no file", "a file", "Correct it, or unset LSLAPICFG"
        )
    if path is None:
        return LslSettings(), good(check, "none; liblsl's own settings hold")
    parser = configparser.ConfigParser(strict=False, interpolation=None, inline_comment_prefixes=(";", "#"))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        ports = (
            parser.get("ports", "BasePort", fallback=str(BASE_PORT)),
            parser.get("ports", "PortRange", fallback=str(PORT_RANGE)),
        )
        settings = LslSettings(
            path,
            parser.get("lab", "SessionID", fallback="default"),
            parser.get("multicast", "ResolveScope", fallback="site"),
            _set(parser.get("lab", "KnownPeers", fallback="{}")),
            int(ports[0]),
            int(ports[1]),
        )
    except (configparser.Error, OSError, UnicodeDecodeError, ValueError) as error:
        found = " ".join(str(error).split())
        return LslSettings(path), problem(
            check, f"{path} cannot be read: {found}", "liblsl's form", CONFIGURATION
        )
    found = f"{path}: scope {settings.scope}, session id {settings.session!r}"
    if settings.peers:
        found += f", known peers {', '.join(settings.peers)}"
    if settings.scope == "machine" and not set(settings.peers) - {"127.0.0.1", "localhost"}:
        return settings, warning(
            check,
            found,
            "",
            "Only streams of this machine are found; for those of others set ResolveScope to link or site",
        )
    if settings.session != "default":
        return settings, warning(check, found, "", "Only streams with the same session id are found")
    return settings, good(check, found)


def check_ports(settings: LslSettings, needed: int, taken: int) -> Finding:
    """See whether the port range has room for the streams of this host.

    Parameters
    ----------
    settings : LslSettings
        The range.
    needed : int
        Streams that are to be here.
    taken : int
        Ports of the range in which something listens already.
    """
    last = settings.base_port + settings.port_range - 1
    room = max(settings.most_streams - taken // 2, 0)
    found = (
        f"room for {room} more streams of this machine ({settings.port_range} ports from "
        f"{settings.base_port} to {last}, {taken} of them in use; a stream takes two)"
    )
    width = 2 * needed + taken
    do = f"Set PortRange = {max(400, width)} under [ports] in lsl_api.cfg, on every machine of the lab"
    if room < needed:
        return problem("LSL ports", found, f"room for {needed} (--streams)", do)
    return good("LSL ports", found)


def taken_ports(base: int, count: int) -> int:
    """How many TCP ports of a range are taken on loopback; none is kept."""
    taken = 0
    for port in range(base, base + count):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
            # A port that has only just been left is free for liblsl, too.
            if os.name != "nt":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                taken += 1
    return taken


def check_discovery(find: Callable[[], float | None], find_by_peers: Callable[[], float | None]) -> Finding:
    """See whether a stream made here is found here.

    Parameters
    ----------
    find : callable
        Makes a stream and looks for it; gives the seconds it took, None where it was not found.
    find_by_peers : callable
        The same by asking this machine directly, without multicast.
    """
    check = "LSL discovery"
    took = find()
    if took is not None:
        return good(check, f"a stream made here was found here after {took:.1f} s")
    host = socket.gethostname()
    if find_by_peers() is not None:
        return problem(
            check,
            "a stream made here is not found here, but is when asked for directly: multicast is blocked",
            "multicast on UDP port 16571",
            f"Allow it in the firewall (or leave the VPN), or write KnownPeers = {{127.0.0.1, {host}}} "
            "with the "
            "device's host as well under [lab] in lsl_api.cfg",
        )
    return problem(
        check,
        "a stream made here is not found here, not even when asked for directly",
        "LSL to reach this machine",
        "Allow UDP port 16571 and TCP and UDP ports 16572 to 16604 in the firewall; look at the LSL "
        "configuration",
    )


def found_here() -> float | None:
    """Make a stream in this process and look for it (s); None where it is not found.

    The stream sends nothing and ends at once.
    """
    import time
    import uuid

    import pylsl

    name = f"hemostream-doctor-{uuid.uuid4().hex}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("hemostream doctor", "Doctor", 1, 0, pylsl.cf_string, name))
    begun = time.monotonic()
    found = pylsl.resolve_byprop("source_id", name, 1, DISCOVER_S)
    took = time.monotonic() - begun
    del outlet
    return took if found else None


def found_by_peers() -> float | None:
    """`found_here` in another process, which asks this machine directly; liblsl reads settings once."""
    text = (
        "[multicast]\nResolveScope = machine\nMachineAddresses = {127.0.0.1}\n"
        "[lab]\nKnownPeers = {127.0.0.1}\nSessionID = hemostream-doctor\n[log]\nlevel = -3\n"
    )
    code = "import json; from tools.doctor.lsl import found_here; print(json.dumps(found_here()))"
    house = str(Path(__file__).resolve().parents[2])
    with tempfile.TemporaryDirectory(prefix="hemostream-doctor-") as folder:
        file = Path(folder) / "lsl_api.cfg"
        file.write_text(text, encoding="utf-8")
        environ = {**os.environ, "LSLAPICFG": str(file), "PYTHONPATH": house}
        try:
            done = subprocess.run(
                [sys.executable, "-c", code],
                env=environ,
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
            took = json.loads(done.stdout.strip().splitlines()[-1])
        except (subprocess.SubprocessError, OSError, json.JSONDecodeError, IndexError):
            return None
    return None if took is None else float(took)


def _set(text: str) -> tuple[str, ...]:
    """liblsl's form of a list, ``{a, b}``."""
    return tuple(filter(None, (part.strip() for part in text.strip().strip("{}").split(","))))
