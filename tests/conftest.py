"""What all tests share: the real data, and LSL kept on this machine."""

import atexit
import os
import shutil
import signal
import tempfile
import uuid
from pathlib import Path

import pytest

# liblsl reads its configuration once a process, when pylsl is first imported: set it before any
# test module can do so.  Machine scope and a session id of our own: nothing leaves this machine,
# and test runs side by side do not meet.
_lsl_folder = Path(tempfile.mkdtemp(prefix="hemostream-lsl-"))
atexit.register(shutil.rmtree, _lsl_folder, ignore_errors=True)
_lsl_config = _lsl_folder / "lsl_api.cfg"
_lsl_config.write_text(
    "[multicast]\nResolveScope = machine\n"
    f"[lab]\nSessionID = hemostream-test-{uuid.uuid4().hex}\n"
    "[ports]\nPortRange = 400\n[log]\nlevel = -3\n"
)
os.environ["LSLAPICFG"] = str(_lsl_config)

# A shell runs what it puts into the background (`make test` does) deaf to Ctrl-C, and nohup makes it deaf to
# a terminal that closes; children inherit that.  Tests send both, so the test run hears them, and with it
# every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def absent(what: str, why: str) -> None:
    """Skip the test, or fail it on CI, where nothing may be absent."""
    message = f"{what} is absent: {why}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings, scans and features (``HEMOSTREAM_DATA``)."""
    folder = os.environ.get("HEMOSTREAM_DATA", "")
    if not folder or not Path(folder).is_dir():
        absent("The real data", f"HEMOSTREAM_DATA is {folder!r}; set it to the data folder")
    return Path(folder)


@pytest.fixture(scope="session")
def mosquitto_path() -> str:
    """The mosquitto broker's executable."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        absent("mosquitto", "install it (Debian: apt-get install mosquitto)")
    return str(found)
