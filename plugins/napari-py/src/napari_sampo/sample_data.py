"""The bundled tile as sample data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

#: µm per pixel of the tile.
PIXEL_SIZE = 0.5


def breast() -> list[tuple[Any, dict[str, Any], str]]:
    """Breast tumour with lymphocytes, H&E (BRCA-M2C, BSD 3-Clause: see sample/README.md)."""
    from napari.layers import Image
    from skimage.io import imread

    pixels = imread(Path(__file__).parent / "sample" / "breast.png")[..., :3]
    settings: dict[str, Any] = {"name": "breast", "rgb": True, "scale": (PIXEL_SIZE, PIXEL_SIZE)}
    if hasattr(Image, "units"):
        settings["units"] = "micrometer"
    return [(pixels, settings, "image")]
