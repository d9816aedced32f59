"""A recording sent as a vendor would is recognised by itself and gives the same channels back."""

import json
import math
import threading
import time
from dataclasses import replace

import numpy as np
import pylsl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import StreamError
from offline.recordings import read_recording
from offline.recordings.journal import read_journal
from realtime.channels.lsl_description import read_origin
from realtime.channels.match import match_channels
from realtime.channels.side_file import read_side_file
from realtime.devices import layout_of, recognise, usual
from realtime.log import Origin, OriginKind, Received, SessionStarted, StreamOpened
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sinks.journal.journal import JournalWriter
from realtime.sources.lsl.source import LslSource, StreamChoice
from realtime.sources.recording import Event, Recording
from tools.commands.replay import Replay, replay, split_layouts, write_side_file
from tools.emulators import LAYOUTS, emulator, info_of
from tools.emulators.aurora import frame_counter
from tools.emulators.undescribed import CLAIMED_HZ, NINJA_CHUNK

DEADLINE_S = 30.0
ORIGIN = Origin(OriginKind.REPLAYED, 4.0, 1000.0)


@st.composite
def recordings(draw, kind=Kind.INTENSITY):
    """Light of two wavelengths a pair, in any order, some of it missing, with places."""
    n_sources, n_detectors = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    pairs = draw(
        st.lists(
            st.tuples(st.integers(1, n_sources), st.integers(1, n_detectors)),
            min_size=1,
            max_size=5,
            unique=True,
        )
    )
    light = draw(st.sampled_from([(760.0, 850.0), (690.0, 830.0), (757.0, 843.0)]))
    at = {s: (0.0, 0.0, 0.03 * s) for s in range(1, 4)}
    to = {d: (0.02, 0.005 * d, 0.0) for d in range(1, 4)}
    channels = [
        Channel(
            name=f"S{s}_D{d} {w:g}",
            kind=kind,
            unit="V" if kind is Kind.INTENSITY else "1",
            source=s,
            detector=d,
            wavelength=w,
            distance=math.dist(at[s], to[d]),
            source_position=at[s],
            detector_position=to[d],
            position=tuple((a + b) / 2 for a, b in zip(at[s], to[d], strict=True)),
        )
        for s, d in pairs
        for w in light
    ]
    channels = draw(st.permutations(channels))
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    data = rng.uniform(0.05, 1.0, (len(channels), n))
    missing = rng.uniform(size=data.shape) < 0.1
    times = np.cumsum(rng.uniform(0.08, 0.12, n))
    return Recording("walk", SignalSpec(tuple(channels), 10.0), data, times, missing)


def fixed(n=40, step=0.1, events=()):
    channels = tuple(
        Channel(
            name=f"S{s}_D1 {w:g}",
            kind=Kind.INTENSITY,
            unit="V",
            source=s,
            detector=1,
            wavelength=w,
            distance=0.03,
        )
        for s in (1, 2)
        for w in (760.0, 850.0)
    )
    rng = np.random.default_rng(0)
    data = rng.uniform(0.1, 1.0, (4, n))
    return Recording(
        "walk", SignalSpec(channels, 10.0), data, step * np.arange(n), np.zeros_like(data, bool), events
    )


def side_of(how, tmp_path):
    if how.side is None:
        return None
    file = tmp_path / "side.json"
    file.write_text(json.dumps(how.side))
    return read_side_file(file)


def expected(recording, layout):
    """What a session should hold in the end, SI units, NaN where missing."""
    values = np.where(recording.missing, np.nan, recording.data)
    return -np.log(values) if layout == "oxysoft" else values


DEVICE = {"full": "", "xdf": "", "bare": None}
"""Of the layouts that are no vendor's: what the layout says of its device; None is not recognised."""


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_every_layout_comes_back(layout, data, tmp_path_factory):
    recording = data.draw(recordings())
    how = emulator(layout)(recording, ORIGIN)
    info = info_of(how)
    assert read_origin(info) == ORIGIN, "whatever it emulates, it says that it is a replay"
    if layout == "bare":
        with pytest.raises(StreamError, match="layout file"):
            layout_of(info)
        return
    assert recognise(info).device == layout
    found = layout_of(info, side_of(how, tmp_path_factory.mktemp("side")))
    assert found.device == DEVICE.get(layout, layout)
    if layout not in ("cortivision", "full", "mne", "xdf"):
        assert len(how.rows) > len(recording.spec), "something else stands between the channels"

    wanted = recording.spec
    if layout == "oxysoft":
        dod = (replace(c, kind=Kind.OPTICAL_DENSITY, unit="1") for c in wanted.channels)
        wanted = SignalSpec(tuple(dod), wanted.rate)
    indices = match_channels(wanted, found.spec)
    assert len(usual(found).spec) == len(wanted), "and nothing but them"
    for channel, index in zip(wanted.channels, indices, strict=True):
        again = found.spec.channels[index]
        assert again.pair == channel.pair
        assert again.wavelength == channel.wavelength
        assert again.distance == pytest.approx(channel.distance, abs=1e-6)
    sent = how.rows.astype(np.float32 if how.dtype == "float32" else np.float64)
    got = found.take(sent)[list(indices)]
    np.testing.assert_allclose(got, expected(recording, layout), rtol=3e-7, atol=3e-7)


@pytest.mark.parametrize("layout", ["full", "xdf", "oxysoft"])
@settings(deadline=None, max_examples=10)
@given(recording=recordings(kind=Kind.OPTICAL_DENSITY))
def test_optical_density_stays_what_it_is(layout, recording):
    how = emulator(layout)(recording, ORIGIN)
    found = layout_of(info_of(how))
    indices = match_channels(recording.spec, found.spec)
    got = found.take(how.rows)[list(indices)]
    np.testing.assert_allclose(got, np.where(recording.missing, np.nan, recording.data), rtol=1e-12)


def test_auroras_haemoglobin_is_that_of_our_stages():
    recording = fixed(n=300)
    how = emulator("aurora")(recording, ORIGIN)
    found = layout_of(info_of(how))
    haemoglobin = [i for i, c in enumerate(found.spec.channels) if c.kind in (Kind.HBO, Kind.HBR)]
    values = found.take(how.rows)[haemoglobin]
    known = recording.times >= 10.0
    assert np.isnan(values[:, ~known]).all(), "nothing is known before the baseline is full"
    assert np.isfinite(values[:, known][:, 1:]).all()
    from realtime.signal import Chunk
    from realtime.stages.beer_lambert import BeerLambert
    from realtime.stages.optical_density import OpticalDensity

    density = OpticalDensity(recording.spec)
    law = BeerLambert(density.spec_out)
    chunk = Chunk(recording.spec, recording.data, recording.times, recording.missing)
    out = law.process(density.process(chunk))
    order = [out.spec.names.index(found.spec.channels[i].name) for i in haemoglobin]
    expected_values = np.where(out.missing, np.nan, out.data)[order]
    np.testing.assert_allclose(values, expected_values, rtol=1e-9, atol=1e-18)


def test_haemoglobin_that_cannot_be_known_is_no_number():
    recording = fixed()
    far = tuple(replace(channel, distance=None) for channel in recording.spec.channels)
    how = emulator("aurora")(replace(recording, spec=SignalSpec(far, 10.0)), ORIGIN)
    assert np.isnan(how.rows[5:]).all()
    assert "not known" in how.remarks[0]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_the_frame_counter_counts_what_was_lost(lost):
    steps = np.concatenate([np.ones(2 * len(lost) + 2), np.array(lost, dtype=float)])
    counter = frame_counter(np.cumsum(np.concatenate([[5.0], 0.1 * steps])))
    np.testing.assert_array_equal(np.diff(counter), np.where(steps > 2, steps, 1.0))


def test_the_frame_counter_starts_anew_after_a_pause():
    times = np.concatenate([np.arange(5) * 0.1, 100 + np.arange(5) * 0.1])
    assert frame_counter(times).tolist() == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]


def test_jitter_loses_no_frame():
    rng = np.random.default_rng(1)
    times = np.arange(100) * 0.1 + rng.uniform(-0.04, 0.04, 100)
    np.testing.assert_array_equal(frame_counter(times), np.arange(1.0, 101.0))


def test_the_oddities_are_there():
    recording = fixed(events=(Event(1.05, "LEFT"),))
    cap = emulator("cortivision")(recording, ORIGIN)
    assert (cap.rate, len(cap.rows)) == (CLAIMED_HZ, 10)
    assert cap.desc.find("channels") is None
    ninja = emulator("ninjanirs")(recording, ORIGIN)
    assert (ninja.content, ninja.chunk) == ("fNIRS", NINJA_CHUNK)
    assert np.flatnonzero(ninja.rows[-1]).tolist() == [11], "a stimulus is marked at the next sample"
    oxysoft = emulator("oxysoft")(recording, ORIGIN)
    labels = [node.findtext("label") for node in oxysoft.desc.iter("channel")]
    assert labels[2:4] == ["ADC 1", "ADC 2"], "between the light"
    assert labels[0] == "[1] Rx1-Tx1 [760nm]"
    assert oxysoft.events == "Event"


@pytest.mark.parametrize("layout", ["aurora", "oxysoft", "cortivision", "ninjanirs"])
def test_what_a_vendor_cannot_send_is_refused(layout):
    recording = fixed()
    blood = tuple(
        Channel(name=f"x{i}", kind=Kind.HBO, unit="mol/L", source=i + 1, detector=1) for i in range(4)
    )
    with pytest.raises(StreamError, match=r"'x0' of kind hbo; .*--layout full"):
        emulator(layout)(replace(recording, spec=SignalSpec(blood, 10.0)), ORIGIN)
    nameless = tuple(replace(channel, source=None) for channel in recording.spec.channels)
    with pytest.raises(StreamError, match="no source, detector or wavelength"):
        emulator(layout)(replace(recording, spec=SignalSpec(nameless, 10.0)), ORIGIN)


def test_three_wavelengths_are_too_many_for_aurora_and_too_near_for_oxysoft():
    recording = fixed()
    channels = tuple(replace(channel, source=1) for channel in recording.spec.channels)
    with pytest.raises(StreamError, match="has 4 wavelengths"):
        emulator("aurora")(replace(recording, spec=SignalSpec(channels, 10.0)), ORIGIN)
    with pytest.raises(StreamError, match="whole nanometres"):
        emulator("oxysoft")(replace(recording, spec=SignalSpec(channels, 10.0)), ORIGIN)


def test_layout_names_and_side_files_are_distinguished(tmp_path):
    assert split_layouts(()) == ("full", None)
    assert split_layouts(("aurora",)) == ("aurora", None)
    assert split_layouts(("cap.json", "bare")) == ("bare", tmp_path.__class__("cap.json"))
    with pytest.raises(StreamError, match="at most one of full"):
        split_layouts(("aurora", "bare"))
    with pytest.raises(StreamError, match="mean 'aurora'"):
        split_layouts(("aurroa",))


def test_a_side_file_is_written_only_where_one_is_needed(tmp_path):
    file = tmp_path / "cap.json"
    write_side_file(fixed(), "cortivision", file)
    assert len(read_side_file(file).spec) == 4
    with pytest.raises(StreamError, match="cannot be written"):
        write_side_file(fixed(), "cortivision", tmp_path / "nowhere" / "cap.json")
    with pytest.raises(StreamError, match="needs no side file"):
        write_side_file(fixed(), "aurora", tmp_path / "aurora.json")


def test_the_command_refuses_a_layout_that_the_recording_does_not_fit(tmp_path, data_dir):
    with pytest.raises(StreamError, match="a replay cannot be sent like that"):
        replay(tmp_path / "absent.snirf", layout=("aurara",))


def blood(names):
    return SignalSpec(
        tuple(
            Channel(
                name=name,
                kind=Kind.HBO if name.endswith("hbo") else Kind.HBR,
                unit="mol/L",
                source=int(name[1]),
                detector=1,
            )
            for name in names
        ),
        10.0,
    )


def test_a_model_of_haemoglobin_finds_auroras_own_by_kind():
    recording = fixed(n=300)
    how = emulator("aurora")(recording, ORIGIN)
    layout = layout_of(info_of(how))
    wanted = blood(("S2_D1 hbo", "S1_D1 hbr"))
    indices = match_channels(wanted, layout.spec)
    assert [layout.rows[i] for i in indices] == [6, 7]
    values = layout.take(how.rows)[list(indices)]
    assert np.nanmax(np.abs(values)) < 0.1, "mol/L, not umol/L"


def test_of_auroras_journal_the_light_is_the_recording(tmp_path):
    recording = fixed(n=200)
    how = emulator("aurora")(recording, ORIGIN)
    layout = layout_of(info_of(how))
    opened = StreamOpened(
        0.0,
        layout.spec,
        Origin(),
        "Aurora",
        rows=layout.rows,
        scales=layout.scales,
        device="aurora",
        frame_row=0,
    )
    with JournalWriter(tmp_path / "a.hemostream", on_trouble=pytest.fail) as journal:
        journal.append(SessionStarted(0.0, "s", 1, "0" * 64))
        journal.append(opened)
        journal.append(Received(0.0, recording.times, how.rows.astype(np.float32)))
    again = read_journal(tmp_path / "a.hemostream")
    assert sorted(again.spec.names) == sorted(recording.spec.names)
    order = [again.spec.names.index(name) for name in recording.spec.names]
    np.testing.assert_allclose(again.data[order], recording.data, rtol=1e-7)


# ------------------------------------------------------------------ over real LSL


@pytest.mark.parametrize("layout", ["aurora", "oxysoft", "ninjanirs"])
def test_over_lsl_a_source_finds_the_channels_by_itself(layout, tmp_path):
    recording = fixed(n=41)
    entries, errors = [], []
    with Replay(recording, layout=layout, speed=8.0, linger_s=10.0) as outlets:
        side = side_of(outlets.emulated, tmp_path) if layout == "ninjanirs" else None
        results = []
        thread = threading.Thread(target=lambda: results.append(outlets.run()))
        thread.start()
        choice = StreamChoice(
            predicate=f"source_id='{outlets.source_id}'", layout=side, allow_replay=True, wait_s=DEADLINE_S
        )
        source = LslSource(choice, emit=entries.append, failed=errors.append)
        source.start()
        until = time.monotonic() + DEADLINE_S
        while not errors and time.monotonic() < until:
            if sum(len(e.stamps) for e in list(entries) if isinstance(e, Received)) >= 41:
                break
            time.sleep(0.02)
        source.close()
        outlets.stop()
        thread.join(DEADLINE_S)
    assert not errors
    opened = next(e for e in entries if isinstance(e, StreamOpened))
    assert opened.device == layout
    assert opened.frame_row == (0 if layout == "aurora" else None)
    assert opened.origin == outlets.origin
    received = [e for e in entries if isinstance(e, Received)]
    raw = np.concatenate([e.data for e in received], axis=1)
    stamps = np.concatenate([e.stamps for e in received])
    wanted = recording.spec
    if layout == "oxysoft":
        dod = (replace(c, kind=Kind.OPTICAL_DENSITY, unit="1") for c in wanted.channels)
        wanted = SignalSpec(tuple(dod), wanted.rate)
    indices = list(match_channels(wanted, opened.spec))
    scales = np.array(opened.scales or [1.0] * len(opened.spec))[indices]
    got = raw[[opened.rows[i] for i in indices]] * scales[:, None]
    np.testing.assert_allclose(got, expected(recording, layout), rtol=3e-7, atol=3e-7)
    due = results[0].first_stamp + recording.times
    if layout == "ninjanirs":
        last = [*range(NINJA_CHUNK - 1, 41, NINJA_CHUNK), 40]
        np.testing.assert_allclose(stamps[last], due[last], atol=1e-6)
        # What lies between was made up by LSL from the nominal rate.
        assert np.diff(stamps)[:3] == pytest.approx(1 / recording.spec.rate, abs=1e-6)
    else:
        np.testing.assert_array_equal(stamps, due)
    assert pylsl.library_version() > 0


# ---------------------------------------------------------------- real recordings


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "bare"])
@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("rest/sub-01_task-rest_nirs.snirf", {}),
        ("homer3_tapping/subj1/Fingertapping_08192013.nirs", {}),
        ("lsl_tapping_xdf/sub-001_task-fingertapping_recording.xdf", {"stream": "raw"}),
    ],
)
def test_a_real_recording_comes_back(layout, path, options, data_dir, tmp_path):
    if path.endswith("xdf"):
        options = {**options, "layout": data_dir / "fnirs" / path.replace("recording.xdf", "nirs.json")}
    recording = read_recording(data_dir / "fnirs" / path, **options)
    how = emulator(layout)(recording, ORIGIN)
    info = info_of(how)
    assert recognise(info).device == layout
    found = layout_of(info, side_of(how, tmp_path))
    wanted = recording.spec
    if layout == "oxysoft":
        dod = (replace(c, kind=Kind.OPTICAL_DENSITY, unit="1") for c in wanted.channels)
        wanted = SignalSpec(tuple(dod), wanted.rate)
    indices = list(match_channels(wanted, found.spec))
    sent = how.rows.astype(np.float32 if how.dtype == "float32" else np.float64)
    np.testing.assert_allclose(found.take(sent)[indices], expected(recording, layout), rtol=2e-7, atol=2e-7)
