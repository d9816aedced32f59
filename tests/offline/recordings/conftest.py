"""Files of formats that no library here writes."""

import gzip
import struct
from xml.etree import ElementTree as ET

import numpy as np
import pytest

_TYPES = {"double64": "<f8", "float32": "<f4", "int32": "<i4"}


def _varlen(n):
    return b"\x04" + struct.pack("<I", n)


def _chunk(tag, content):
    return _varlen(len(content) + 2) + struct.pack("<H", tag) + content


@pytest.fixture
def write_xdf():
    """Write an XDF file.

    A stream is a mapping: name, type, values (rows of numbers or of texts), times, and optionally
    rate, format, source_id, uid, desc (Element), clock (pairs of time and offset).
    """

    def write(path, streams, opened="2026-01-02T03:04:05+0100"):
        out = [b"XDF:"]
        header = f"<?xml version='1.0'?><info><version>1.0</version><datetime>{opened}</datetime></info>"
        out.append(_chunk(1, header.encode()))
        for number, stream in enumerate(streams, start=1):
            values = stream["values"]
            text = bool(len(values)) and isinstance(values[0][0], str)
            count = stream.get("count") or (len(values[0]) if len(values) else 1)
            form = stream.get("format") or ("string" if text else "double64")
            info = ET.Element("info")
            for tag, said in {
                "name": stream["name"],
                "type": stream["type"],
                "channel_count": str(count),
                "nominal_srate": repr(stream.get("rate", 0.0)),
                "channel_format": form,
                "source_id": stream.get("source_id", ""),
                "uid": stream.get("uid", f"uid-{number}"),
            }.items():
                ET.SubElement(info, tag).text = said
            info.append(stream.get("desc") if stream.get("desc") is not None else ET.Element("desc"))
            sid = struct.pack("<I", number)
            out.append(_chunk(2, sid + ET.tostring(info)))
            for at, offset in stream.get("clock", ()):
                out.append(_chunk(4, sid + struct.pack("<dd", at, offset)))
            for time, row in zip(stream["times"], values, strict=True):
                sample = b"\x08" + struct.pack("<d", time)
                if text:
                    sample += b"".join(_varlen(len(v.encode())) + v.encode() for v in row)
                else:
                    sample += np.asarray(row, _TYPES[form]).tobytes()
                out.append(_chunk(3, sid + _varlen(1) + sample))
            footer = f"<info><sample_count>{len(values)}</sample_count></info>"
            out.append(_chunk(6, sid + footer.encode()))
        content = b"".join(out)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return write
