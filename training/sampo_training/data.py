"""Images and labels in memory. Two kinds of record: `Instances` (outlines without types) and `Typed` (objects with a class,
drawn as disks around points until they are lifted onto outlines). Known faults of the sets are handled here."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

MICRONS_PER_PIXEL = 0.5
DISK_RADIUS = 5  # px at 0.5 µm/px: inside nearly every nucleus


@dataclass
class Instances:
    """rgb [H, W, 3] uint8, labels [H, W] int32 (0 background), distance [H, W] float32 in 0..1, scale: wanted magnification."""

    name: str
    rgb: np.ndarray
    labels: np.ndarray
    distance: np.ndarray
    scale: float = 1.0


@dataclass
class Typed:
    """rgb [H, W, 3] uint8, objects [H, W] int32 (0 none, i + 1 = object i), classes [N] index into `names`, exact: labelled by
    outlines rather than points; `spots` are the objects as labelled, when `objects` has been lifted onto predicted outlines."""

    name: str
    rgb: np.ndarray
    objects: np.ndarray
    classes: np.ndarray
    names: list[str]
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    exact: bool = False
    scale: float = 1.0
    spots: np.ndarray = None

    def __post_init__(self):
        self.spots = self.objects if self.spots is None else self.spots


def normalised_distance(labels: np.ndarray) -> np.ndarray:
    """Distance to the instance's own boundary, divided by its maximum. [H, W] int -> [H, W] float32 in 0..1."""
    edges = np.zeros(labels.shape, bool)
    edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edges[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    edges[1:] |= labels[1:] != labels[:-1]
    edges[:-1] |= labels[1:] != labels[:-1]
    distance = ndimage.distance_transform_edt(~edges) + 0.5
    distance[labels == 0] = 0
    peak = ndimage.maximum(distance, labels, np.arange(labels.max() + 1)) if labels.max() else np.ones(1)
    peak = np.maximum(np.asarray(peak), 1.0)
    return (distance / peak[labels] * (labels > 0)).astype(np.float32)


def split_fused(labels: np.ndarray) -> np.ndarray:
    """Splits components that were cut from a binary mask (touching nuclei fused) at the necks of their distance transform."""
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(labels > 0), 1.0)
    peaks = peak_local_max(distance, min_distance=5, threshold_abs=2.0, labels=labels, exclude_border=False)
    markers = np.zeros(labels.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    lost = np.setdiff1d(np.unique(labels[labels > 0]), np.unique(labels[tuple(peaks.T)]))
    for extra, label in enumerate(lost, start=len(peaks) + 1):
        markers[labels == label] = extra
    return watershed(-distance, markers, mask=labels > 0).astype(np.int32)


def read_rgb(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def read_instances(folder: Path, fused: bool, rescale: bool = False, wanted: Callable[[str], bool] = lambda stem: True) -> list[Instances]:
    """Reads `images/*` with `instances/*.png` of those stems that are `wanted`. `rescale`: unknown µm/px, so bring the median
    nucleus to 15 px across."""
    records = []
    for path in sorted((folder / "images").iterdir()):
        if not wanted(path.stem):
            continue
        mask = next((folder / "instances").glob(path.stem + ".*"))
        labels = np.asarray(Image.open(mask)).astype(np.int32)
        if fused:
            labels = split_fused(labels)
        scale = 1.0
        if rescale:
            areas = np.bincount(labels.ravel())[1:]
            diameter = 2 * np.sqrt(np.median(areas[areas > 8]) / np.pi) if (areas > 8).any() else 15
            scale = float(np.clip(15 / diameter, 0.33, 3))
        records.append(Instances(f"{folder.name}/{path.stem}", read_rgb(path), labels, normalised_distance(labels), scale))
    return records


def disks(points: np.ndarray, shape: tuple[int, int], radius: float = DISK_RADIUS) -> np.ndarray:
    """Objects as disks around points [N, 2] (x, y); where two overlap, the nearer point wins."""
    objects, best = np.zeros(shape, np.int32), np.full(shape, np.inf, np.float32)
    reach = int(np.ceil(radius))
    for index, (x, y) in enumerate(points):
        top, left = max(0, int(y) - reach), max(0, int(x) - reach)
        rows, columns = np.mgrid[top : min(shape[0], int(y) + reach + 1), left : min(shape[1], int(x) + reach + 1)]
        distance = np.hypot(columns - x, rows - y).astype(np.float32)
        window = np.s_[top : top + rows.shape[0], left : left + rows.shape[1]]
        nearer = (distance <= radius) & (distance < best[window])
        objects[window][nearer] = index + 1
        best[window][nearer] = distance[nearer]
    return objects


def read_points(folder: Path, split: str | None, scale: float | None = None) -> list[Typed]:
    """Reads `points/*.json` of one split. `scale` defaults to the file's own µm/px over the model's."""
    records = []
    for path in sorted((folder / "points").glob("*.json")):
        document = json.loads(path.read_text())
        if split is not None and document["split"] != split:
            continue
        rgb = read_rgb(next((folder / "images").glob(path.stem + ".*")))
        points = np.array([[p["x"], p["y"]] for p in document["points"]], float).reshape(-1, 2)
        classes = np.array([document["classes"].index(p["class"]) for p in document["points"]], int)
        factor = scale or document["mpp"] / MICRONS_PER_PIXEL
        drawn = disks(points, rgb.shape[:2], DISK_RADIUS / factor)
        records.append(Typed(path.stem, rgb, drawn, classes, document["classes"], points, False, factor))
    return records


def read_boxes(folder: Path) -> list[Typed]:
    """Blood smears: typed boxes as inscribed ellipses; a red cell becomes about 26 px across."""
    records = []
    for path in sorted((folder / "boxes").glob("*.json")):
        document = json.loads(path.read_text())
        rgb = read_rgb(next((folder / "images").glob(path.stem + ".*")))
        rows, columns = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
        objects, classes = np.zeros(rgb.shape[:2], np.int32), []
        for box in document["boxes"]:
            x, y, w, h = box["x0"], box["y0"], box["x1"] - box["x0"], box["y1"] - box["y0"]
            window = np.s_[max(0, int(y)) : int(y + h) + 1, max(0, int(x)) : int(x + w) + 1]
            inside = ((columns[window] - x - w / 2) / (w * 0.42)) ** 2 + ((rows[window] - y - h / 2) / (h * 0.42)) ** 2 <= 1
            objects[window][inside] = len(classes) + 1
            classes.append(document["classes"].index(box["class"]))
        records.append(Typed(path.stem, rgb, objects, np.array(classes), document["classes"], exact=True, scale=0.28))
    return records
