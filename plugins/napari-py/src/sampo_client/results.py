"""What a search found: GeoJSON, a label array, a table."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Optional, Sequence

import numpy as np

from .errors import MissingPackage
from .rasterize import bounds, centroids, fill

if TYPE_CHECKING:
    from .types_gen import Feature, SegmentPromptResultCandidatesItem

#: Measurements of the server; the unit is part of the name.
SCORE, AREA, ROUND = "SAMPO score", "SAMPO area µm²", "SAMPO round"


@dataclass(frozen=True)
class Objects:
    """The objects of one search. Ids stay the same over filters and refinements.

    features: GeoJSON features, image px, x first, on pixel edges. width, height: of the image, px.
    """

    features: tuple["Feature", ...]
    width: int
    height: int
    result_id: str = ""
    image_id: str = ""
    intent_ids: tuple[str, ...] = ()
    candidates: tuple["SegmentPromptResultCandidatesItem", ...] = ()
    pixel_size: Optional[float] = None
    seconds: float = 0.0
    #: What the user should know: assumptions made, tiles that failed.
    warnings: tuple[str, ...] = ()
    filters: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.features)

    def __iter__(self) -> Iterator["Feature"]:
        return iter(self.features)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.counts().items()) or "none"
        return f"<Objects: {counts}, image {self.width} x {self.height}>"

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(feature["id"] for feature in self.features)

    def counts(self) -> dict[str, int]:
        """Objects by class name."""
        counts: dict[str, int] = {}
        for feature in self.features:
            name = class_name(feature)
            counts[name] = counts.get(name, 0) + 1
        return counts

    def at(self, x: float, y: float) -> Optional["Feature"]:
        """The object under a place in image px, or None."""
        left, top, right, bottom = bounds(self.features).T
        for index in np.flatnonzero((left <= x) & (x < right) & (top <= y) & (y < bottom))[::-1]:
            pixel = np.zeros((1, 1), np.uint8)
            fill(pixel, [self.features[index]], [1], (np.floor(x), np.floor(y)))
            if pixel[0, 0]:
                return self.features[index]
        return None

    def to_geojson(self, path: "os.PathLike[str] | str | None" = None) -> dict[str, Any]:
        """The feature collection; written to `path` too when given. QuPath and napari read it as it is."""
        collection = {"type": "FeatureCollection", "features": list(self.features)}
        if path is not None:
            partial = f"{os.fspath(path)}.part"
            with open(partial, "w", encoding="utf-8") as file:
                json.dump(collection, file, ensure_ascii=False)
            os.replace(partial, path)
        return collection

    def to_labels(self, dtype: "np.typing.DTypeLike" = np.int32) -> np.ndarray:
        """[height, width]: 0 is background, i + 1 the object of row i of the table."""
        labels = np.zeros((self.height, self.width), dtype)
        if len(self.features) > np.iinfo(labels.dtype).max:
            raise ValueError(f"{len(self.features)} objects do not fit into {labels.dtype}")
        fill(labels, self.features, np.arange(1, len(self.features) + 1))
        return labels

    def table(self) -> dict[str, np.ndarray]:
        """Columns of one row per object: label, id, class, score, area_um2, round, x and y of the centre, and the box in px."""
        return table_of(self.features)

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame."""
        return _package("pandas").DataFrame(self.table())

    def to_geopandas(self) -> Any:
        """The objects as a GeoDataFrame in image px."""
        shape = _package("shapely.geometry", "shapely").shape
        return _package("geopandas").GeoDataFrame(self.table(), geometry=[shape(feature["geometry"]) for feature in self.features])

    def to_spatialdata(self, name: str = "sampo") -> Any:
        """The objects as the shapes of a SpatialData object, in image px."""
        frame = self.to_geopandas()
        models = _package("spatialdata.models", "spatialdata")
        return _package("spatialdata").SpatialData(shapes={name: models.ShapesModel.parse(frame)})

    def changed(self, added: Sequence[Any], changed: Sequence[Any], removed: Sequence[str]) -> "Objects":
        """The objects after a change that the server has told (`objects/publish`)."""
        new = {feature["id"]: feature for feature in changed}
        gone = set(removed)
        kept = [new.get(feature["id"], feature) for feature in self.features if feature["id"] not in gone]
        here = {feature["id"] for feature in kept}
        return replace(self, features=(*kept, *(feature for feature in added if feature["id"] not in here)))


def class_name(feature: Mapping[str, Any]) -> str:
    classification = feature["properties"].get("classification")
    return str(classification.get("name", "")) if isinstance(classification, dict) else ""


def class_color(feature: Mapping[str, Any]) -> tuple[int, int, int]:
    """RGB of 0 to 255; grey without a class."""
    classification = feature["properties"].get("classification")
    color = classification.get("color") if isinstance(classification, dict) else None
    return (color[0], color[1], color[2]) if isinstance(color, (list, tuple)) and len(color) >= 3 else (160, 160, 160)


def measurement(feature: Mapping[str, Any], name: str) -> float:
    """A measurement, NaN when it is absent."""
    value = (feature["properties"].get("measurements") or {}).get(name)
    return float(value) if isinstance(value, (int, float)) else float("nan")


def table_of(features: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    centres = centroids(features)
    boxes = bounds(features)
    return {
        "label": np.arange(1, len(features) + 1),
        "id": np.array([str(feature.get("id", "")) for feature in features], dtype=object),
        "class": np.array([class_name(feature) for feature in features], dtype=object),
        "score": np.array([measurement(feature, SCORE) for feature in features]),
        "area_um2": np.array([measurement(feature, AREA) for feature in features]),
        "round": np.array([measurement(feature, ROUND) for feature in features]),
        "x": centres[:, 0],
        "y": centres[:, 1],
        "left": boxes[:, 0],
        "top": boxes[:, 1],
        "right": boxes[:, 2],
        "bottom": boxes[:, 3],
    }


def _package(module: str, package: str = "") -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackage(f"{package or module} is not installed", hint=f"pip install {package or module}") from error
