"""Damage that keeps a file's form whole and makes its content wrong: HDF5, MATLAB, SQLite."""

import io
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree as ET

import h5py
import numpy as np

from tools.fuzz.damage import EXTREMES, Random
from tools.fuzz.seeds import homer_variables, mat, xdf_chunk
from tools.fuzz.texts import VALUES, json_text, xml_text

_SHAPES = (
    (),
    (0,),
    (1,),
    (2,),
    (3,),
    (4,),
    (40,),
    (41,),
    (0, 4),
    (40, 0),
    (40, 4),
    (4, 40),
    (1, 1, 1),
    (2, 3),
)


def _array(random: Random) -> Any:
    """An array of a shape and type that is not expected; most are small."""
    shape = _SHAPES[int(random.integers(0, len(_SHAPES)))]
    match int(random.integers(0, 10)):
        case 0:
            return np.full(shape, np.nan)
        case 1:
            return np.full(shape, np.inf)
        case 2:
            return np.zeros(shape, dtype=complex)
        case 3:
            return np.full(shape, b"text")
        case 4:
            return np.zeros(shape, dtype=bool)
        case 5:
            return random.integers(-(2**63), 2**63 - 1, shape)
        case 6:
            return random.normal(size=shape) * 10.0 ** random.integers(-300, 300)
        case 7:
            return np.full(shape, 2**64 - 1, dtype=np.uint64)
        case _:
            return random.integers(-1, 4, shape).astype(
                str(random.choice(["f8", "f4", "i1", "u1", "f2", ">i4"]))
            )


MOST_WRITTEN = 10**6
"""Numbers put into a dataset; an earlier change may have let one claim a thousand times as many."""


def hdf5(content: bytes, random: Random) -> bytes:
    """An HDF5 file of which one to three objects were changed through the HDF5 library."""
    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        for _ in range(1 + int(random.integers(0, 3))):
            names: list[str] = []
            file.visit(names.append)
            if not names:
                break
            name = names[int(random.integers(0, len(names)))]
            other = names[int(random.integers(0, len(names)))]
            _change(file, name, other, random)
    return buffer.getvalue()


def _change(file: h5py.File, name: str, other: str, random: Random) -> None:
    kind = int(random.integers(0, 13))
    if kind == 0:  # a circle
        parent = file[name] if isinstance(file[name], h5py.Group) else file[name].parent
        parent[f"{random.choice(['data', 'stim', 'measurementList', 'probe', 'nirs'])}9"] = file["/"]
    elif kind == 1 and isinstance(file[name], h5py.Dataset) and file[name].size <= MOST_WRITTEN:
        # Other numbers in the same place.
        dataset = file[name]
        one = _array(random).ravel()
        with suppress(TypeError, ValueError, IndexError, OSError):  # a text takes no number
            dataset[...] = one[0] if random.random() < 0.5 else random.normal(size=dataset.shape)
    else:
        del file[name]
        _put(file, name, other, kind, random)


def _put(file: h5py.File, name: str, other: str, kind: int, random: Random) -> None:
    """Put something else where something stood."""
    match kind:
        case 2 | 3 | 4:
            file[name] = _array(random)
        case 5:
            text = str(VALUES[int(random.integers(0, len(VALUES)))])[:4000]
            text = json_text('{"a": 1}', random)[:200_000] if random.random() < 0.2 else text
            file[name] = text.replace("\x00", "").encode("utf-8", "surrogatepass")
        case 6:
            file.create_group(name)
        case 7:  # claims what no disk holds, and holds nothing
            size = int(random.choice([10**6, 10**9, 2**40]))
            shape = (size, 4) if random.random() < 0.5 else (size,)
            file.create_dataset(name, shape, "f8", chunks=(64, 4)[: len(shape)])
        case 8:  # a bomb: much of nothing, packed
            file.create_dataset(name, data=np.zeros((500_000, 4)), chunks=(5000, 4), compression=9)
        case 9:
            file[name] = h5py.SoftLink(str(random.choice(["/", f"/{name}", "/nowhere", f"/{other}"])))
        case 10:
            file[name] = h5py.ExternalLink(str(random.choice(["/dev/zero", "nowhere.h5"])), "/")
        case 11:
            file[name] = h5py.Empty("f8") if random.random() < 0.5 else np.array([("a", 1)], dtype="S1,i4")
        case _:
            pass  # it is gone


def matlab(content: bytes, random: Random) -> bytes:
    """A Homer file of which one to three variables have become something else."""
    variables = homer_variables()
    for _ in range(1 + int(random.integers(0, 3))):
        where = (
            variables["SD"] if random.random() < 0.6 and isinstance(variables.get("SD"), dict) else variables
        )
        if not where:
            break
        name = str(random.choice(sorted(where)))
        match int(random.integers(0, 6)):
            case 0:
                del where[name]
            case 1:
                where[name] = {"a": 1.0, "b": "x"}
            case 2:
                where[name] = np.array([1.0, "x", np.zeros((2, 2))], dtype=object)
            case 3:
                where[name] = str(random.choice(["", "mm", "cm", "x" * 5000]))
            case _:
                where[name] = _array(random)
    return mat(variables, compressed=bool(random.random() < 0.3))


def matlab_header(content: bytes, random: Random) -> bytes:
    """A MATLAB file without compression of which one tag or dimension claims something extreme."""
    out = bytearray(content)
    at = 128 + 8 * int(random.integers(0, max(1, (len(out) - 136) // 8))) + 4 * int(random.integers(0, 2))
    value = int(random.choice(np.array([*EXTREMES[:-2], *range(20), 1000, 10**6, 10**9], dtype=np.uint64)))
    out[at : at + 4] = struct.pack("<I", value)
    return bytes(out[: len(content)])


def sqlite(content: bytes, random: Random) -> bytes:
    """A journal of which one to three cells, rows or tables were changed through SQLite."""
    connection = sqlite3.connect(":memory:")
    connection.deserialize(content)
    for _ in range(1 + int(random.integers(0, 3))):
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        if not tables:
            break
        table = str(random.choice(tables))
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column = str(random.choice(columns))
        try:
            rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table}")]
            row = int(random.choice(rows)) if rows else 0
            match int(random.integers(0, 9)):
                case 0:
                    connection.execute(f"DROP TABLE {table}")
                case 1:
                    connection.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO other")
                case 2:
                    connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
                case 3:
                    setting = random.choice(["user_version", "application_id"])
                    connection.execute(f"PRAGMA {setting} = {random.integers(0, 5)}")
                case 4 | 5 if table == "entries":
                    (body,) = connection.execute(
                        "SELECT body FROM entries WHERE rowid = ?", (row,)
                    ).fetchone()
                    text = json_text(str(body), random).encode("utf-8", "replace").decode()
                    connection.execute("UPDATE entries SET body = ? WHERE rowid = ?", (text, row))
                case _:
                    value = VALUES[int(random.integers(0, len(VALUES)))]
                    if isinstance(value, list | dict) or random.random() < 0.2:
                        value = random.bytes(int(random.choice([0, 1, 7, 8, 80, 160, 1000])))
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
        except (sqlite3.Error, OverflowError, UnicodeError, ValueError, TypeError):
            continue  # SQLite refuses to hold it: left as it was
    connection.commit()
    return connection.serialize()


def xdf(content: bytes, random: Random) -> bytes:
    """An XDF file of which a chunk's content was changed and its length made to fit."""
    chunks = list(xdf_chunks(content))
    for _ in range(1 + int(random.integers(0, 2))):
        at = int(random.integers(0, len(chunks)))
        tag, body = chunks[at]
        match int(random.integers(0, 7)):
            case 0:
                del chunks[at]
            case 1:
                chunks.insert(int(random.integers(0, len(chunks))), chunks[at])
            case 2:
                chunks[at] = int(random.integers(0, 8)), body
            case 3 if tag == 3:  # claims samples that are not there
                claimed = int(random.choice([0, 1, 200, 2**20, 2**28, 2**31, 2**32 - 1]))
                chunks[at] = tag, body[:4] + b"\x04" + struct.pack("<I", claimed) + body[6:]
            case 4 if tag in (3, 4):
                chunks[at] = tag, struct.pack("<I", int(random.integers(0, 6))) + body[4:]
            case _ if tag in (1, 2, 6):
                start = 0 if tag == 1 else 4
                try:
                    text = xml_text(body[start:].decode(), random).encode("utf-8", "surrogatepass")
                except (UnicodeDecodeError, ET.ParseError):  # damaged before
                    text = body[start:] + random.bytes(4)
                chunks[at] = tag, body[:start] + text
            case _:
                place = int(random.integers(0, len(body)))
                chunks[at] = tag, body[:place] + random.bytes(4) + body[place + int(random.integers(0, 8)) :]
        if not chunks:
            break
    return b"XDF:" + b"".join(xdf_chunk(tag, body) for tag, body in chunks)


def xdf_chunks(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents of the chunks of a whole XDF file of ours."""
    at = 4
    while at < len(content):
        width = content[at]
        length = int.from_bytes(content[at + 1 : at + 1 + width], "little")
        at += 1 + width
        yield int.from_bytes(content[at : at + 2], "little"), content[at + 2 : at + length]
        at += length
