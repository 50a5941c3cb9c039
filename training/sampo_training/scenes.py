"""What an evaluation clicks on: images at 0.5 µm/px with typed nuclei, from labelled sets or, away from breast H&E, from outlines
with a marker painted on or a question about looks. All are drawn with fixed seeds and come from parts that are never trained on."""

import json
import random
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

from . import data
from .attributes import LEAST_NUCLEI, ask_by_attribute, measure
from .fluorescence import read_fluorescence
from .markers import choose_marked, draw_marker, paint
from .splits import NUINSSEG_ORGANS, held_out, kromp_test


@dataclass
class Scene:
    """rgb [H, W, 3] uint8 at 0.5 µm/px; points [N, 2] (x, y) and classes [N] index into names; unclear [H, W] bool: nuclei found
    there count neither for nor against."""

    name: str
    rgb: np.ndarray
    points: np.ndarray
    classes: np.ndarray
    names: list[str]
    unclear: np.ndarray | None = field(default=None)


def resized(rgb: np.ndarray, scale: float) -> np.ndarray:
    size = tuple(max(1, round(side * scale)) for side in rgb.shape[1::-1])
    return rgb if scale == 1 else np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX if scale < 0.6 else Image.Resampling.BILINEAR))


def resized_labels(labels: np.ndarray, scale: float) -> np.ndarray:
    size = tuple(max(1, round(side * scale)) for side in labels.shape[1::-1])
    return labels if scale == 1 else np.asarray(Image.fromarray(labels.astype(np.int32)).resize(size, Image.Resampling.NEAREST))


def numbered(labels: np.ndarray) -> np.ndarray:
    """The same objects numbered 1..N without gaps."""
    return np.unique(np.append(labels.ravel(), 0), return_inverse=True)[1][:-1].reshape(labels.shape).astype(np.int32)


def centroids(objects: np.ndarray) -> np.ndarray:
    """[N, 2] (x, y) of objects 1..N."""
    ids = np.arange(1, int(objects.max()) + 1)
    return np.array(ndimage.center_of_mass(np.ones(objects.shape), objects, ids)).reshape(-1, 2)[:, ::-1]


def breast(root: Path, split: str) -> list[Scene]:
    return [Scene(r.name, r.rgb, r.points, r.classes, r.names) for r in data.read_points(root / "brca_m2c", split)]


def melanoma(root: Path) -> list[Scene]:
    """The one region of PUMA at 0.46 µm/px."""
    folder, name = root / "puma_sample", "metastatic_roi_094_20x"
    document = json.loads((folder / "labels" / f"{name}.json").read_text())
    scale = document["mpp"] / data.MICRONS_PER_PIXEL
    labels = np.asarray(Image.open(folder / "labels" / f"{name}.png")).astype(np.int32)
    present = np.unique(labels)[1:]
    classes = np.array([document["classes"].index(document["instances"][str(i)]) for i in present])
    rgb = resized(data.read_rgb(folder / "images" / f"{name}.png"), scale)
    return [Scene(name, rgb, (centroids(numbered(labels)) + 0.5) * scale - 0.5, classes, document["classes"])]


def mosaic(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Equally large arrays [h, w, ...] side by side, row by row."""
    rows = [np.concatenate(pictures[i : i + columns], 1) for i in range(0, len(pictures), columns)]
    return np.concatenate(rows)


def blood(root: Path, columns: int = 3, rows: int = 2) -> list[Scene]:
    """Held-out smears, six to a picture: a single one has too few white cells to ask about."""
    records = [r for r in data.read_boxes(root / "blood_txl_pbc") if held_out(f"blood_txl_pbc/{r.name}")]
    shape = records[0].rgb.shape
    records = [r for r in records if r.rgb.shape == shape]
    scenes = []
    for start in range(0, len(records) - columns * rows + 1, columns * rows):
        group = records[start : start + columns * rows]
        points, classes = [], []
        for index, record in enumerate(group):
            small = resized(record.rgb, record.scale).shape
            # A cell that others hide has no pixel of its own: it is not asked about.
            seen = np.bincount(record.objects.ravel(), minlength=len(record.classes) + 1)[1:] > 0
            own = centroids(numbered(record.objects)) * record.scale
            points.append(own + [(index % columns) * small[1], (index // columns) * small[0]])
            classes.append(record.classes[seen])
        picture = mosaic([resized(r.rgb, r.scale) for r in group], columns)
        scenes.append(Scene(f"blood-{start}", picture, np.concatenate(points), np.concatenate(classes), records[0].names))
    return scenes


def held_out_organs(root: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """NuInsSeg's held-out organs, four neighbouring images to a picture. -> name, rgb [512, 512, 3], objects [512, 512]."""
    pictures = []
    for organ in NUINSSEG_ORGANS:
        records = {int(r.name.split("/")[1]): r for r in data.read_instances(root / "nuinsseg_20x", True, wanted=lambda n, o=organ: int(n) in o)}
        for first in range(organ.start, organ.stop - 3, 4):
            group = [records[i] for i in range(first, first + 4)]
            offsets = np.cumsum([0, *(r.labels.max() for r in group[:-1])])
            labels = mosaic([np.where(r.labels > 0, r.labels + offset, 0) for r, offset in zip(group, offsets)], 2)
            pictures.append((f"nuinsseg-{first}", mosaic([r.rgb for r in group], 2), numbered(labels)))
    return pictures


def tissue_sections(root: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Tissue of Kromp's test split as virtual stains. -> name, rgb, objects."""
    folder = root / "kromp_fluorescence"
    index, test = json.loads((folder / "index.json").read_text()), kromp_test(folder / "index.json")
    pictures = []
    for record in read_fluorescence(folder, wanted=lambda n: n in test and index[n]["preparation"] == "tissue section"):
        objects = numbered(resized_labels(record.labels, record.scale))
        pictures.append((record.name.split("/")[1], resized(record.rgb, record.scale), objects))
    return pictures


def painted(pictures, brown: bool, each: int = 1) -> list[Scene]:
    """`each` markers on every picture, nuclear, brown (DAB) or of other hues. Both the marked and the unmarked are asked for."""
    scenes = []
    for name, rgb, objects in pictures:
        if objects.max() < 2 * LEAST_NUCLEI:
            continue
        table, centres = measure(rgb, objects)
        rng = random.Random(zlib.crc32(f"{name} {brown}".encode()))
        for number in range(each):
            torch.manual_seed(number)
            marker = draw_marker(rng, brown=brown)
            marked = choose_marked(rng, centres, table)
            image = torch.from_numpy(rgb.astype(np.float32) / 255).permute(2, 0, 1)
            image = paint(rng, image, torch.from_numpy(objects), marked, marker)
            picture = (image.clamp(0, 1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            scenes.append(Scene(f"{name}-{number}", picture, centres, marked.astype(int), ["unmarked", "marked"]))
    return scenes


def by_looks(pictures, each: int = 2) -> list[Scene]:
    """`each` questions about what the nuclei of every picture look like."""
    scenes = []
    for name, rgb, objects in pictures:
        table, centres = measure(rgb, objects)
        rng = random.Random(zlib.crc32(name.encode()))
        for number in range(each):
            question = ask_by_attribute(rng, table)
            clear = np.concatenate([[True], question.clear])
            kinds = [f"kind {i}" for i in range(int(question.classes.max()) + 1)]
            points, classes = centres[question.clear], question.classes[question.clear]
            scenes.append(Scene(f"{name}-{number}", rgb, points, classes, kinds, ~clear[objects]))
    return scenes
