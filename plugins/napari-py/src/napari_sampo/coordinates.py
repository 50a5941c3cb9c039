"""napari's coordinates and the server's.

napari: (row, column), whole numbers are pixel centres, a layer's scale and translate lie between data and world.
The server: (x, y), the corner of the first pixel is (0, 0). So x = column + 0.5 and y = row + 0.5 of the full resolution.
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

#: µm per unit, by the names that napari (pint) and people use.
MICRONS = {
    "nanometer": 1e-3, "nm": 1e-3, "micrometer": 1.0, "micron": 1.0, "um": 1.0, "µm": 1.0, "μm": 1.0,
    "millimeter": 1e3, "mm": 1e3, "centimeter": 1e4, "cm": 1e4, "meter": 1e6, "m": 1e6, "angstrom": 1e-4,
}


def image_to_data(places: Any) -> np.ndarray:
    """[n, 2] of x, y to [n, 2] of row, column."""
    return np.asarray(places, dtype=float).reshape(-1, 2)[:, ::-1] - 0.5


def data_to_image(places: Any) -> np.ndarray:
    """[n, 2] of row, column to [n, 2] of x, y."""
    return np.asarray(places, dtype=float).reshape(-1, 2)[:, ::-1] + 0.5


def world_to_image(layer: Any, position: Sequence[float]) -> tuple[float, float]:
    """A place of the viewer in px of an image layer."""
    row, column = np.asarray(layer.world_to_data(position), dtype=float)[-2:]
    return float(column + 0.5), float(row + 0.5)


def image_size(layer: Any) -> tuple[int, int]:
    """Columns and rows of an image layer at full resolution."""
    full = layer.data[0] if layer.multiscale else layer.data
    rows, columns = full.shape[-3:-1] if getattr(layer, "rgb", False) else full.shape[-2:]
    return int(columns), int(rows)


def visible_region(layer: Any) -> Optional[tuple[int, int, int, int]]:
    """x, y, width, height of what the viewer shows of an image, in whole px; None when it shows nothing of it."""
    factor = np.asarray(layer.downsample_factors[layer.data_level])[-2:] if layer.multiscale else np.ones(2)
    corners = np.asarray(layer.corner_pixels, dtype=float)[:, -2:] * factor
    width, height = image_size(layer)
    top, left = np.maximum(np.floor(corners[0]), 0)
    # The last corner is a pixel that is seen.
    bottom, right = np.minimum(np.ceil(corners[1] + factor), (height, width))
    if right <= left or bottom <= top:
        return None
    return int(left), int(top), int(right - left), int(bottom - top)


def shape_regions(shapes: Any, image: Any) -> list[list[tuple[float, float]]]:
    """The selected shapes of a Shapes layer (all when none is selected) as polygons in px of an image.

    An ellipse becomes a polygon of 64 corners; lines and paths enclose nothing and are left out.
    """
    chosen = sorted(shapes.selected_data) or range(len(shapes.data))
    regions = []
    for index in chosen:
        kind, corners = str(shapes.shape_type[index]), np.asarray(shapes.data[index], dtype=float)
        if kind in ("line", "path"):
            continue
        if kind == "ellipse":
            corners = ellipse_corners(corners)
        if len(corners) >= 3:
            regions.append([world_to_image(image, shapes.data_to_world(corner)) for corner in corners])
    return regions


def ellipse_corners(box: np.ndarray, count: int = 64) -> np.ndarray:
    """The outline of an ellipse from the four corners of its box, in any number of axes."""
    centre = box.mean(axis=0)
    first, second = (box[1] - box[0]) / 2, (box[3] - box[0]) / 2
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)[:, None]
    return centre + np.cos(angle) * first + np.sin(angle) * second


def microns_of(unit: Any) -> Optional[float]:
    """µm per unit, None when the unit is no length that is known (pixel, for example)."""
    if unit is None:
        return None
    return MICRONS.get(str(unit).strip()) or MICRONS.get(str(unit).strip().lower())


def camera_of(viewer: Any) -> Any:
    """The camera: of the scene from napari 0.9 on, of the viewer before."""
    scene = getattr(viewer, "scene", None)
    return scene.camera if scene is not None and hasattr(scene, "camera") else viewer.camera


def scale_bar_unit(viewer: Any) -> Any:
    """The unit of the scale bar, in versions of napari whose layers have none of their own."""
    from napari.layers import Image

    return None if hasattr(Image, "units") else getattr(viewer.scale_bar, "unit", None)


def pixel_size(layer: Any, viewer_unit: Any = None) -> tuple[Optional[float], str]:
    """µm per pixel of an image layer, and in words where that comes from; None when nobody knows.

    viewer_unit: unit of the scale bar, for versions of napari whose layers have none.
    """
    rows, columns = (abs(float(value)) for value in np.asarray(layer.scale, dtype=float)[-2:])
    units = getattr(layer, "units", None)
    unit = units[-1] if units is not None and len(units) else None
    microns = microns_of(unit) or microns_of(viewer_unit)
    if not (rows > 0 and columns > 0 and np.isfinite([rows, columns]).all()):
        return None, "the scale of the layer is not usable"
    uneven = "; pixels are not square, their mean is used" if abs(rows - columns) > 0.01 * max(rows, columns) else ""
    mean = (rows + columns) / 2
    if microns is not None:
        return mean * microns, f"from the layer's scale{uneven}"
    if mean == 1.0:
        return None, "the layer has no scale"
    return mean, f"from the layer's scale, taken as µm{uneven}"
