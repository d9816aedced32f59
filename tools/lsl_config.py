"""liblsl's configuration: which file is in force, what a command logs, and LSL kept on this machine.

liblsl reads its configuration once a process, at its first use.
"""

import os
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

WARNINGS_ONLY = "[log]\nlevel = -1\n"
"""As little as hides what liblsl logs for information; its warnings and errors are still shown."""


def configuration_files(environ: Mapping[str, str], folder: Path, home: Path) -> list[Path]:
    """Where liblsl looks for a configuration, in its own order.

    Parameters
    ----------
    environ : mapping
        Where ``LSLAPICFG`` may stand.
    folder, home : Path
        Working folder and home.
    """
    named = environ.get("LSLAPICFG")
    standing = (folder / "lsl_api.cfg", home / "lsl_api" / "lsl_api.cfg", Path("/etc/lsl_api/lsl_api.cfg"))
    return [*([Path(named)] if named else []), *standing]


def hide_lsl_information() -> None:
    """Let liblsl show warnings and errors only, where no configuration file says what it logs.

    Before any other use of pylsl.  A file that somebody wrote holds as it is.
    """
    if any(place.is_file() for place in configuration_files(os.environ, Path.cwd(), Path.home())):
        return
    import pylsl

    with suppress(NotImplementedError):  # an older liblsl, named by PYLSL_LIB
        pylsl.set_config_content(WARNINGS_ONLY)


def stay_on_this_machine(folder: Path) -> str:
    """Give this process (and its children) an LSL session id of its own and machine scope.

    For demonstrations and benchmarks.  `live` never does this: at the bedside the stream comes from another
    machine.

    Parameters
    ----------
    folder : Path
        Where the configuration file is written; must outlive the processes.

    Returns
    -------
    str
        The session id.

    Raises
    ------
    RuntimeError
        pylsl is already imported: too late.
    """
    if "pylsl" in sys.modules:
        raise RuntimeError("pylsl is already imported; its configuration cannot be changed any more.")
    name = f"hemostream-{uuid.uuid4().hex}"
    file = folder / "lsl_api.cfg"
    file.write_text(
        f"[multicast]\nResolveScope = machine\n[lab]\nSessionID = {name}\n"
        # The default range of ports holds the outlets of a few beds only.
        "[ports]\nPortRange = 400\n[log]\nlevel = -2\n",
        encoding="utf-8",
    )
    os.environ["LSLAPICFG"] = str(file)
    return name
