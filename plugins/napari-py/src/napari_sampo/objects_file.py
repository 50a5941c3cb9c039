"""Object files (GeoJSON of SAMPO and QuPath) to features that can be drawn."""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import Any, Mapping

DRAWABLE = ("Polygon", "MultiPolygon")


class ObjectFileProblem(ValueError):
    """The file holds no objects that can be drawn; the message says why."""


def read_features(path: "Path | str") -> tuple[list[dict[str, Any]], int]:
    """Polygons of a GeoJSON file, each with an id of its own, and how many features were left out (points, lines, broken ones).

    A FeatureCollection, a list of features, and one feature are read; UTF-8 with or without BOM, UTF-16, gzip. Raises ObjectFileProblem.
    """
    raw = Path(path).read_bytes()
    try:
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        held = json.loads(raw.decode(encoding))
    except (ValueError, OSError, EOFError) as error:
        raise ObjectFileProblem(f"{path} is no GeoJSON: {error}") from error
    if isinstance(held, Mapping) and held.get("type") == "FeatureCollection":
        listed = held.get("features")
    else:
        listed = held if isinstance(held, list) else [held]
    if not isinstance(listed, list):
        raise ObjectFileProblem(f"{path} holds no list of features")
    features, seen = [], set()
    for item in listed:
        feature = _feature(item)
        if feature is not None:
            if feature["id"] in seen:
                feature["id"] = str(uuid.uuid4())
            seen.add(feature["id"])
            features.append(feature)
    if not features and listed:
        raise ObjectFileProblem(f"{path} holds {len(listed)} features, none of them a polygon")
    return features, len(listed) - len(features)


def _feature(item: Any) -> "dict[str, Any] | None":
    if not isinstance(item, Mapping) or not isinstance(item.get("geometry"), Mapping):
        return None
    geometry = item["geometry"]
    if geometry.get("type") not in DRAWABLE or not _is_closed(geometry):
        return None
    properties = item.get("properties")
    properties = dict(properties) if isinstance(properties, Mapping) else {}
    if isinstance(properties.get("classification"), str):
        properties["classification"] = {"name": properties["classification"]}
    return {"type": "Feature", "id": str(item.get("id") or uuid.uuid4()), "geometry": dict(geometry), "properties": properties}


def _is_closed(geometry: Mapping[str, Any]) -> bool:
    """Whether all rings are closed, with at least four positions of numbers."""
    try:
        polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        rings = [ring for polygon in polygons for ring in polygon]
        return bool(rings) and all(
            len(ring) >= 4 and list(ring[0][:2]) == list(ring[-1][:2]) and all(isinstance(v, (int, float)) for p in ring for v in p[:2]) for ring in rings
        )
    except (TypeError, KeyError, IndexError):
        return False
