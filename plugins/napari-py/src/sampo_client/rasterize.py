"""Outlines to label arrays, with numpy alone: all outlines at once, so that 100,000 nuclei take seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

import numpy as np

#: Outlines turned into arrays together. Numpy holds the interpreter while it reads nested lists, and a window must get its turn.
CHUNK = 1_000


def rings_of(geometry: Mapping[str, Any]) -> list[Sequence[Any]]:
    """All rings of a Polygon or MultiPolygon, outer ones and holes."""
    if geometry["type"] == "Polygon":
        return list(geometry["coordinates"])
    return [ring for polygon in geometry["coordinates"] for ring in polygon]


@dataclass(frozen=True)
class FlatRings:
    """All rings of some features in arrays: points [n, 2] in image px, and for each ring its length, feature, and whether it is a hole."""

    points: np.ndarray
    lengths: np.ndarray
    owners: np.ndarray
    holes: np.ndarray


def flat_rings(features: Sequence[Mapping[str, Any]]) -> FlatRings:
    points: list[Any] = []
    lengths, owners, holes = [], [], []
    for index, feature in enumerate(features):
        geometry = feature["geometry"]
        polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        for polygon in polygons:
            for place, ring in enumerate(polygon):
                points.extend(ring)
                lengths.append(len(ring))
                owners.append(index)
                holes.append(place > 0)
    flat = np.asarray(points, dtype=np.float64).reshape(len(points), -1)[:, :2] if points else np.zeros((0, 2))
    return FlatRings(flat, np.array(lengths, np.int64), np.array(owners, np.int64), np.array(holes, bool))


def fill(labels: np.ndarray, features: Sequence[Mapping[str, Any]], values: Sequence[int] | np.ndarray, origin: tuple[float, float] = (0, 0)) -> None:
    """Writes `values[i]` where the centre of a pixel lies in feature i (even-odd: holes stay free); later ones win.

    labels: [rows, columns], changed in place. origin: x and y of its top-left corner, image px.
    """
    for start in range(0, len(features), CHUNK):
        _fill_chunk(labels, flat_rings(features[start : start + CHUNK]), np.asarray(values[start : start + CHUNK]), origin)


def _fill_chunk(labels: np.ndarray, rings: FlatRings, values: np.ndarray, origin: tuple[float, float]) -> None:
    if not len(rings.points):
        return
    # Rows and columns count from pixel centres: the pixel whose centre is at x + 0.5 has the column x.
    flat = rings.points - (origin[0] + 0.5, origin[1] + 0.5)
    starts = np.delete(np.arange(len(flat)), np.cumsum(rings.lengths) - 1)
    x0, y0 = flat[starts].T
    x1, y1 = flat[starts + 1].T
    owner = np.repeat(rings.owners, rings.lengths - 1)
    rising = y1 > y0
    top, bottom = np.where(rising, y0, y1), np.where(rising, y1, y0)
    first = np.maximum(np.ceil(top), 0).astype(np.int64)
    # A row that lies on the lower end belongs to the next edge.
    after = np.minimum(np.ceil(bottom), labels.shape[0]).astype(np.int64)
    edge, row = _ranges(first, np.maximum(after - first, 0))
    if edge.size == 0:
        return
    crossing = x0[edge] + (row - y0[edge]) * ((x1 - x0)[edge] / (y1 - y0)[edge])
    order = np.lexsort((crossing, row, owner[edge]))
    crossing, row, who = crossing[order], row[order], owner[edge][order]
    left = np.maximum(np.ceil(crossing[0::2]), 0).astype(np.int64)
    right = np.minimum(np.ceil(crossing[1::2]), labels.shape[1]).astype(np.int64)
    span, column = _ranges(left, np.maximum(right - left, 0))
    labels[row[0::2][span], column] = values[who[0::2][span]]


def _ranges(first: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each i: i, `counts[i]` times, beside first[i], first[i] + 1, ..."""
    index = np.repeat(np.arange(len(counts)), counts)
    offset = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    return index, first[index] + offset


def bounds(features: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """[n, 4]: x, y of the left top corner and of the right bottom corner of each feature, image px."""
    return np.concatenate([np.zeros((0, 4)), *(_bounds(flat_rings(features[start : start + CHUNK])) for start in range(0, len(features), CHUNK))])


def _bounds(rings: FlatRings) -> np.ndarray:
    begins = np.concatenate([[0], np.cumsum(rings.lengths)[:-1]])
    first_ring = np.flatnonzero(np.diff(rings.owners, prepend=-1))
    at = begins[first_ring]
    return np.hstack([np.minimum.reduceat(rings.points, at), np.maximum.reduceat(rings.points, at)])


def centroids(features: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """[n, 2]: x, y of the centre of area of each feature, of all its parts less its holes, image px."""
    return np.concatenate([np.zeros((0, 2)), *(_centroids(flat_rings(features[start : start + CHUNK])) for start in range(0, len(features), CHUNK))])


def _centroids(rings: FlatRings) -> np.ndarray:
    begins = np.concatenate([[0], np.cumsum(rings.lengths)[:-1]])
    # Sums are taken about each ring's first point: far from the origin the products would lose digits.
    base = rings.points[begins]
    local = rings.points - np.repeat(base, rings.lengths, axis=0)
    following = np.roll(local, -1, axis=0)
    cross = local[:, 0] * following[:, 1] - following[:, 0] * local[:, 1]
    cross[np.cumsum(rings.lengths) - 1] = 0
    area = np.add.reduceat(cross, begins) / 2
    moments = np.add.reduceat((local + following) * cross[:, None], begins) / 6
    sign = np.where(rings.holes, -1.0, 1.0) * np.where(area < 0, -1.0, 1.0)
    area, moments = area * sign, moments * sign[:, None]
    moments = moments + base * area[:, None]
    first_ring = np.flatnonzero(np.diff(rings.owners, prepend=-1))
    total = np.add.reduceat(area, first_ring)
    centre = np.add.reduceat(moments, first_ring)
    return np.where(total[:, None] > 0, centre / np.where(total > 0, total, 1)[:, None], base[first_ring])
