"""Reading in a separate process: a damaged file may bring down the library that reads it, not us.

HDF5 and the parser of MATLAB files are C that trusts what it reads: a few wrong bytes and the process
is gone, in the middle of a cohort, without a word.  So a process of its own reads such files
(`offline.recordings.isolated_worker`), many of them one after the other, and what it dies of becomes an error
that names the file.  On Linux its memory is bounded by the size of the file.

The process ends by itself when it has been idle for a while, and with this one.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from models import errors
from models.errors import HemostreamError, RecordingError
from offline.recordings.wire import receive
from realtime.sources.recording import Recording

PATIENCE_S, PATIENCE_S_PER_BYTE = 30.0, 1e-6
"""A file that is not read in so many seconds never will be: a second for each megabyte, and some.  HDF5
can go round in circles on damaged heaps for ever."""
_BEGIN = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    "from offline.recordings.isolated_worker import serve; serve()"
)


class _IsolatedReader:
    """The process, once it is needed; one file at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._owner = 0

    def read(self, path: Path, **options: Any) -> Recording:
        """Read a recording that is there in a separate process; options of `read_recording`.

        Errors are those that the reader declares, or a RecordingError where its library crashed on the file.
        """
        patience = PATIENCE_S + PATIENCE_S_PER_BYTE * size_of(path)
        wanted = {"path": str(path), "folder": str(Path.cwd()), "options": options, "patience": patience}
        request = json.dumps(wanted).encode() + b"\n"
        with self._lock:
            for _ in range(2):
                try:
                    answer = self._ask(self._running(), request, path, patience)
                except (EOFError, ConnectionError):
                    code, stderr = self.end()
                    if code:
                        raise _died(code, stderr, path) from None
                    continue  # it had been idle for long enough to end just then
                except BaseException:
                    self.end(kill=True)  # or what it still says would answer the next question
                    raise
                if isinstance(answer, HemostreamError):
                    raise answer
                return answer
        raise _died(0, "It ended before it had read anything, twice.", path)

    def _ask(
        self, process: subprocess.Popen[bytes], request: bytes, path: Path, patience: float
    ) -> Recording | HemostreamError:
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(patience, give_up)
        watch.daemon = True
        watch.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            line = process.stdout.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            answer = json.loads(line)
            if "error" in answer:
                return _error(answer["error"], answer["message"])
            return receive(cast(BinaryIO, process.stdout))
        except (EOFError, ConnectionError) as error:
            if not late.is_set():
                raise
            raise RecordingError(
                f"{path} could not be read within {patience:.0f} s; it is damaged, or its disk does not "
                "answer. Copy it to this machine and try again."
            ) from error
        finally:
            watch.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():  # a child that was forked has no part in its parent's process
            self._process, self._stderr = None, None
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BEGIN, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
            )
            self._owner = os.getpid()
        return self._process

    def end(self, *, kill: bool = False) -> tuple[int, str]:
        """End the process; its exit code and the end of its stderr."""
        process, stderr = self._process, self._stderr
        self._process, self._stderr = None, None
        if process is None or stderr is None or self._owner != os.getpid():
            return 0, ""
        if kill:
            process.kill()
        for pipe in filter(None, (process.stdin, process.stdout)):
            with suppress(OSError):
                pipe.close()
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        stderr.seek(0)
        with stderr:
            return code, stderr.read().decode("utf-8", "replace")[-2000:]


_reader = _IsolatedReader()
atexit.register(_reader.end)
read_isolated = _reader.read


def size_of(path: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    try:
        files = path.iterdir() if path.is_dir() else [path]
        return sum(each.stat().st_size for each in files if each.is_file())
    except OSError:
        return 0  # whoever reads it will say what is wrong


def _error(name: str, message: str) -> HemostreamError:
    """The error of that name, as it was raised there."""
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, HemostreamError):
        return kind(message)
    return RecordingError(message)


def _died(code: int, stderr: str, path: Path) -> Exception:
    """What to say of its end: by a signal (of which Windows makes numbers) the file was it, else we were."""
    if code < 0 or code > 255:
        return RecordingError(
            f"{path} is damaged: the library that reads it crashed on it (exit code {code}). Fetch the file "
            "again from where it was made."
        )
    return RuntimeError(f"The process that reads recordings ended with {code} on {path}:\n{stderr}")
