"""JSON files that a person can read, without numbers that JSON does not have."""

import json
from pathlib import Path
from typing import Any

from models.errors import HemostreamError
from models.files.private import write_private
from models.files.regular_file import read_regular


def write_json(path: Path, values: Any) -> None:
    """Write JSON, for this user only."""
    write_private(path, json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path, absent: str, again: str) -> Any:
    """Read JSON.

    ``absent`` is what to say where it is not there, ``again`` what to do where it cannot be read.

    Raises
    ------
    HemostreamError
        It is not there, cannot be read, or is no JSON.
    """
    try:
        return json.loads(read_regular(path).decode("utf-8"))
    except FileNotFoundError as error:
        raise HemostreamError(f"{path.parent} holds no {path.name}: {absent}") from error
    except OSError as error:
        raise HemostreamError(f"{path} cannot be read: {error.strerror}. {again}") from error
    except ValueError as error:
        raise HemostreamError(f"{path} is no JSON ({error}). {again}") from error
