"""Writes the objects of a Labels layer as GeoJSON that QuPath and napari read."""

from __future__ import annotations

import json
import os
from typing import Any, Mapping


class NothingToWrite(ValueError):
    """The layer holds no objects of SAMPO."""


def write_objects(path: str, data: Any, attributes: Mapping[str, Any]) -> list[str]:
    """npe2 writer for one Labels layer. Rejected and removed objects are left out. Raises NothingToWrite for other Labels layers."""
    held = (attributes.get("metadata") or {}).get("sampo")
    if not held:
        raise NothingToWrite(
            f"“{attributes.get('name', 'the layer')}” has no outlines of SAMPO: save it as .tif, or press “Find all” and save “SAMPO objects”."
        )
    states = dict(zip(_column(attributes, "id"), _column(attributes, "state")))
    kept = [feature for feature in held["features"] if states.get(feature.get("id")) not in ("rejected", "removed")]
    partial = f"{path}.part"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", "features": kept}, file, ensure_ascii=False)
    os.replace(partial, path)
    return [path]


def _column(attributes: Mapping[str, Any], name: str) -> list[Any]:
    features = attributes.get("features")
    return list(features[name]) if features is not None and name in features else []
