"""Rows and columns, pixel centres and corners, scales and units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

napari = pytest.importorskip("napari")
from napari.layers import Image, Shapes  # noqa: E402

from napari_sampo.coordinates import data_to_image, ellipse_corners, image_size, image_to_data, microns_of, pixel_size, shape_regions, visible_region, world_to_image  # noqa: E402

HAS_UNITS = hasattr(Image, "units")


def test_a_pixel_centre_is_half_a_pixel_from_its_corner() -> None:
    assert data_to_image([(0, 0), (4, 2)]).tolist() == [[0.5, 0.5], [2.5, 4.5]]
    assert image_to_data(data_to_image([(7.25, 1)])).tolist() == [[7.25, 1]]


@pytest.mark.parametrize("scale", [(1, 1), (0.25, 0.25), (300, 300)])
@pytest.mark.parametrize("translate", [(0, 0), (10, -20)])
def test_scale_and_translate_lie_between_world_and_image(scale: tuple[float, float], translate: tuple[float, float]) -> None:
    layer = Image(np.zeros((40, 60)), scale=scale, translate=translate)
    world = layer.data_to_world((5, 7))
    assert world_to_image(layer, world) == pytest.approx((7.5, 5.5))
    assert image_size(layer) == (60, 40)


def test_leading_axes_and_levels_do_not_matter() -> None:
    stack = Image(np.zeros((3, 40, 60)), scale=(2, 0.5, 0.5))
    assert world_to_image(stack, (4, 2.5, 3.5)) == pytest.approx((7.5, 5.5)) and image_size(stack) == (60, 40)
    levels = Image([np.zeros((80, 120)), np.zeros((40, 60))], multiscale=True)
    assert image_size(levels) == (120, 80)
    assert image_size(Image(np.zeros((40, 60, 3), np.uint8), rgb=True)) == (60, 40)


class Shown:
    """What visible_region looks at."""

    rgb, multiscale, data_level = False, False, 0

    def __init__(self, corners: Any, shape: tuple[int, int] = (100, 200), level: int = 0) -> None:
        self.corner_pixels = np.array(corners)
        self.data = [np.zeros(shape), np.zeros((shape[0] // 4, shape[1] // 4))] if level else np.zeros(shape)
        self.multiscale, self.data_level = bool(level), level
        self.downsample_factors = np.array([[1, 1], [4, 4]])


def test_the_view_in_whole_pixels() -> None:
    assert visible_region(Shown([[0, 0], [99, 199]])) == (0, 0, 200, 100)
    assert visible_region(Shown([[10, 20], [19, 49]])) == (20, 10, 30, 10)
    assert visible_region(Shown([[0, 0], [24, 49]], level=1)) == (0, 0, 200, 100)
    assert visible_region(Shown([[2, 3], [5, 6]], level=1)) == (12, 8, 16, 16)


@pytest.mark.parametrize(
    ("unit", "microns"), [("micrometer", 1), ("µm", 1), ("um", 1), ("nanometer", 1e-3), ("nm", 1e-3), ("mm", 1e3), ("millimeter", 1e3), ("pixel", None), (None, None), ("furlong", None)]
)
def test_units(unit: Any, microns: Any) -> None:
    assert microns_of(unit) == microns


@pytest.mark.parametrize(
    ("scale", "unit", "expected", "said"),
    [
        (0.25, "micrometer", 0.25, "from the layer's scale"),
        (250, "nanometer", 0.25, "from the layer's scale"),
        (0.00025, "millimeter", 0.25, "from the layer's scale"),
        (1, "micrometer", 1, "from the layer's scale"),
        (0.25, "pixel", 0.25, "taken as µm"),
        (1, "pixel", None, "no scale"),
    ],
)
def test_the_pixel_size_follows_scale_and_unit(scale: float, unit: str, expected: Any, said: str) -> None:
    layer = Image(np.zeros((40, 60)), scale=(scale, scale), **({"units": (unit, unit)} if HAS_UNITS else {}))
    size, where = pixel_size(layer, None if HAS_UNITS else unit)
    assert size == (pytest.approx(expected) if expected else None) and said in where


def test_pixels_that_are_not_square_are_told() -> None:
    size, where = pixel_size(Image(np.zeros((4, 4)), scale=(0.4, 0.6)))
    assert size == pytest.approx(0.5) and "not square" in where


def test_shapes_become_polygons_in_image_pixels() -> None:
    image = Image(np.zeros((100, 100)), scale=(0.5, 0.5))
    shapes = Shapes([np.array([[5, 10], [5, 20], [15, 20], [15, 10]])], shape_type="rectangle")
    assert np.allclose(shape_regions(shapes, image)[0], [(20.5, 10.5), (40.5, 10.5), (40.5, 30.5), (20.5, 30.5)])
    shapes.add(np.array([[0, 0], [5, 5]]), shape_type="line")
    shapes.add(np.array([[0, 0], [0, 10], [10, 10], [10, 0]]), shape_type="ellipse")
    shapes.selected_data = set()
    assert [len(region) for region in shape_regions(shapes, image)] == [4, 64], "a line encloses nothing"
    shapes.selected_data = {2}
    assert len(shape_regions(shapes, image)) == 1


def test_an_ellipse_lies_in_its_box() -> None:
    corners = ellipse_corners(np.array([[0, 0], [0, 10], [6, 10], [6, 0]], float))
    assert np.allclose([corners.min(axis=0), corners.max(axis=0)], [[0, 0], [6, 10]], atol=0.02)
    assert np.allclose(((corners - (3, 5)) ** 2 / (9, 25)).sum(axis=1), 1)
