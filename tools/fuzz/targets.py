"""What is given damaged input: every reader, with its seeds and its own kinds of damage.

The libraries a reader needs are imported where its target is made: a process that tries one reader
should not pay, in time or memory, for the others.
"""

import importlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.fuzz import texts
from tools.fuzz.damage import Random, damaged

Input = Mapping[str, bytes]
Read = Callable[[Path], object]


@dataclass(frozen=True)
class Target:
    """A reader, and how it is tried.

    Parameters
    ----------
    name : str
        What it is called.
    seeds : sequence of inputs
        Whole inputs; the reader must take every one of them.
    damage : sequence of functions
        Its own kinds of damage, from an input to an input.
    read : function
        What is tried: it gets the folder of the input, and the path of its first file is `entry`.
    isolated : function or None
        The same in production, where the reader's library may bring down the process that it runs in:
        what crashes ``read`` must be an error that is declared here.
    """

    name: str
    seeds: Sequence[Input]
    damage: Sequence[Callable[[Input, Random], Input]]
    read: Read
    isolated: Read | None = None

    def input(self, seed: int, number: int) -> Input:
        """The input that the reader's name, a seed and a number stand for, the same each time."""
        random = np.random.default_rng([zlib.crc32(self.name.encode()), seed, number])
        files = self.seeds[int(random.integers(0, len(self.seeds)))]
        own = bool(self.damage) and random.random() < 0.6
        if own:
            files = self.damage[int(random.integers(0, len(self.damage)))](files, random)
        if not own or random.random() < 0.1:
            names = [name for name in files if files[name]] or list(files)
            name = names[int(random.integers(0, len(names)))]
            files = {**files, name: damaged(files[name], random)}
        return files


def of_first(change: Callable[[bytes, Random], bytes]) -> Callable[[Input, Random], Input]:
    """Damage to an input's first file."""

    def damage(files: Input, random: Random) -> Input:
        name = next(iter(files))
        return {**files, name: change(files[name], random)}

    return damage


def of_text(change: Callable[[str, Random], str], *suffixes: str) -> Callable[[Input, Random], Input]:
    """Damage to the text of one of the files with these suffixes (of the first, without any)."""

    def damage(files: Input, random: Random) -> Input:
        names = [name for name in files if suffixes and name.endswith(suffixes)] or [next(iter(files))]
        name = names[int(random.integers(0, len(names)))]
        text = change(files[name].decode(), random)
        return {**files, name: text.encode("utf-8", "surrogatepass")}

    return damage


def entry(folder: Path) -> Path:
    """The one file of an input that is called ``x``, its side file aside."""
    files = sorted(folder.glob("x.*"), key=lambda path: path.suffix == ".json")
    return files[0]


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _recordings(module: str, function: str) -> Read:
    read = getattr(_module(f"offline.recordings.{module}"), function)
    return lambda folder: read(entry(folder))


def _isolated(folder: Path) -> object:
    from offline.recordings import isolated, read_recording

    isolated.PATIENCE_S = 3.0  # these files are small
    return read_recording(entry(folder))


def _snirf() -> Target:
    seeds, structure = _module("tools.fuzz.seeds"), _module("tools.fuzz.structure")
    return Target(
        "snirf", seeds.snirf(), [of_first(structure.hdf5)], _recordings("snirf", "read_snirf"), _isolated
    )


def _homer() -> Target:
    seeds, structure = _module("tools.fuzz.seeds"), _module("tools.fuzz.structure")
    damage = [of_first(structure.matlab), of_first(structure.matlab_header)]
    return Target("homer", seeds.homer(), damage, _recordings("homer", "read_homer"), _isolated)


def _nirx() -> Target:
    seeds = _module("tools.fuzz.seeds")
    read, whole = _module("offline.recordings.nirx").read_nirx, _module("offline.recordings").read_recording
    # Of a folder's ten files the header says most.
    damage = [
        of_text(texts.tokens, ".hdr"),
        of_text(texts.tokens, ".hdr", ".inf", ".evt", ".wl1", ".set", ".txt"),
    ]
    return Target("nirx", seeds.nirx(), damage, read, whole)


def _xdf() -> Target:
    seeds, structure = _module("tools.fuzz.seeds"), _module("tools.fuzz.structure")

    def damage(files: Input, random: Random) -> Input:
        name = next(iter(files))
        return files if name.endswith(".gz") else {name: structure.xdf(files[name], random)}

    return Target("xdf", seeds.xdf(), [damage], _recordings("xdf", "read_xdf"))


def _series() -> Target:
    seeds = _module("tools.fuzz.seeds")
    damage = [of_text(texts.tokens), of_text(texts.json_text, ".json")]
    return Target("series", seeds.series(), damage, _recordings("series", "read_series"))


def _journal() -> Target:
    seeds, structure = _module("tools.fuzz.seeds"), _module("tools.fuzz.structure")
    reader, recordings = _module("realtime.sinks.journal.reader"), _module("offline.recordings.journal")

    def read(folder: Path) -> object:
        path = entry(folder)
        runs = reader.journal_runs(path)
        list(reader.read_journal_entries(path))
        list(reader.read_decisions(path))
        return recordings.read_journal(path), runs

    return Target("journal", seeds.journal(), [of_first(structure.sqlite)], read)


def _layout() -> Target:
    read = _module("realtime.channels.side_file").read_side_file
    seeds = _module("tools.fuzz.seed_texts").layout()
    return Target("layout", seeds, [of_text(texts.json_text)], lambda folder: read(entry(folder)))


def _recipe() -> Target:
    load = _module("offline.samples.recipe").load_recipe
    seeds = _module("tools.fuzz.seed_texts").recipe()
    return Target("recipe", seeds, [of_text(texts.tokens)], lambda folder: load(entry(folder)))


def _cohort() -> Target:
    read = _module("offline.base.cohort").read_cohort
    seeds = _module("tools.fuzz.seed_texts").cohort()
    return Target("cohort", seeds, [of_text(texts.tokens)], lambda folder: read(entry(folder)))


def _decision() -> Target:
    read = _module("realtime.decision").Decision.from_json
    seeds = _module("tools.fuzz.seed_texts").decision()
    return Target(
        "decision", seeds, [of_text(texts.json_text)], lambda folder: read(entry(folder).read_bytes())
    )


def _status() -> Target:
    read = _module("realtime.status").Status.from_json
    seeds = _module("tools.fuzz.seed_texts").status()
    return Target(
        "status", seeds, [of_text(texts.json_text)], lambda folder: read(entry(folder).read_bytes())
    )


def _monitor() -> Target:
    """What the ward's page reads of a broker: the file's ending is the topic's."""
    module = _module("realtime.monitor.beds")
    seeds = _module("tools.fuzz.seed_texts").monitor()
    first = seeds[0]["x.status"]

    def read(folder: Path) -> object:
        path = entry(folder)
        beds = module.Beds(lambda: 100.0)
        beds.read("bed-1", "status", first)
        beds.follow("bed-1")
        beds.read("bed-1", path.suffix[1:], path.read_bytes())
        return json.loads(beds.overview(-1)), json.loads(beds.bed("bed-1", -1))

    return Target("monitor", seeds, [of_text(texts.json_text)], read)


def _description() -> Target:
    from xml.etree import ElementTree as ET

    seeds, read_origin = (
        _module("tools.fuzz.seed_texts").description(),
        _module("realtime.channels.lsl_description").read_origin,
    )
    devices, read_side = _module("realtime.devices"), _module("realtime.channels.side_file").read_side_file

    def read(folder: Path) -> object:
        try:
            info = ET.fromstring(entry(folder).read_bytes())
        except (ET.ParseError, ValueError, LookupError):
            return None  # liblsl gives only well-formed XML
        side = folder / "side.json"
        read_origin(info)
        devices.companion_of(info)
        return devices.usual(devices.layout_of(info, read_side(side) if side.exists() else None))

    damage = [of_text(texts.xml_text), of_text(texts.xml_text), of_text(_side, ".json")]
    return Target("description", seeds, damage, read)


def _side(text: str, random: Random) -> str:
    return (texts.xml_text if text.startswith("<") else texts.json_text)(text, random)


def _bundle() -> Target:
    bundles, module = _module("tools.fuzz.bundles"), _module("models.bundle")
    plan = _module("realtime.core").Plan

    def read(folder: Path) -> object:
        bundle = module.read_bundle(folder)
        return bundle, plan.from_card(bundle.card)

    damage = [bundles.other_card, bundles.other_card, bundles.other_weights, bundles.exchanged]
    return Target("bundle", bundles.bundles(), damage, read)


def _scan_bundle() -> Target:
    bundles, module = _module("tools.fuzz.bundles"), _module("models.scan_bundle")
    damage = [bundles.other_card, bundles.other_card, bundles.other_weights, bundles.exchanged]
    return Target("scan_bundle", bundles.scan_bundles(), damage, module.read_scan_bundle)


def _afni() -> Target:
    module = _module("tools.fuzz.afni")
    return Target("afni", module.streams(), [], module.read_stream)


def _scanner() -> Read:
    read = _module("realtime.sources.scanner.reading").read_images
    return lambda folder: read(entry(folder))


def _dicom() -> Target:
    scanner = _module("tools.fuzz.scanner")
    return Target("dicom", scanner.dicom(), [of_first(scanner.dicom_elements)], _scanner())


def _nifti() -> Target:
    scanner = _module("tools.fuzz.scanner")
    return Target("nifti", scanner.nifti(), [scanner.nifti_header], _scanner())


def _command() -> Target:
    module, seeds = _module("realtime.messages.commands"), _module("tools.fuzz.seed_texts")

    def read(folder: Path) -> object:
        path = entry(folder)
        return module.read_command(path.suffix.removeprefix("."), path.read_bytes())

    return Target("command", seeds.commands(), [of_text(texts.json_text)], read)


def _signals() -> Target:
    read = _module("realtime.messages.signals").Signals.from_json
    seeds = _module("tools.fuzz.seed_texts").signals()
    return Target(
        "signals", seeds, [of_text(texts.json_text)], lambda folder: read(entry(folder).read_bytes())
    )


def _alarms() -> Target:
    read = _module("realtime.messages.alarms").Alarms.from_json
    seeds = _module("tools.fuzz.seed_texts").alarms()
    return Target(
        "alarms", seeds, [of_text(texts.json_text)], lambda folder: read(entry(folder).read_bytes())
    )


TARGETS: Mapping[str, Callable[[], Target]] = {
    "snirf": _snirf,
    "homer": _homer,
    "nirx": _nirx,
    "xdf": _xdf,
    "series": _series,
    "journal": _journal,
    "layout": _layout,
    "description": _description,
    "recipe": _recipe,
    "cohort": _cohort,
    "decision": _decision,
    "status": _status,
    "monitor": _monitor,
    "command": _command,
    "signals": _signals,
    "alarms": _alarms,
    "bundle": _bundle,
    "scan_bundle": _scan_bundle,
    "afni": _afni,
    "dicom": _dicom,
    "nifti": _nifti,
}
"""Name to what makes the target."""
