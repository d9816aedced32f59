"""AFNI's realtime protocol, volumes: from the bytes of a data channel to `Volume`, and back.

After the commands (`realtime.sources.scanner.afni_commands`) come images and nothing else, until one that
begins with a marker of AFNI's; then commands may come again, of another run.  Bytes are handed in, so every
fault can be played through in a test.
"""

import numpy as np

from models.errors import StreamError
from models.outside import printable
from realtime.sources.scanner.afni_commands import AfniHeader, read_commands
from realtime.volumes.volume import Volume

END_OF_RUN = b"Et Earello Endorenna utulien!!"
"""What AFNI's senders begin an image with that is none, and ends a run."""
MOST_COMMANDS = 2**15
"""Bytes of commands: as many as AFNI's own buffer holds."""
LONGEST_CONTROL = 1024


class AfniVolumes:
    """The volumes of one data channel.

    Parameters
    ----------
    name : str
        What a series is called that has no name.
    """

    def __init__(self, name: str = "afni") -> None:
        self._name = name
        self._bytes = bytearray()
        self._header: AfniHeader | None = None
        self._slices: list[bytes] = []
        self._number = 0
        self.runs = 0
        """Runs begun so far."""

    def take(self, data: bytes, now: float) -> list[Volume]:
        """Take the next bytes; give the volumes that they complete.

        No more is held than one image, or the commands, and what was handed in.

        Parameters
        ----------
        data : bytes
            As they came.
        now : float
            Local time, s.

        Raises
        ------
        StreamError
            What came is not the protocol; the channel must be closed.
        """
        self._bytes += data
        found: list[Volume] = []
        begin = 0
        while True:
            if self._header is None:
                begin = self._begin(begin)
                if self._header is None:
                    break
            size = self._header.image_bytes
            if len(self._bytes) - begin < size:
                break
            image = bytes(memoryview(self._bytes)[begin : begin + size])
            begin += size
            if image.startswith(END_OF_RUN):
                self._header, self._slices = None, []
                continue
            if (volume := self._volume(image, now)) is not None:
                found.append(volume)
        del self._bytes[:begin]
        return found

    def _begin(self, begin: int) -> int:
        """Read commands from a place on, if they are whole; give where images begin."""
        end = self._bytes.find(b"\0", begin, begin + MOST_COMMANDS)
        if end < 0:
            if len(self._bytes) - begin >= MOST_COMMANDS:
                raise StreamError(
                    f"AFNI's commands do not end within {MOST_COMMANDS} bytes; expected a NUL byte after "
                    "them."
                )
            return begin
        text = self._bytes[begin:end].decode("latin-1")
        if not text.strip():  # what pads the image of the end
            return end + 1
        self._header = read_commands(text)
        self._number = 0
        self.runs += 1
        return end + 1

    def _volume(self, image: bytes, now: float) -> Volume | None:
        header = self._header
        assert header is not None
        self._slices.append(image)
        if header.by_slice and len(self._slices) < header.grid.shape[2]:
            return None
        nx, ny, nz = header.grid.shape
        stack = np.frombuffer(b"".join(self._slices), dtype=header.dtype).reshape(nz, ny, nx)
        self._slices = []
        data = np.empty((nx, ny, nz), dtype=np.float32)
        with np.errstate(invalid="ignore"):  # any bytes may come as floats
            data[:, :, list(header.slices) if header.by_slice else slice(None)] = stack.T
        self._number += 1
        return Volume(
            data=data,
            grid=header.grid,
            series=f"{header.name or self._name} {self.runs}",
            number=self._number,
            tr=header.tr,
            acquired=None,
            arrived=now,
        )


def read_control(data: bytes) -> int:
    """The TCP port of the data channel that a sender names on the control channel.

    Parameters
    ----------
    data : bytes
        All that came: ``tcp:host:port``, a NUL byte behind it or not; a second line, AFNI's info program, is
        never run.

    Raises
    ------
    StreamError
        It names none.
    """
    first = data[:LONGEST_CONTROL].split(b"\0")[0].decode("latin-1").split("\n")[0].strip()
    scheme, _, rest = first.partition(":")
    port = rest.rpartition(":")[2]
    if scheme == "shm":
        raise StreamError(
            f"AFNI's sender asks for shared memory ({printable(first, 60)!r}); expected tcp:host:port. Give "
            "it a host (rtfeedme -host localhost)."
        )
    if scheme != "tcp" or not port.isascii() or not port.isdigit() or not 1024 <= int(port[:6]) <= 65535:
        raise StreamError(
            f"AFNI's sender asks for the data channel {printable(first, 60)!r}; expected tcp:host:port with "
            "a port from 1024 to 65535."
        )
    return int(port)


def end_of_run(image_bytes: int) -> bytes:
    """The image that ends a run, padded to its size (bytes)."""
    return (END_OF_RUN + b"\0").ljust(image_bytes, b"\0")[:image_bytes]


def image_of(volume: Volume) -> bytes:
    """A volume as `afni_commands.write_commands` announces it: float32, little-endian, x first."""
    return np.ascontiguousarray(volume.data.T, dtype="<f4").tobytes()
