"""Synthetic tissue with exact outlines and types, drawn in optical density (Beer-Lambert): a texture of stroma, nuclei of several
kinds on top, then stain, blur and noise of the 'scanner'. One draw is a 512 x 512 image at 0.5 µm/px."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .data import Instances, Typed, normalised_distance

SIZE = 512
HAEMATOXYLIN, EOSIN, DAB = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11]), np.array([0.27, 0.57, 0.78])


@dataclass(frozen=True)
class Kind:
    """radius and elongation in px and ratio (ranges), density: haematoxylin, rim: darker edge, nucleoli: count range, lobes: irregularity."""

    name: str
    radius: tuple[float, float]
    elongation: tuple[float, float]
    density: tuple[float, float]
    rim: float
    nucleoli: tuple[int, int]
    lobes: float


KINDS = (
    Kind("lymphocyte", (5.5, 7.5), (1.0, 1.15), (1.1, 1.5), 0.0, (0, 0), 0.04),
    Kind("tumour", (9, 14), (1.0, 1.5), (0.45, 0.8), 0.35, (1, 3), 0.09),
    Kind("spindle", (4, 5.5), (2.4, 4.0), (0.6, 1.0), 0.1, (0, 0), 0.06),
    Kind("plasma", (5.5, 7.5), (1.0, 1.2), (0.9, 1.2), 0.2, (0, 1), 0.05),
    Kind("debris", (2.2, 3.5), (1.0, 1.6), (1.6, 2.2), 0.0, (0, 0), 0.15),
    Kind("mitosis", (6, 9), (1.3, 2.2), (1.7, 2.3), 0.0, (0, 0), 0.3),
)
IHC_NAMES = ["brown", "blue"]


def noise(rng: np.random.Generator, sigma: float, size: int = SIZE) -> np.ndarray:
    """Smooth noise of unit variance, [size, size]."""
    field = ndimage.gaussian_filter(rng.standard_normal((size, size)), sigma, mode="wrap")
    return field / field.std()


def nucleus_shape(rng: np.random.Generator, kind: Kind, scale: float):
    """A star-shaped outline. -> distance to the edge relative to the radius, [n, n] (positive inside)."""
    radius = rng.uniform(*kind.radius) * scale
    long = rng.uniform(*kind.elongation)
    reach = int(np.ceil(radius * long * 1.5)) + 2
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(float)
    turn = rng.uniform(0, np.pi)
    u, v = columns * np.cos(turn) + rows * np.sin(turn), rows * np.cos(turn) - columns * np.sin(turn)
    angle = np.arctan2(v, u / long)
    wobble = 1 + sum(kind.lobes / k * np.cos(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 4))
    return 1 - np.hypot(u / long, v) / (radius * wobble)


def paint(rng, kind: Kind, inside: np.ndarray) -> np.ndarray:
    """Haematoxylin of one nucleus from its relative edge distance: clumps, rim, nucleoli."""
    size = inside.shape[0]
    texture = ndimage.gaussian_filter(rng.standard_normal((size, size)), 1.2)
    density = rng.uniform(*kind.density) * (1 + 0.35 * texture / texture.std() * 0.5)
    density = density + kind.rim * np.exp(-((inside / 0.15) ** 2))
    centre = size // 2
    for _ in range(rng.integers(kind.nucleoli[0], kind.nucleoli[1] + 1)):
        y, x = centre + rng.integers(-centre // 3, centre // 3 + 1, 2)
        rows, columns = np.mgrid[:size, :size]
        density = density + 0.8 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 3.0)
    return np.clip(density, 0.05, None)


def draw(seed: int) -> Typed:
    """One image; every fourth is IHC with brown and blue nuclei as its types."""
    rng = np.random.default_rng(seed)
    ihc = rng.random() < 0.25
    scale = rng.uniform(0.85, 1.2)
    stroma = 0.25 + 0.12 * noise(rng, 12) + 0.08 * noise(rng, 3) + 0.06 * noise(rng, 1)
    gaps = noise(rng, 20) > rng.uniform(1.0, 2.2)
    eosin = np.clip(np.where(gaps, 0.02, stroma * (0.3 if ihc else 1)), 0.01, None)
    stain, brown = 0.06 * np.clip(1 + 0.5 * noise(rng, 4), 0, None), np.zeros((SIZE, SIZE))
    objects, classes = np.zeros((SIZE, SIZE), np.int32), []
    mixture = rng.dirichlet(np.array([2.0, 2.0, 1.5, 0.8, 0.5, 0.3]))
    regions = noise(rng, 40)
    for _ in range(rng.integers(120, 420)):
        y, x = rng.integers(0, SIZE, 2)
        weights = mixture * (np.array([2.5, 0.3, 1, 1, 1, 1]) if regions[y, x] > 0 else np.array([0.3, 2.5, 1, 1, 1, 1]))
        index = int(rng.choice(len(KINDS), p=weights / weights.sum()))
        inside = nucleus_shape(rng, KINDS[index], scale)
        reach = inside.shape[0] // 2
        top, left = y - reach, x - reach
        rows = slice(max(0, top), min(SIZE, y + reach + 1))
        columns = slice(max(0, left), min(SIZE, x + reach + 1))
        window = (rows, columns)
        local = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
        body = inside[local] > 0
        taken = objects[window] > 0
        if (body & taken).sum() > 0.2 * max(1, body.sum()):
            continue
        body &= ~taken
        if body.sum() < 12:
            continue
        density = paint(rng, KINDS[index], inside)[local]
        is_brown = ihc and rng.random() < 0.4
        (brown if is_brown else stain)[window][body] = density[body]
        if is_brown:
            stain[window][body] = 0.1
        if KINDS[index].name == "plasma":
            halo = (inside[local] > -1.1) & ~body & (objects[window] == 0)
            stain[window][halo] += 0.25
        classes.append(int(not is_brown) if ihc else index)
        objects[window][body] = len(classes)
    h = HAEMATOXYLIN + rng.normal(0, 0.05, 3)
    e = EOSIN + rng.normal(0, 0.05, 3)
    optical = stain[..., None] * h * rng.uniform(0.7, 1.2) + eosin[..., None] * e * rng.uniform(0.6, 1.4) + brown[..., None] * DAB
    if rng.random() < 0.15:  # a fold: a band that is twice as thick
        band = np.abs(np.mgrid[:SIZE, :SIZE][0] - rng.uniform(0, SIZE) + 40 * noise(rng, 60)) < rng.uniform(6, 20)
        optical = optical * (1 + 0.7 * band[..., None])
    image = np.exp(-optical * 1.1)
    image = ndimage.gaussian_filter(image, (*[rng.uniform(0.4, 1.1)] * 2, 0)) + rng.normal(0, rng.uniform(0.004, 0.02), image.shape)
    names = IHC_NAMES if ihc else [kind.name for kind in KINDS]
    rgb = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Typed(f"synthetic-{seed}", rgb, objects, np.array(classes, int), names, exact=True)


def as_instances(record: Typed) -> Instances:
    """The same image for the class-agnostic head."""
    return Instances(f"synthetic/{record.name}", record.rgb, record.objects, normalised_distance(record.objects))
