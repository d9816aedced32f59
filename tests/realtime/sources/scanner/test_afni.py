"""AFNI's realtime protocol, both directions: bytes written by hand from its documentation, and real sockets.

The senders of these tests share no code with the package: they write what ``README.realtime`` and
``lib_realtime.py`` of AFNI describe.
"""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import StreamError
from realtime.sources.scanner.afni import RegionSender, receive_regions, receive_volumes, send_volumes
from realtime.sources.scanner.afni_commands import read_commands, write_commands
from realtime.sources.scanner.afni_regions import AfniRegions, motion_for_afni, motion_in_si
from realtime.sources.scanner.afni_volumes import AfniVolumes, read_control
from realtime.volumes.volume import Volume, VoxelGrid

SHAPE = (4, 3, 2)
COMMANDS = b"""ACQUISITION_TYPE 3D+t
TR 2.0
XYFOV 12.0 9.0 8.0
XYMATRIX 4 3 2
DATUM short
BYTEORDER LSB_FIRST
XYZAXES R-L A-P I-S
XYZFIRST 10.0R 20.0A 30.0I
NOTE made by hand
DRIVE_AFNI OPEN_WINDOW axialimage
\0"""
MARKER = b"Et Earello Endorenna utulien!!"


def image(number: int) -> np.ndarray:
    return np.arange(24, dtype=np.int16).reshape(SHAPE, order="F") + 100 * number


def wire(number: int) -> bytes:
    return image(number).tobytes(order="F")


def drive(data: bytes, sizes: list[int]) -> list[Volume]:
    volumes, found, at = AfniVolumes(), [], 0
    while at < len(data):
        size = sizes[len(found) % len(sizes)] if sizes else len(data)
        found_here = volumes.take(data[at : at + size], 5.0)
        found += found_here
        at += size
    return found


@given(sizes=st.lists(st.integers(1, 200), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_however_the_bytes_are_cut_the_volumes_are_the_same(sizes: list[int]) -> None:
    marker = MARKER + bytes(48 - len(MARKER))
    data = COMMANDS + wire(1) + wire(2) + marker + COMMANDS.replace(b"4 3 2", b"4 3 2") + wire(3)
    found = drive(data, sizes)
    assert [volume.number for volume in found] == [1, 2, 1]
    assert [volume.series for volume in found] == ["afni 1", "afni 1", "afni 2"]
    for volume, number in zip(found, (1, 2, 3), strict=True):
        np.testing.assert_array_equal(volume.data, image(number))
        assert (volume.tr, volume.acquired, volume.arrived) == (2.0, None, 5.0)


def test_axes_and_first_voxel_are_where_afni_says() -> None:
    header = read_commands(COMMANDS[:-1].decode())
    # From the right, 10 mm right of the middle, leftwards; from the front backwards; from below upwards.
    expected = [[-3, 0, 0, 10], [0, -3, 0, 20], [0, 0, 4, -30], [0, 0, 0, 1]]
    np.testing.assert_array_equal(header.grid.affine_mm, expected)
    assert nibabel.aff2axcodes(header.grid.affine_mm) == ("L", "P", "S")


def test_without_a_first_voxel_the_volume_lies_around_the_middle() -> None:
    text = COMMANDS[:-1].decode().replace("XYZFIRST 10.0R 20.0A 30.0I\n", "")
    affine = read_commands(text).grid.affine_mm
    np.testing.assert_allclose(affine @ [1.5, 1.0, 0.5, 1.0], [0, 0, 0, 1])


def test_a_position_without_a_side_is_meant_from_where_the_voxels_begin() -> None:
    text = COMMANDS[:-1].decode().replace("10.0R 20.0A 30.0I", "10.0 20.0 -30.0")
    np.testing.assert_array_equal(read_commands(text).grid.affine_mm[:3, 3], [10, 20, 30])


def test_slices_come_in_afni_s_order_and_byte_order() -> None:
    text = b"XYMATRIX 2 2\nZNUM 5\nXYFOV 4 0\nZDELTA 3\nXYZAXES RL AP IS\nBYTEORDER MSB_FIRST\n\0"
    slices = [
        np.full(4, number, dtype=">i2").tobytes() for number in (1, 3, 5, 2, 4)
    ]  # alternating, by default
    (volume,) = drive(text + b"".join(slices), [7])
    assert volume.data[0, 0].tolist() == [1, 2, 3, 4, 5]
    assert volume.tr is None
    (volume,) = drive(text.replace(b"\0", b"ZORDER seq\n\0") + b"".join(slices), [])
    assert volume.data[0, 0].tolist() == [1, 3, 5, 2, 4]


@given(
    order=st.permutations([0, 1, 2]),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3),
    turn=st.sampled_from([0.0, 0.3]),
    at=st.lists(st.floats(-99, 99), min_size=3, max_size=3),
)
@settings(max_examples=50, deadline=None)
def test_a_grid_that_is_written_is_read_as_it_was(
    order: list[int], signs: list[float], turn: float, at: list[float]
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[:, order] * signs) @ np.diag([3.0, 2.5, 4.0])
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    affine[:3, :3] = turned @ affine[:3, :3]
    affine[:3, 3] = at
    grid = VoxelGrid(SHAPE, affine)
    header = read_commands(write_commands(grid, 1.5, name="run").rstrip(b"\0").decode())
    assert header.grid.same_as(grid)
    assert (header.tr, header.name, header.by_slice, header.dtype) == (1.5, "run", False, np.dtype("<f4"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"4 3 2", b"4 3", "ZNUM is ''"),
        (b"4 3 2", b"4000 4000 4000", "voxels or fewer"),
        (b"4 3 2", b"4 3 0", "voxels"),
        (b"4 3 2", b"four 3 2", "XYMATRIX is 'four 3 2'"),
        (b"short", b"complex", "DATUM is 'complex'"),
        (b"LSB_FIRST", b"PDP", "BYTEORDER is 'PDP'"),
        (b"3D+t", b"4D", "ACQUISITION_TYPE is '4d'"),
        (b"TR 2.0", b"TR -2.0", "TR is -2"),
        (b"TR 2.0", b"TR nan", "TR is 'nan'"),
        (b"R-L A-P I-S", b"R-L L-R I-S", "describe no grid|XYZFIRST has"),
        (b"R-L A-P I-S", b"up down left", "XYZAXES is"),
        (b"10.0R", b"10.0S", "XYZFIRST has '10.0S'"),
        (b"10.0R", b"e", "XYZFIRST has 'e'"),
        (b"12.0 9.0 8.0", b"0 0 0", "describe no grid"),
        (b"NOTE", b"NUM_CHAN 2\nNOTE", "NUM_CHAN is 2"),
    ],
)
def test_what_is_wrong_with_commands_is_named(old: bytes, new: bytes, message: str) -> None:
    with pytest.raises(StreamError, match=message):
        AfniVolumes().take(COMMANDS.replace(old, new), 0.0)


def test_commands_that_never_end_are_refused_and_nothing_piles_up() -> None:
    volumes = AfniVolumes()
    with pytest.raises(StreamError, match="do not end within 32768 bytes"):
        volumes.take(b"x" * 100_000, 0.0)
    volumes = AfniVolumes()
    volumes.take(COMMANDS, 0.0)
    for number in range(300):
        volumes.take(wire(number), 0.0)
    assert len(volumes._bytes) == 0
    assert volumes._slices == []


@pytest.mark.parametrize(
    "text", [b"tcp:localhost:7953\0", b"tcp:10.0.0.9:7953\n3T_toafni\n\0", b"tcp:x:7953"]
)
def test_a_control_string_names_the_data_port_and_runs_nothing(text: bytes) -> None:
    assert read_control(text) == 7953


@pytest.mark.parametrize(
    "text",
    [b"", b"shm:afni:1M", b"tcp:a:80", b"tcp:a:99999", b"tcp:a:7953x", b"udp:a:7953", b"\xff" * 2000],
)
def test_any_other_control_string_is_refused(text: bytes) -> None:
    with pytest.raises(StreamError, match=r"expected tcp:host:port"):
        read_control(text)


# ------------------------------------------------------------------ regions


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


MOTION = (0.5, -0.25, 0.125, 1.0, -1.0, 0.0)


@pytest.mark.parametrize(
    ("hello", "n_values", "n_voxels"),
    [
        (b"\xab\xcd\xef\xab", 0, 0),
        (b"\xab\xcd\xef\xac" + struct.pack("<i", 3), 3, 0),
        (b"\xab\xcd\xef\xad" + struct.pack("<i", 2), 16, 0),
        (b"\xab\xcd\xef\xae" + struct.pack("<i", 4), 4, 0),
        (b"\xab\xcd\xef\xaf" + struct.pack("<ii", 2, 5), 2, 5),
    ],
)
@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_every_version_of_region_values_is_read(hello: bytes, n_values: int, n_voxels: int, cut: int) -> None:
    extras = [float(i) for i in range(n_values + n_voxels)]
    data = hello + 2 * floats(*MOTION, *extras) + b"\xde\xad\xde\xad" + floats(*MOTION)
    records, found = AfniRegions(), []
    for at in range(0, len(data), cut):
        found += records.take(data[at : at + cut])
    assert records.ended
    assert len(found) == 2
    for each in found:
        assert each.motion.tolist() == list(MOTION)
        assert [*each.values, *each.voxels] == extras
        assert len(each.voxels) == n_voxels


@pytest.mark.parametrize(
    "data",
    [b"\xab\xcd\xef\xb0", b"GET / HT", b"\xab\xcd\xef\xac" + struct.pack("<i", -1),
     b"\xab\xcd\xef\xaf" + struct.pack("<ii", 1 << 20, 1), b"\xab\xcd\xef\xad" + struct.pack("<i", 1 << 30)],
)  # fmt: skip
def test_another_hello_is_refused(data: bytes) -> None:
    with pytest.raises(StreamError, match="expected"):
        AfniRegions().take(data)


def test_motion_is_brought_into_si_units_and_back() -> None:
    assert motion_in_si((1.0, 2.0, 3.0, 180.0, 0.0, -90.0)) == pytest.approx(
        (1e-3, 2e-3, 3e-3, np.pi, 0.0, -np.pi / 2)
    )
    assert motion_for_afni(motion_in_si(MOTION)) == pytest.approx(MOTION)


# ------------------------------------------------------------------ sockets


class Running:
    """A receiver in a thread of its own, until stopped."""

    def __init__(self, receive, **more) -> None:
        self.found: list = []
        self.reports: list[str] = []
        self._stop = threading.Event()
        self._ready = threading.Event()
        self.port = 0

        def run() -> None:
            for each in receive(
                self._stop.is_set, port=0, report=self.reports.append, ready=self._began, **more
            ):
                self.found.append(each)

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert self._ready.wait(20)

    def _began(self, port: int) -> None:
        self.port = port
        self._ready.set()

    def until(self, condition) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, (len(self.found), self.reports)
            time.sleep(0.01)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def volumes_receiver() -> Iterator[Running]:
    running = Running(receive_volumes, clock=lambda: 7.0)
    yield running
    running.stop()


@pytest.fixture
def regions_receiver() -> Iterator[Running]:
    running = Running(receive_regions)
    yield running
    running.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connect(port: int) -> socket.socket:
    end = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 20)
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_sender_as_afni_describes_it_is_received_and_so_is_the_next(volumes_receiver: Running) -> None:
    for run in range(2):
        port = free_port()
        with connect(volumes_receiver.port) as control:
            control.sendall(f"tcp:localhost:{port}\0".encode())
        with connect(port) as channel:
            channel.sendall(COMMANDS)
            for number in (1, 2, 3):
                channel.sendall(wire(number))
        volumes_receiver.until(lambda run=run: len(volumes_receiver.found) == 3 * (run + 1))
    assert [volume.series for volume in volumes_receiver.found] == ["afni 1 1"] * 3 + ["afni 2 1"] * 3
    assert volumes_receiver.reports == []


def test_a_bad_sender_is_reported_and_the_next_is_heard(volumes_receiver: Running) -> None:
    with connect(volumes_receiver.port) as control:
        control.sendall(b"GET / HTTP/1.1\r\n\r\n\0")
    volumes_receiver.until(lambda: len(volumes_receiver.reports) == 1)
    port = free_port()
    with connect(volumes_receiver.port) as control:
        control.sendall(f"tcp:localhost:{port}".encode())
    with connect(port) as channel:
        channel.sendall(COMMANDS.replace(b"short", b"rgb"))
        volumes_receiver.until(lambda: len(volumes_receiver.reports) == 2)
    assert "DATUM is 'rgb'" in volumes_receiver.reports[1]
    grid = VoxelGrid(SHAPE, np.diag([3.0, 3.0, 4.0, 1.0]))
    sent = [Volume(image(i).astype(np.float32), grid, "s", i, 2.0, None, 0.0) for i in (1, 2)]
    assert send_volumes(iter(sent), 2.0, port=volumes_receiver.port, data_port=free_port(), name="ours") == 2
    volumes_receiver.until(lambda: len(volumes_receiver.found) == 2)
    for ours, found in zip(sent, volumes_receiver.found, strict=True):
        np.testing.assert_array_equal(found.data, ours.data)
        assert found.grid.same_as(grid)
        assert (found.series, found.tr, found.arrived) == ("ours 1", 2.0, 7.0)


def test_region_values_go_over_and_come_back(regions_receiver: Running) -> None:
    for _ in range(2):
        sender = RegionSender(2, port=regions_receiver.port)
        sender.send(MOTION, (1000.5, -2.0))
        with pytest.raises(StreamError, match="expected 6 and 2"):
            sender.send(MOTION, (1.0,))
        sender.close()
    regions_receiver.until(lambda: len(regions_receiver.found) == 2)
    assert [found.values.tolist() for found in regions_receiver.found] == [[1000.5, -2.0]] * 2
    assert regions_receiver.found[0].motion.tolist() == list(MOTION)


def test_our_region_sender_writes_the_bytes_that_afni_s_receiver_reads() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = RegionSender(1, port=server.getsockname()[1])
        sender.send(MOTION, (3.0,))
        sender.close()
        connection, _ = server.accept()
        with connection:
            data = b"".join(iter(lambda: connection.recv(1000), b""))
    assert data == b"\xab\xcd\xef\xac\x01\0\0\0" + floats(*MOTION, 3.0) + b"\xde\xad\xde\xad"


def test_nobody_there_is_an_error_that_says_so() -> None:
    with pytest.raises(StreamError, match="does not answer"):
        RegionSender(1, port=free_port())
    grid = VoxelGrid(SHAPE, np.eye(4))
    with pytest.raises(StreamError, match="expected one that listens"):
        send_volumes(
            iter([Volume(image(1).astype(np.float32), grid, "s", 1, 2.0, None, 0.0)]), 2.0, port=free_port()
        )
