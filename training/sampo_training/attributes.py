"""Questions without type labels, first kind: what nuclei look like. Every nucleus is measured; a question divides the nuclei of an
image by a random measurement, a mix of two, or by likeness to a few of them. Nuclei near the divide belong to neither side."""

import random
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .augment import STAINS_INVERSE

ATTRIBUTES = (
    "log area",
    "haematoxylin",
    "eosin",
    "residual stain",
    "red over blue",
    "texture",
    "elongation",
    "neighbours",
    "eosin around",
    "contrast to surroundings",
)
NEIGHBOURHOOD_PIXELS = 40  # 20 µm at 0.5 µm/px
RIM_PIXELS = 6
LEAST_NUCLEI = 12  # fewer make no distribution to cut


@dataclass(frozen=True)
class Question:
    """classes [N]: class of every nucleus; clear [N] bool: False for nuclei too near a divide to be asked or judged."""

    classes: np.ndarray
    clear: np.ndarray


def elongation(objects: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Logarithm of the ratio of the axes of every object's second moments. -> [N]."""
    rows, columns = np.mgrid[: objects.shape[0], : objects.shape[1]]

    def mean(values):
        return ndimage.mean(values, objects, ids)

    across, down = mean(columns), mean(rows)
    variance_x, variance_y = mean(columns**2) - across**2, mean(rows**2) - down**2
    covariance = mean(rows * columns) - across * down
    half_trace = (variance_x + variance_y) / 2
    root = np.sqrt(np.maximum(half_trace**2 - variance_x * variance_y + covariance**2, 0))
    return 0.5 * np.log((half_trace + root + 1 / 12) / (np.maximum(half_trace - root, 0) + 1 / 12))


def measure(rgb: np.ndarray, objects: np.ndarray, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """rgb [H, W, 3] uint8, objects [H, W] int (0 none, 1..N all present), scale: magnification to 0.5 µm/px.
    -> measurements [N, 10] standardised within the image and clipped at +-3, centres [N, 2] (x, y)."""
    count = int(objects.max())
    ids = np.arange(1, count + 1)
    density = -np.log(np.clip(rgb / 255, 1 / 255, 1))
    stains = density @ STAINS_INVERSE.numpy()
    darkness = density.mean(2)
    centres = np.array(ndimage.center_of_mass(np.ones(objects.shape), objects, ids)).reshape(-1, 2)[:, ::-1]

    away, (row, column) = ndimage.distance_transform_edt(objects == 0, return_indices=True)
    rim = np.where((away > 0) & (away <= RIM_PIXELS / scale), objects[row, column], 0)
    spacing = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))

    def inside(values):
        return ndimage.mean(values, objects, ids)

    def around(values):
        means = ndimage.mean(values, rim, ids)
        return np.nan_to_num(means, nan=float(np.nanmedian(means)) if np.isfinite(means).any() else 0.0)

    with np.errstate(invalid="ignore", divide="ignore"):  # a nucleus hemmed in on all sides has no rim
        columns = [
            np.log(np.bincount(objects.ravel(), minlength=count + 1)[1:]),
            *(inside(stains[..., stain]) for stain in range(3)),
            inside(density[..., 2]) / (inside(density[..., 0]) + 0.05),
            ndimage.standard_deviation(darkness, objects, ids),
            elongation(objects, ids),
            np.sqrt((spacing < NEIGHBOURHOOD_PIXELS / scale).sum(1)),
            around(stains[..., 1]),
            inside(darkness) - around(darkness),
        ]
    table = np.stack(columns, 1)
    table = (table - table.mean(0)) / (table.std(0) + 1e-6)
    return np.clip(table, -3, 3).astype(np.float32), centres


def ask_by_cut(rng: random.Random, table: np.ndarray) -> Question:
    """Two classes: below and above a random quantile of one measurement or a mix of two."""
    width = table.shape[1]
    value = table[:, rng.randrange(width)]
    if rng.random() < 0.5:
        value = value + table[:, rng.randrange(width)] * rng.uniform(-1, 1)
    threshold = np.quantile(value, rng.uniform(0.2, 0.8))
    gap = rng.uniform(0.1, 0.5) * (value.std() + 1e-6)
    return Question((value > threshold).astype(np.int64), np.abs(value - threshold) > gap / 2)


def ask_by_likeness(rng: random.Random, table: np.ndarray) -> Question:
    """Two to four classes: each nucleus belongs to the most similar of as many random nuclei, in two to five measurements."""
    chosen = rng.sample(range(table.shape[1]), rng.randint(2, min(5, table.shape[1])))
    kinds = rng.sample(range(len(table)), rng.randint(2, 4))
    weights = np.array([rng.uniform(0.5, 1.5) for _ in chosen], np.float32)
    space = table[:, chosen] * weights
    distance = np.linalg.norm(space[:, None] - space[kinds][None], axis=2)
    nearest = np.sort(distance, 1)
    return Question(distance.argmin(1), nearest[:, 0] < 0.8 * nearest[:, 1])


TRIES = 20


def divides(question: Question, least: int = 2) -> bool:
    """Whether at least two classes have `least` clear nuclei or more: measurements may be alike in most nuclei."""
    return int((np.bincount(question.classes[question.clear]) >= least).sum()) >= 2


def ask_by_attribute(rng: random.Random, table: np.ndarray) -> Question:
    """table [N, A] standardised measurements, N >= 4. The first of a few questions that divides the nuclei, else the last."""
    for _ in range(TRIES):
        question = ask_by_cut(rng, table) if rng.random() < 0.65 else ask_by_likeness(rng, table)
        if divides(question):
            break
    return question
