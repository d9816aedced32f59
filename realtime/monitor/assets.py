"""The page's own files: read once at the start, served by name; no request names a path."""

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page.

    Parameters
    ----------
    kind : str
        Media type.
    content, packed : bytes
        As it is, and as gzip.
    tag : str
        Changes with the content.
    """

    kind: str
    content: bytes
    packed: bytes
    tag: str


def read_assets() -> dict[str, Asset]:
    """All files of the page, by name; those of `vendor` by theirs."""
    found: dict[str, Asset] = {}
    _collect(files("realtime.monitor") / "page", found)
    return found


def languages(assets: dict[str, Asset]) -> list[str]:
    """The languages whose words are there."""
    return sorted(name.split(".")[1] for name in assets if name.startswith("words."))


def _collect(folder: Traversable, found: dict[str, Asset]) -> None:
    for each in folder.iterdir():
        if each.is_dir():
            _collect(each, found)
            continue
        kind = KINDS.get("." + each.name.rpartition(".")[2])
        if kind is not None:
            content = each.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            found[each.name] = Asset(kind, content, gzip.compress(content, 9, mtime=0), tag)
