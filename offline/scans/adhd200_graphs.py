"""Graphs in the text format of the TU collection (Morris et al. 2020, arXiv:2007.08663), one zip a site.

Nodes of all graphs are numbered through; a node's label is its region.  Edges have no weight and stand there
in both directions.
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecordingError

N_REGIONS = 190
MOST_BYTES = 50_000_000
"""No part of a zip may unpack to more."""


def read_graph_file(path: Path) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Which pairs of regions are joined, graph by graph.

    Parameters
    ----------
    path : Path
        A zip with ``NAME_A.txt``, ``NAME_graph_indicator.txt``, ``NAME_graph_labels.txt`` and
        ``NAME_node_labels.txt``.

    Returns
    -------
    X : (n_graphs, N_REGIONS * (N_REGIONS - 1) / 2) float64
        1 where a pair is joined, in the order of `offline.scans.square.pair_names`.
    labels : (n_graphs,) int64
        As distributed.
    """
    edges = _numbers(path, "A", 2)
    graph = _numbers(path, "graph_indicator", 1)[:, 0]
    labels = _numbers(path, "graph_labels", 1)[:, 0]
    region = _numbers(path, "node_labels", 1)[:, 0]
    n, nodes = len(labels), len(graph)
    if len(region) != nodes:
        raise RecordingError(f"{path} labels {len(region)} nodes; expected {nodes}, those of its graphs.")
    for name, values, least, most in (
        ("edge", edges, 1, nodes),
        ("graph number", graph, 1, n),
        ("region", region, 0, N_REGIONS - 1),
    ):
        if values.size and not least <= values.min() <= values.max() <= most:
            raise RecordingError(
                f"{path} has {name}s from {values.min()} to {values.max()}; expected {least} to {most}."
            )
    one, other = edges[:, 0] - 1, edges[:, 1] - 1
    if apart := int(np.count_nonzero(graph[one] != graph[other])):
        raise RecordingError(f"{path} has {apart} edges between two people's graphs; expected none.")
    if len(np.unique(np.stack([graph, region]), axis=1).T) < nodes:
        raise RecordingError(f"{path} has a region twice in one graph; expected each once.")
    joined = np.zeros((n, N_REGIONS, N_REGIONS))
    joined[graph[one] - 1, region[one], region[other]] = 1.0
    joined[graph[one] - 1, region[other], region[one]] = 1.0
    rows, columns = np.triu_indices(N_REGIONS, k=1)
    return joined[:, rows, columns], labels


def _numbers(path: Path, part: str, width: int) -> npt.NDArray[np.int64]:
    """Whole numbers of one of the files, (n, width) int64."""
    name = f"{path.stem}/{path.stem}_{part}.txt"
    if not path.is_file():
        raise RecordingError(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(name).file_size > MOST_BYTES:
                raise RecordingError(f"{path}: {name} unpacks to more than {MOST_BYTES} bytes.")
            lines = archive.read(name).decode("ascii").splitlines()
    except KeyError as error:
        raise RecordingError(f"{path} holds no {name}.") from error
    except (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, EOFError, OSError) as error:
        raise RecordingError(f"{path} cannot be read as a zip of text: {error}.") from error
    rows = [line.replace(",", " ").split() for line in lines]
    for number, (line, cells) in enumerate(zip(lines, rows, strict=True), start=1):
        if len(cells) != width or not all(cell.lstrip("-").isdigit() for cell in cells):
            raise RecordingError(
                f"{path}: {name}, line {number} is {line[:40]!r}; expected {width} whole numbers."
            )
    if not rows:
        raise RecordingError(f"{path}: {name} is empty.")
    return np.array(rows, dtype=np.int64)
