"""What may be handed in as an image, and what of it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sampo_client import FileImage, FileNotFound, ImageProblem, open_image
from sampo_client.array_image import ArrayImage


def test_rgb_grey_and_channels(breast: np.ndarray) -> None:
    assert np.array_equal(open_image(breast).read(10, 20, 30, 40, 1), breast[20:60, 10:40])  # type: ignore[union-attr]
    assert open_image(np.dstack([breast, breast[..., :1]])).read(0, 0, 9, 9, 1).shape == (9, 9, 3)  # type: ignore[union-attr]
    grey = open_image(breast[..., 0])
    assert isinstance(grey, ArrayImage) and grey.read(0, 0, 9, 8, 1).shape == (8, 9, 1) and grey.stain_map == "brightfield"
    channels = open_image(np.moveaxis(255 - breast, 2, 0), channel_axis=0, channel_names=["DAPI", "CD3", "CD20"])
    assert isinstance(channels, ArrayImage) and channels.read(0, 0, 9, 8, 1).shape == (8, 9, 3)
    assert channels.stain_map == ("haematoxylin", "dab", "none")


@pytest.mark.parametrize(
    ("image", "options", "said"),
    [
        (np.zeros((5, 100, 100)), {}, "neither grey nor RGB"),
        (np.zeros((2, 3, 4, 5)), {}, "neither grey nor RGB"),
        (np.zeros((0, 5)), {}, "empty"),
        (np.zeros((9, 9), complex), {}, "cannot be shown"),
        (np.array([["a"]]), {}, "cannot be shown"),
        (42, {}, "is no image"),
        ([1, 2], {}, "is no image"),
        ([np.zeros((4, 4)), np.zeros((8, 8))], {}, "do not fall"),
        (np.zeros((9, 9)), {"pixel_size": 0}, "cannot be"),
        (np.zeros((9, 9)), {"pixel_size": -1}, "cannot be"),
        (np.zeros((9, 9)), {"channel_axis": 0}, "has 2 axes"),
        (np.zeros((2, 9, 9)), {"channel_axis": 0, "channel_names": ["a"]}, "1 channel names"),
        ("https://example.org/a.zarr", {}, "not on this machine"),
    ],
)
def test_what_is_no_image_is_refused_with_a_hint(image: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ImageProblem, match=said):
        open_image(image, **options)


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    found = open_image(tmp_path / "a.png")
    assert isinstance(found, FileImage) and found.path == str(tmp_path / "a.png")
    with pytest.raises(FileNotFound, match="no file"):
        open_image(tmp_path / "b.png")
    with pytest.raises(ImageProblem, match="reads a file as it is"):
        open_image(tmp_path / "a.png", stains="rgb")


def test_the_name_of_an_array_tells_its_pixels(breast: np.ndarray) -> None:
    first, again = open_image(breast), open_image(breast.copy())
    other = breast.copy()
    other[200, 300, 1] ^= 1
    assert first.uri == again.uri != open_image(other).uri  # type: ignore[union-attr]
    grey = 255 - breast[..., 0]
    assert open_image(grey, stains=["haematoxylin"]).uri != open_image(grey, stains="brightfield").uri  # type: ignore[union-attr]


class Counting:
    """An array that counts the pixels read from it."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype, self.read = array, array.shape, array.dtype, 0

    def __getitem__(self, region: Any) -> np.ndarray:
        part = self.array[region]
        self.read += part.size
        return part


def test_of_a_lazy_array_only_regions_are_read() -> None:
    big = Counting(np.zeros((3000, 3000), np.uint8))
    image = open_image(big)
    image.prepare()  # type: ignore[union-attr]
    assert big.read <= 16 * 256 * 256
    before = big.read
    image.read(100, 100, 50, 60, 1)  # type: ignore[union-attr]
    assert big.read - before == 50 * 60


def test_a_low_resolution_is_read_from_the_small_level(breast: np.ndarray) -> None:
    large = np.tile(breast, (4, 4, 1))
    levels = [Counting(large), Counting(large[::2, ::2]), Counting(large[::4, ::4])]
    image = open_image(levels)
    image.prepare()  # type: ignore[union-attr]
    counts = [level.read for level in levels]
    assert image.read(0, 0, 1860, 1860, 4).shape == (465, 465, 3)  # type: ignore[union-attr]
    assert levels[0].read == counts[0] and levels[1].read == counts[1] and levels[2].read > counts[2]


def test_dask_and_zarr_are_read_as_numpy_is(breast: np.ndarray, tmp_path: Path) -> None:
    dask = pytest.importorskip("dask.array")
    zarr = pytest.importorskip("zarr")
    stored = zarr.open_array(str(tmp_path / "a.zarr"), mode="w", shape=breast.shape, chunks=(100, 100, 3), dtype="u1")
    stored[:] = breast
    for lazy in (dask.from_array(breast, chunks=100), stored):
        assert np.array_equal(open_image(lazy).read(33, 44, 120, 130, 1), breast[44:174, 33:153])  # type: ignore[union-attr]
    channels = dask.from_array(np.moveaxis(breast, 2, 0), chunks=100)
    image = open_image(channels, channel_axis=0, stains="rgb")
    assert np.array_equal(image.read(0, 0, 50, 40, 1), breast[:40, :50])  # type: ignore[union-attr]


def write_ome_zarr(path: Path, array: np.ndarray, axes: list[dict[str, str]], scale: list[float], version: str, channels: list[dict[str, str]]) -> None:
    """[..., rows, columns] as two levels."""
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == "0.4" else 3)
    datasets = []
    for level in range(2):
        part = array[..., :: 2**level, :: 2**level]
        group.create_array(str(level), data=part, chunks=(*[1] * (part.ndim - 2), 64, 64))
        transform = [{"type": "scale", "scale": [*scale[:-2], scale[-2] * 2**level, scale[-1] * 2**level]}]
        datasets.append({"path": str(level), "coordinateTransformations": transform})
    metadata = {"multiscales": [{"axes": axes, "datasets": datasets, "version": version}], "omero": {"channels": channels}}
    group.attrs.update(metadata if version == "0.4" else {"ome": {**metadata, "version": version}})


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(breast: np.ndarray, tmp_path: Path, version: str) -> None:
    planes = np.moveaxis(255 - breast, 2, 0)[:, None]  # c, z, y, x
    axes = [{"name": "c", "type": "channel"}, {"name": "z", "type": "space"}, *({"name": name, "type": "space", "unit": "nanometer"} for name in "yx")]
    write_ome_zarr(tmp_path / "a.zarr", planes, axes, [1, 1, 500, 500], version, [{"label": "CD3"}, {"label": "DAPI"}, {"label": "blank"}])
    image = open_image(tmp_path / "a.zarr")
    assert isinstance(image, ArrayImage)
    assert image.pixel_size == pytest.approx(0.5) and (image.width, image.height) == (465, 465) and len(image.levels) == 2
    image.prepare()
    assert image.stain_map == ("dab", "haematoxylin", "none")
    plain = open_image(tmp_path / "a.zarr", stains="rgb")
    assert np.array_equal(plain.read(0, 0, 50, 40, 1), 255 - breast[:40, :50])  # type: ignore[union-attr]


def test_an_ome_zarr_stack_is_noted_and_a_plane_can_be_chosen(tmp_path: Path) -> None:
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    stack = np.stack([np.full((70, 80), value, np.uint8) for value in (10, 20, 30)])
    write_ome_zarr(tmp_path / "z.zarr", stack, axes, [1, 0.5, 0.4], "0.4", [])
    image = open_image(tmp_path / "z.zarr", stains="brightfield")
    assert any("of 3 planes along z the first" in note for note in image.notes)
    assert any("not square" in note for note in image.notes) and image.pixel_size == pytest.approx(0.45)
    third = open_image(tmp_path / "z.zarr", plane={"z": 2}, stains="brightfield")
    assert third.read(0, 0, 5, 5, 1).max() == 30  # type: ignore[union-attr]
    with pytest.raises(ImageProblem, match="outside 0 to 2"):
        open_image(tmp_path / "z.zarr", plane={"z": 3})
    with pytest.raises(ImageProblem, match="no axis t"):
        open_image(tmp_path / "z.zarr", plane={"t": 0})


def test_a_folder_that_is_no_ome_zarr_is_refused(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    with pytest.raises(ImageProblem, match="no Zarr group"):
        open_image(tmp_path)
    zarr.open_group(str(tmp_path / "g"), mode="w")
    with pytest.raises(ImageProblem, match="no multiscales"):
        open_image(tmp_path / "g")
