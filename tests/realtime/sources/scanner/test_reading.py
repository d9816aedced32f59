"""Every format reads back as it was written, and a file that is not whole is never taken for one."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import UnfinishedVolumeError, VolumeError
from realtime.log import OriginKind
from realtime.sources.scanner.dicom_values import parse, seconds_of
from realtime.sources.scanner.emulated import mark, origin_of
from realtime.sources.scanner.image import ScannerImage
from realtime.sources.scanner.mosaic import csa_field
from realtime.sources.scanner.reading import read_images
from realtime.sources.scanner.stack import SliceStack
from tests.realtime.sources.scanner.files import GRID, SERIES, files, stored, volumes
from tools.emulators.scanner.dicom_writer import csa_header
from tools.emulators.scanner.formats import FORMATS

WHOLE = ("mosaic", "enhanced", "nifti", "nifti-gz")


def read(form: str, number: int = 1) -> list[ScannerImage]:
    contents = files(form, [volumes(3)[number - 1]])
    return [image for name, content in contents.items() for image in read_images(Path(name), content)]


@pytest.mark.parametrize("form", WHOLE)
def test_a_volume_reads_back_as_written(form: str) -> None:
    (image,) = read(form, 2)
    np.testing.assert_array_equal(image.data, stored(volumes(3)[1], form))
    assert image.data.dtype == np.float32
    np.testing.assert_allclose(image.grid.affine_mm, GRID.affine_mm, atol=1e-5)
    assert (image.number, image.tr) == (2, SERIES.tr)
    assert image.origin.kind is OriginKind.SIMULATED
    if not form.startswith("nifti"):
        assert image.series == SERIES.uid
        assert image.acquired == pytest.approx(volumes(3)[1].acquired)
        assert image.called == "7 run one"


def test_slices_of_a_file_each_make_the_same_volume() -> None:
    slices = [image for number in (1, 2) for image in read("slices", number)]
    stack = SliceStack(slices[0])
    whole = [v for one in slices if one.slice_of for v in stack.add(one, one.slice_of, 0.0)]
    assert [image.number for image in whole] == [1, 2]
    for image, volume in zip(whole, volumes(3), strict=False):
        np.testing.assert_array_equal(image.data, volume.stored.astype(np.float32))
        np.testing.assert_allclose(image.grid.affine_mm, GRID.affine_mm, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(form=st.sampled_from([*WHOLE, "slices"]), part=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_anywhere_is_not_whole(form: str, part: float) -> None:
    name, content = next(iter(files(form, volumes(3)[:1]).items()))
    cut = content[: int(part * len(content))]
    if form == "nifti-gz" and len(gzip_whole(cut)) == len(gzip.decompress(content)):
        return  # only the checksum is lacking
    with pytest.raises(UnfinishedVolumeError):
        read_images(Path(name), cut)


def gzip_whole(content: bytes) -> bytes:
    import zlib

    return zlib.decompressobj(wbits=31).decompress(content) if content else b""


def test_an_enhanced_file_of_a_whole_run_gives_its_volumes_in_order_of_time() -> None:
    import io

    import pydicom

    one, two = (parse(c) for v in volumes(3)[:2] for c in FORMATS["enhanced"].write(SERIES, v))
    frames = [*one.PerFrameFunctionalGroupsSequence, *two.PerFrameFunctionalGroupsSequence]
    size = len(one.PixelData) // len(one.PerFrameFunctionalGroupsSequence)
    pixels = [e.PixelData[k * size : (k + 1) * size] for e in (one, two) for k in range(7)]
    mixed = np.random.default_rng(0).permutation(len(frames))
    one.PerFrameFunctionalGroupsSequence = [frames[k] for k in mixed]
    one.PixelData, one.NumberOfFrames = b"".join(pixels[k] for k in mixed), len(frames)
    out = io.BytesIO()
    pydicom.dcmwrite(out, one)
    found = read_images(Path("x.dcm"), out.getvalue())
    assert [image.number for image in found] == [1, 2]
    for image, volume in zip(found, volumes(3), strict=False):
        np.testing.assert_array_equal(image.data, volume.stored.astype(np.float32))


def changed(form: str, **values: object) -> bytes:
    """A file of which elements were set, or removed where None."""
    import io

    import pydicom

    elements = parse(next(iter(files(form, volumes(3)[:1]).values())))
    for name, value in values.items():
        if value is None:
            delattr(elements, name)
        else:
            setattr(elements, name, value)
    out = io.BytesIO()
    pydicom.dcmwrite(out, elements)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "values", "why"),
    [
        ("mosaic", {"BitsAllocated": 24}, "24 bits"),
        ("mosaic", {"ImagePositionPatient": None}, "ImagePositionPatient"),
        ("mosaic", {"PixelSpacing": ["0", "0"]}, "0.001 to 1000 mm"),
        ("slices", {"NumberOfFrames": 3}, "3 frames"),
        ("enhanced", {"NumberOfFrames": 3}, "describes 7 frames"),
        ("mosaic", {"InstanceNumber": None}, "InstanceNumber"),
        ("mosaic", {"Rows": 31}, "multiple"),
    ],
)
def test_headers_that_contradict_are_refused_by_name(form: str, values: dict[str, object], why: str) -> None:
    with pytest.raises(VolumeError, match=why):
        read_images(Path("x.dcm"), changed(form, **values))


def test_packed_dicom_is_refused_by_name() -> None:
    content = next(iter(files("mosaic", volumes(3)[:1]).values()))
    plain, lossless, deflated = (
        b"1.2.840.10008.1.2.1\0",
        b"1.2.840.10008.1.2.5\0",
        b"1.2.840.10008.1.2.1.99",
    )
    with pytest.raises(VolumeError, match="RLE"):
        read_images(Path("x.dcm"), content.replace(plain, lossless))
    with pytest.raises(VolumeError, match="deflated"):
        read_images(Path("x.dcm"), content.replace(plain, deflated))


def test_other_files_are_no_volumes() -> None:
    with pytest.raises(VolumeError, match="neither DICOM nor NIfTI"):
        read_images(Path("x.txt"), b"a log\n" * 100)
    with pytest.raises(VolumeError, match="expected a NIfTI header"):
        read_images(Path("x.nii"), b"\1" * 400)
    with pytest.raises(VolumeError, match="no gzip"):
        read_images(Path("x.nii.gz"), b"\1" * 400)


def test_a_nifti_without_scale_or_with_many_volumes() -> None:
    data = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)
    image = nibabel.Nifti1Image(data, np.diag([2.0, 3, 4, 1]))
    image.header.set_xyzt_units("mm", "msec")
    image.header["pixdim"][4] = 1500
    found = read_images(Path("run_3.nii"), image.to_bytes())
    assert [one.number for one in found] == [1, 2, 3, 4, 5]
    assert {one.series for one in found} == {"run_3"}
    assert {one.tr for one in found} == {1.5}
    assert found[0].origin.kind is OriginKind.LIVE
    np.testing.assert_array_equal(np.stack([one.data for one in found], -1), data)


def test_series_and_number_of_a_nifti_are_in_its_name() -> None:
    content = next(iter(files("nifti", volumes(3)[:1]).values()))
    (image,) = read_images(Path("sub-01_run-2_0012.nii"), content)
    assert (image.series, image.number) == ("sub-01_run-2_#", 12)


@pytest.mark.filterwarnings("ignore:The DICOM readers are highly experimental")
def test_siemens_header_is_read_as_nibabel_reads_it() -> None:
    from nibabel.nicom import csareader

    header = csa_header({"NumberOfImagesInMosaic": ["36"], "SliceNormalVector": ["0.0", "0.29", "-0.95"]})
    theirs = csareader.read(header)["tags"]
    for name in ("NumberOfImagesInMosaic", "SliceNormalVector"):
        assert csa_field(header, name.encode()) == theirs[name]["items"]
    assert csa_field(header, b"Nothing") == []
    for cut in range(0, len(header), 7):
        assert len(csa_field(header[:cut], b"SliceNormalVector")) <= 3


def test_a_mosaic_whose_slices_are_counted_the_other_way_is_placed_the_other_way() -> None:
    content = next(iter(files("mosaic", volumes(3)[:1]).values()))
    (plain,) = read_images(Path("x.dcm"), content)
    normal = csa_field(content, b"SliceNormalVector")
    was = [f"{x:.8f}".encode() for x in normal]
    there = content.index(b"SliceNormalVector")
    tail = content[there:]
    for word in was:
        other = b"-" + word[:-1] if not word.startswith(b"-") else word[1:] + b"0"
        tail = tail.replace(word, other, 1)
    (turned,) = read_images(Path("x.dcm"), content[:there] + tail)
    np.testing.assert_allclose(turned.grid.affine_mm[:3, 2], -plain.grid.affine_mm[:3, 2], atol=1e-6)
    np.testing.assert_allclose(turned.grid.affine_mm[:3, 3], plain.grid.affine_mm[:3, 3], atol=1e-6)


def test_an_emulated_file_says_so() -> None:
    for origin in (SERIES.origin, origin_of("hemostream replayed speed=20")):
        assert origin_of(f"something {mark(origin)}\0\0") == origin
    assert origin_of("a comment").kind is OriginKind.LIVE
    assert origin_of("hemostream simulated speed=1e99").speed == 1.0


def test_times_of_the_console() -> None:
    assert seconds_of("20231114221320.5") == 1_700_000_000.5
    assert seconds_of("20231114231320", "+0100") == 1_700_000_000.0
    assert seconds_of("20231114221320.250000-0000") == 1_700_000_000.25
    for wrong in ("", "2023", "20231314221320", "2023111422132x", "20231114221320.x"):
        assert seconds_of(wrong) is None
