"""AFNI's realtime protocol over TCP: receive volumes and send region values, and the reverse.

AFNI's own programs are on the other side: ``Dimon`` and ``rtfeedme`` send volumes to port 7954,
``realtime_receiver.py`` listens for motion and region values on port 53214.  Everything listens on this
machine alone unless told otherwise; a sender may begin at any time, and be followed by another.
"""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress

from models.errors import StreamError
from realtime.sources.scanner.afni_commands import write_commands
from realtime.sources.scanner.afni_regions import BYE, AfniRecord, AfniRegions, hello, record
from realtime.sources.scanner.afni_volumes import (
    LONGEST_CONTROL,
    AfniVolumes,
    end_of_run,
    image_of,
    read_control,
)
from realtime.volumes.volume import Volume

CONTROL_PORT = 7954
DATA_PORT = 7953
REGIONS_PORT = 53214
LOOPBACK = "127.0.0.1"
TICK_S = 0.1
"""How often it is asked whether to stop, s."""
HANDSHAKE_S = 10.0
"""A sender that has not named its data channel, or not opened it by then, is left, s."""
PIECE = 2**20


def receive_volumes(
    stop: Callable[[], bool],
    *,
    host: str = LOOPBACK,
    port: int = CONTROL_PORT,
    clock: Callable[[], float],
    report: Callable[[str], None],
    ready: Callable[[int], None] = lambda _: None,
) -> Iterator[Volume]:
    """Volumes of one sender after another, until told to stop.

    What a sender does wrong is reported, ends its channel and nothing else.

    Parameters
    ----------
    stop : callable
        Whether to end.
    host : str
        Address to listen at.
    port : int
        Of control channels; 0 takes any that is free.
    clock : callable
        Local time, s.
    report : callable of str
        Takes what a sender did wrong.
    ready : callable of int
        Takes the port when senders may come.

    Raises
    ------
    StreamError
        The port cannot be listened at.
    """
    with _listening(host, port) as control:
        ready(control.getsockname()[1])
        count = 0
        while (peer := _accepted(control, stop)) is not None:
            connection, address = peer
            with closing(connection):
                try:
                    data_port = read_control(_control_string(connection, stop))
                    channel = _data_channel(host, data_port, address, stop)
                except StreamError as error:
                    report(str(error))
                    continue
            if channel is None:
                return
            count += 1
            with closing(channel):
                volumes = AfniVolumes(f"afni {count}")
                try:
                    for data in _pieces(channel, stop):
                        yield from volumes.take(data, clock())
                except StreamError as error:
                    report(str(error))


def receive_regions(
    stop: Callable[[], bool],
    *,
    host: str = LOOPBACK,
    port: int = REGIONS_PORT,
    report: Callable[[str], None],
    ready: Callable[[int], None] = lambda _: None,
) -> Iterator[AfniRecord]:
    """Motion and region values that AFNI's plugin sends, of one run after another.

    Parameters and errors are those of `receive_volumes`.
    """
    with _listening(host, port) as server:
        ready(server.getsockname()[1])
        while (peer := _accepted(server, stop)) is not None:
            connection, _ = peer
            with closing(connection):
                records = AfniRegions()
                try:
                    for data in _pieces(connection, stop):
                        yield from records.take(data)
                        if records.ended:
                            break
                except StreamError as error:
                    report(str(error))


def send_volumes(
    volumes: Iterator[Volume],
    tr: float,
    *,
    host: str = LOOPBACK,
    port: int = CONTROL_PORT,
    data_port: int = DATA_PORT,
    name: str = "",
) -> int:
    """Send volumes of one grid as AFNI's own senders do; gives how many.

    Parameters
    ----------
    volumes : iterator of Volume
        Sent as they come.
    tr : float
        Repetition time, s.
    host, port : str, int
        Where AFNI (or `receive_volumes`) listens.
    data_port : int
        Which port the receiver is to listen at for the data.
    name : str
        Of the data set.

    Raises
    ------
    StreamError
        It could not be sent, or a volume is of another grid.
    """
    first = next(volumes, None)
    if first is None:
        return 0
    sent = 0
    try:
        with socket.create_connection((host, port), HANDSHAKE_S) as control:
            control.sendall(f"tcp:{host}:{data_port}".encode() + b"\0")
        with _connected(host, data_port) as channel:
            channel.sendall(write_commands(first.grid, tr, name=name))
            image = image_of(first)
            volume: Volume | None = first
            while volume is not None:
                if not volume.grid.same_as(first.grid):
                    raise StreamError(
                        f"Volume {volume.number} has another grid than the first; expected one grid a run."
                    )
                channel.sendall(image_of(volume))
                sent += 1
                volume = next(volumes, None)
            channel.sendall(end_of_run(len(image)))
    except OSError as error:
        raise StreamError(
            f"AFNI's receiver at {host}, port {port}, took {sent} volumes and no more ({error}); expected "
            "one that listens, and stays."
        ) from error
    return sent


class RegionSender:
    """Sends motion and region values to AFNI's ``realtime_receiver.py``, or to `receive_regions`.

    Parameters
    ----------
    n_values : int
        Region values of each volume.
    host, port : str, int
        Where the receiver listens.

    Raises
    ------
    StreamError
        It does not.
    """

    def __init__(self, n_values: int, *, host: str = LOOPBACK, port: int = REGIONS_PORT) -> None:
        self._to = f"AFNI's receiver of region values at {host}, port {port}"
        self._n = n_values
        try:
            self._socket = socket.create_connection((host, port), HANDSHAKE_S)
            self._socket.sendall(hello(n_values))
        except OSError as error:
            raise StreamError(f"{self._to} does not answer ({error}); start it first.") from error

    def send(self, motion: Sequence[float], values: Sequence[float]) -> None:
        """Send one volume: six numbers of motion as AFNI has them, then the regions.

        Raises
        ------
        StreamError
            The receiver has gone, or there are more or fewer values than announced.
        """
        if len(motion) != 6 or len(values) != self._n:
            raise StreamError(
                f"A record has {len(motion)} numbers of motion and {len(values)} values; expected 6 and "
                f"{self._n}."
            )
        try:
            self._socket.sendall(record(motion, values))
        except OSError as error:
            raise StreamError(f"{self._to} has gone ({error}).") from error

    def close(self) -> None:
        """Say bye."""
        with suppress(OSError):
            self._socket.sendall(BYE)
        self._socket.close()


# ------------------------------------------------------------------ sockets


def _listening(host: str, port: int) -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen(1)
    except (OSError, OverflowError) as error:
        server.close()
        raise StreamError(
            f"AFNI's protocol: {host}, port {port}, cannot be listened at ({error}); expected a free port of "
            "this machine. Is AFNI itself running here?"
        ) from error
    server.settimeout(TICK_S)
    return server


def _accepted(
    server: socket.socket, stop: Callable[[], bool], until: float | None = None
) -> tuple[socket.socket, str] | None:
    """The next connection, and from where; None where it is to stop, or none came in time."""
    while not stop() and (until is None or time.monotonic() < until):
        try:
            connection, address = server.accept()
        except TimeoutError:
            continue
        connection.settimeout(TICK_S)
        return connection, str(address[0])
    return None


def _control_string(connection: socket.socket, stop: Callable[[], bool]) -> bytes:
    """All of it: up to a NUL byte, the end of the connection, or what is too long."""
    found = b""
    until = time.monotonic() + HANDSHAKE_S
    for data in _pieces(connection, lambda: stop() or time.monotonic() > until):
        found += data
        if b"\0" in found or len(found) >= LONGEST_CONTROL:
            break
    return found


def _data_channel(host: str, port: int, sender: str, stop: Callable[[], bool]) -> socket.socket | None:
    """The data channel that a sender has named; None where it is to stop.

    Raises
    ------
    StreamError
        The sender did not open it, or another machine did.
    """
    with _listening(host, port) as server:
        peer = _accepted(server, stop, time.monotonic() + HANDSHAKE_S)
    if peer is None:
        if stop():
            return None
        raise StreamError(
            f"AFNI's sender named the data channel port {port} and did not open it within {HANDSHAKE_S:g} s."
        )
    channel, address = peer
    if address != sender:
        channel.close()
        raise StreamError(f"The data channel of {sender} was opened by {address}; expected the same machine.")
    return channel


def _pieces(connection: socket.socket, stop: Callable[[], bool]) -> Iterator[bytes]:
    """What comes, until the connection ends or it is to stop."""
    while not stop():
        try:
            data = connection.recv(PIECE)
        except TimeoutError:
            continue
        except OSError:  # reset by the sender: the same as its end
            return
        if not data:
            return
        yield data


def _connected(host: str, port: int) -> socket.socket:
    """The receiver begins to listen only once it has read the control channel."""
    until = time.monotonic() + HANDSHAKE_S
    while True:
        try:
            return socket.create_connection((host, port), HANDSHAKE_S)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
