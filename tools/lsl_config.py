"""Keeping LSL on this machine, for demonstrations and benchmarks.

liblsl reads its configuration once a process, so this must run before pylsl is imported.  `live`
never does this by itself: at the bedside the stream comes from another machine.
"""

import os
import sys
import uuid
from pathlib import Path


def stay_on_this_machine(folder: Path) -> str:
    """Give this process (and its children) an LSL session id of its own and machine scope.

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
