"""The whole chunks of an XDF file, so that what is not whole never reaches the parser.

pyxdf makes room for as many samples as a chunk says it has before it looks for them, and goes on
reading wherever a chunk that is not what it says happened to end.  Four wrong bytes can so fill
any memory.  Here every chunk is held against its own length first; what does not fit is left out
and reported, and reading goes on with the next chunk that is whole (pyxdf's own search goes on at the next
boundary, which LabRecorder writes once in ten seconds, and others never do).
"""

import gzip
import io
import re
import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

from models.errors import RecordingError
from offline.recordings.checks import FREE, MOST_PACKED

MAGIC = b"XDF:"
BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
"""What a boundary chunk holds (XDF specification)."""
HEADER, STREAM, SAMPLES, CLOCK, FOOTER = 1, 2, 3, 4, 6
"""Tags of the chunks that are read."""
ALL_TAGS = range(1, 7)
MOST_TRIED = 1000
"""So many beginnings of chunks are tried behind a damaged place; a recorder's first or second is one."""
_WIDTHS = {"double64": 8, "float32": 4, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "string": 0}
"""Bytes of a value; texts have a length each."""


def content_of(path: Path) -> bytes:
    """A file's bytes, or what is compressed in it; a RecordingError where that is more than can be."""
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    most = FREE + MOST_PACKED * len(content)
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        unpacked = file.read(most + 1)
    if len(unpacked) > most:
        raise RecordingError(
            f"{path} holds more than {MOST_PACKED} times its {len(content)} bytes; no recording packs so "
            "well. If it is one, unpack it first."
        )
    return unpacked


class Chunks(NamedTuple):
    """What a file holds: its content but for what is not whole, what that was, and how many bytes of it.

    ``compared_after`` says, by the number of a stream, how many of its samples were written before each
    comparison of its clock.
    """

    content: bytes
    damage: Sequence[str] = ()
    lost: int = 0
    compared_after: Mapping[int, list[int]] = {}


class _Chunk(NamedTuple):
    """Where a chunk ends, whether it is one of those that are read, of which stream, and its samples."""

    end: int
    is_read: bool
    tag: int
    stream: int = -1
    samples: int = 0


class _NotWholeError(Exception):
    """A chunk is not what it says."""


def whole_chunks(content: bytes) -> Chunks:
    """Leave out what is not whole of an XDF file, uncompressed."""
    if not content.startswith(MAGIC):
        return Chunks(content)
    kept: list[bytes | memoryview] = [MAGIC]
    damage: list[str] = []
    streams: dict[int, tuple[int, int]] = {}
    written: dict[int, int] = defaultdict(int)
    compared_after: dict[int, list[int]] = defaultdict(list)
    at, lost = len(MAGIC), 0
    view = memoryview(content)
    while at < len(content):
        try:
            chunk = _chunk(content, at, streams)
        except _NotWholeError as error:
            damage.append(f"at byte {at} {error}")
            following = _next_chunk(content, at + 1, streams)
            lost += following - at
            at = following
            continue
        if chunk.is_read:
            kept.append(view[at : chunk.end])
            if chunk.tag == CLOCK:
                compared_after[chunk.stream].append(written[chunk.stream])
            written[chunk.stream] += chunk.samples
        at = chunk.end
    return Chunks(b"".join(kept), damage, lost, compared_after)


def _next_chunk(content: bytes, at: int, streams: dict[int, tuple[int, int]]) -> int:
    """Where the next chunk begins that is one without doubt; the end of the content where none does.

    A length, a tag and a stream that is known (or a boundary, or a header) stand together
    by chance once in many thousand millions of bytes; and the chunk must be whole as well.
    """
    known = b"|".join(re.escape(struct.pack("<I", stream)) for stream in streams)
    tagged = [rb"\x01\x00\s*<", rb"\x02\x00.{4}\s*<", rb"\x05\x00" + re.escape(BOUNDARY)]
    if known:
        tagged.append(rb"[\x03\x04\x06]\x00(?:" + known + b")")
    pattern = re.compile(rb"(?:\x01.|\x04.{4}|\x08.{8})(?=" + b"|".join(tagged) + b")", re.DOTALL)
    for _ in range(MOST_TRIED):
        found = pattern.search(content, at)
        if found is None:
            break
        try:
            _chunk(content, found.start(), dict(streams))
        except _NotWholeError:
            at = found.start() + 1
        else:
            return found.start()
    return len(content)


def _chunk(content: bytes, at: int, streams: dict[int, tuple[int, int]]) -> _Chunk:
    """The chunk that begins there; what the samples of a new stream are is kept."""
    length, body = _varied(content, at, len(content))
    end = body + length
    if length < 2 or end > len(content):
        raise _NotWholeError(f"a chunk claims {length} bytes, {len(content) - body} are there")
    (tag,) = struct.unpack_from("<H", content, body)
    if tag not in ALL_TAGS:
        raise _NotWholeError(f"a chunk has the unknown tag {tag}")
    if tag not in (STREAM, SAMPLES, CLOCK, FOOTER):
        return _Chunk(end, tag == HEADER, tag)
    if length < 6:
        raise _NotWholeError("a chunk is too short to name its stream")
    (stream,) = struct.unpack_from("<I", content, body + 2)
    if tag == STREAM:
        streams[stream] = _form(content[body + 6 : end])
    elif stream not in streams:
        raise _NotWholeError(f"a chunk belongs to stream {stream}, which has no header")
    elif tag == CLOCK and length != 22:
        raise _NotWholeError(f"a clock offset has {length} bytes; expected 22")
    samples = _samples(content, body + 6, end, *streams[stream]) if tag == SAMPLES else 0
    return _Chunk(end, tag != SAMPLES or samples > 0, tag, stream, samples)


def _form(xml: bytes) -> tuple[int, int]:
    """Values of a sample and bytes of a value; -1 where it cannot be known (the parser will refuse it)."""
    try:
        info = ET.fromstring(xml.decode("utf-8", "replace"))
        return int(info.findtext("channel_count", "")), _WIDTHS[info.findtext("channel_format", "")]
    except (ET.ParseError, ValueError, KeyError):
        return -1, -1


def _samples(content: bytes, at: int, end: int, count: int, width: int) -> int:
    """How many samples a chunk has; all of them must be there."""
    claimed, at = _varied(content, at, end)
    room = end - at
    least = 1 + count * (width or 2)
    if count < 0 or claimed * least > room:
        raise _NotWholeError(f"a chunk claims {claimed} samples of {count} channels in {room} bytes")
    if claimed and not (width and _alike(content, at, end, claimed, count * width)):
        for _ in range(claimed):
            at += 9 if content[at : at + 1] != b"\0" else 1
            if width:
                at += count * width
            else:
                for _ in range(count):
                    length, at = _varied(content, at, end)
                    at += length
            if at > end:
                break
        if at != end:
            raise _NotWholeError(f"{claimed} samples do not fill their chunk of {room} bytes")
    return claimed


def _alike(content: bytes, at: int, end: int, claimed: int, width: int) -> bool:
    """Whether all samples have stamps, or none has: what nearly every chunk is, and quickly seen."""
    for stride, stamped in ((9 + width, True), (1 + width, False)):
        if end - at == claimed * stride:
            flags = np.frombuffer(content, np.uint8, end - at, at)[::stride]
            if bool(np.all((flags != 0) == stamped)):
                return True
    return False


def _varied(content: bytes, at: int, end: int) -> tuple[int, int]:
    """A whole number that says first how wide it is, and where it ends."""
    width = content[at] if at < end else 0
    if width not in (1, 4, 8) or at + 1 + width > end:
        raise _NotWholeError("a length is no length")
    return int.from_bytes(content[at + 1 : at + 1 + width], "little"), at + 1 + width
