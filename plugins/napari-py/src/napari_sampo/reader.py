"""Reads object files as a Labels layer with class colours and a features table."""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Union

import numpy as np

from sampo_client.rasterize import bounds

from .label_canvas import LARGEST, LabelCanvas
from .objects_file import ObjectFileProblem, read_features


def get_reader(path: Union[str, Sequence[str]]) -> Optional[Callable[[Any], list[Any]]]:
    """npe2 reader: GeoJSON files."""
    paths = [path] if isinstance(path, str) else list(path)
    return read if all(str(item).lower().endswith((".geojson", ".geojson.gz")) for item in paths) else None


def read(path: Union[str, Sequence[str]]) -> list[tuple[Any, dict[str, Any], str]]:
    """One Labels layer for each file. Raises ObjectFileProblem."""
    from pathlib import Path

    return [labels_layer(*read_features(item), name=Path(item).name.split(".")[0]) for item in ([path] if isinstance(path, str) else path)]


def labels_layer(features: list[dict[str, Any]], left_out: int = 0, name: str = "objects") -> tuple[Any, dict[str, Any], str]:
    """Layer data of some features, from the corner of the image to the last object; of far away ones only their part."""
    if left_out:
        from napari.utils.notifications import show_warning

        show_warning(f"{name}: {left_out} features that are no closed polygons were left out.")
    if features:
        left, top, right, bottom = bounds(features).T
        width, height, origin = int(np.ceil(right.max())), int(np.ceil(bottom.max())), (0, 0)
        if width * height > LARGEST:
            origin = (int(np.floor(left.min())), int(np.floor(top.min())))
            width, height = width - origin[0], height - origin[1]
        if width * height > LARGEST:
            raise ObjectFileProblem(f"the objects spread over {width} x {height} px: too large for one Labels layer; open a part of the file")
    else:
        width, height, origin = 1, 1, (0, 0)
    canvas = LabelCanvas(max(width, 1), max(height, 1), origin)
    canvas.put(features)
    from napari.utils.colormaps import CyclicLabelColormap

    settings = {
        "name": name,
        "features": canvas.table(),
        "colormap": CyclicLabelColormap(colors=canvas.palette(), name="SAMPO classes", display_name="SAMPO classes"),
        "translate": (origin[1], origin[0]),
        "opacity": 0.6,
        "metadata": {"sampo": {"features": features, "width": width, "height": height}},
    }
    levels = canvas.levels
    return (levels if len(levels) > 1 else levels[0]), {**settings, "multiscale": len(levels) > 1}, "labels"
