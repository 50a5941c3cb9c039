"""Outlines to labels, centres, tables and files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sampo_client import MissingPackage, Objects
from sampo_client.rasterize import bounds, centroids, fill


def feature(*rings: list[tuple[float, float]], name: str = "T", object_id: str = "a", multi: bool = False) -> dict[str, Any]:
    closed = [[*map(list, ring), list(ring[0])] for ring in rings]
    geometry = {"type": "MultiPolygon", "coordinates": [[ring] for ring in closed]} if multi else {"type": "Polygon", "coordinates": closed}
    properties = {"objectType": "detection", "classification": {"name": name, "color": [1, 2, 3]}, "measurements": {"SAMPO score": 0.5, "SAMPO area µm²": 4, "SAMPO round": 0}}
    return {"type": "Feature", "id": object_id, "geometry": geometry, "properties": properties}


def square(x: float, y: float, size: float) -> list[tuple[float, float]]:
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def test_a_square_on_pixel_edges_fills_exactly_its_pixels() -> None:
    labels = np.zeros((6, 8), int)
    fill(labels, [feature(square(2, 1, 3))], [7])
    assert np.array_equal(np.argwhere(labels == 7), [[r, c] for r in range(1, 4) for c in range(2, 5)])


def test_holes_stay_free_and_parts_belong_together() -> None:
    labels = np.zeros((10, 20), int)
    fill(labels, [feature(square(0, 0, 9), square(3, 3, 3)), feature(square(10, 0, 2), square(14, 4, 2), multi=True)], [1, 2])
    assert (labels == 1).sum() == 81 - 9 and labels[4, 4] == 0
    assert (labels == 2).sum() == 8


def test_outlines_beyond_the_edge_are_cut_and_an_origin_shifts() -> None:
    labels = np.zeros((4, 4), int)
    fill(labels, [feature(square(-2, -2, 4)), feature(square(3, 3, 9)), feature(square(50, 50, 2))], [1, 2, 3])
    assert (labels == 1).sum() == 4 and (labels == 2).sum() == 1 and not (labels == 3).any()
    shifted = np.zeros((4, 4), int)
    fill(shifted, [feature(square(100, 200, 2))], [5], origin=(99, 199))
    assert np.array_equal(np.argwhere(shifted == 5), [[1, 1], [1, 2], [2, 1], [2, 2]])


def inside(ring: list[tuple[float, float]], width: int, height: int) -> np.ndarray:
    """Even-odd by a ray from each pixel centre, one pixel after another."""
    out = np.zeros((height, width), bool)
    for row, column in np.ndindex(height, width):
        x, y = column + 0.5, row + 0.5
        for (xa, ya), (xb, yb) in zip(ring, [*ring[1:], ring[0]]):
            if (ya > y) != (yb > y) and x < xa + (y - ya) * (xb - xa) / (yb - ya):
                out[row, column] ^= True
    return out


def test_random_polygons_fill_where_a_ray_says_inside() -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        ring = [tuple(point) for point in random.uniform(0, 20, (int(random.integers(3, 9)), 2))]
        labels = np.zeros((20, 20), int)
        fill(labels, [feature(ring)], [1])
        assert np.array_equal(labels == 1, inside(ring, 20, 20))


def test_centres_and_bounds() -> None:
    many = [feature(square(10, 20, 4)), feature(square(0, 0, 9), square(0, 0, 3)), feature(square(0, 0, 2), square(8, 8, 2), multi=True)]
    assert bounds(many).tolist() == [[10, 20, 14, 24], [0, 0, 9, 9], [0, 0, 10, 10]]
    # Whole less hole: (81 * 4.5 - 9 * 1.5) / 72.
    assert centroids(many) == pytest.approx(np.array([[12, 22], [4.875, 4.875], [5, 5]]))
    assert bounds([]).shape == (0, 4) and centroids([]).shape == (0, 2)
    far = feature(square(1e6, 1e6, 3))
    assert centroids([far])[0] == pytest.approx([1e6 + 1.5, 1e6 + 1.5], abs=1e-6)


def objects() -> Objects:
    return Objects((feature(square(1, 1, 2), object_id="a"), feature(square(5, 1, 3), name="S", object_id="b")), 12, 10)


def test_labels_and_table_speak_of_the_same_rows() -> None:
    found = objects()
    labels, table = found.to_labels(), found.table()
    for row, label in enumerate(table["label"]):
        assert (labels == label).sum() == (table["right"] - table["left"])[row] ** 2
    assert list(table["class"]) == ["T", "S"] and found.counts() == {"T": 1, "S": 1}
    assert found.at(1.5, 1.5)["id"] == "a" and found.at(4, 4) is None  # type: ignore[index]
    with pytest.raises(ValueError, match="do not fit"):
        Objects(found.features * 200, 12, 10).to_labels(np.uint8)


def test_geojson_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    objects().to_geojson(tmp_path / "a.geojson")
    assert len(json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.geojson"]


def test_frames_of_packages_that_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas")
    assert isinstance(objects().to_pandas(), pandas.DataFrame)
    monkeypatch.setitem(__import__("sys").modules, "geopandas", None)
    monkeypatch.setitem(__import__("sys").modules, "shapely.geometry", None)
    with pytest.raises(MissingPackage, match="pip install"):
        objects().to_geopandas()


def test_a_change_keeps_ids_and_order() -> None:
    found = objects()
    after = found.changed([feature(square(8, 8, 2), object_id="c")], [feature(square(1, 1, 1), object_id="a")], ["b"])
    assert after.ids == ("a", "c") and bounds(after.features)[0].tolist() == [1, 1, 2, 2]
