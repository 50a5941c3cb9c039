"""Fluorescence as virtual stains: a nuclear channel drawn as haematoxylin on white, so that a brightfield model reads it."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from .data import MICRONS_PER_PIXEL, Instances, normalised_distance

HAEMATOXYLIN, EOSIN = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])  # optical density of R, G, B (Ruifrok & Johnston 2001)
NUCLEUS_PIXELS = 15  # width of a usual nucleus at 0.5 µm/px: the scale of images whose own is unknown


@dataclass(frozen=True)
class VirtualStain:
    """How the nuclear channel is drawn: density = strength x intensity ^ gamma; eosin: density of the ground."""

    gamma: float = 0.7
    strength: float = 1.6
    eosin: float = 0.03

    @classmethod
    def varied(cls, rng: random.Random) -> "VirtualStain":
        return cls(rng.uniform(0.5, 1.0), rng.uniform(1.0, 2.0), rng.choice((0.0, 0.03, 0.1, 0.2)))


def intensity(grey: np.ndarray) -> np.ndarray:
    """[H, W] of any range -> 0..1 between its 1st and 99.8th percentile."""
    low, high = np.percentile(grey, (1, 99.8))
    return np.clip((grey.astype(np.float32) - low) / max(1e-6, high - low), 0, 1)


def render_haematoxylin(grey: np.ndarray, stain: VirtualStain = VirtualStain()) -> np.ndarray:
    """Nuclear channel [H, W] -> rgb [H, W, 3] uint8, white where the channel is dark. The ground is mottled, but always the same."""
    nuclear = stain.strength * intensity(grey) ** stain.gamma
    ground = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(grey.shape).astype(np.float32), 6)
    ground = stain.eosin * np.clip(1 + 0.5 * ground / max(1e-6, float(ground.std())), 0, None)
    density = nuclear[..., None] * HAEMATOXYLIN + ground[..., None] * EOSIN
    return np.round(np.exp(-density) * 255).astype(np.uint8)


def nucleus_scale(diameter: float) -> float:
    """Magnification that brings a nucleus of `diameter` px to the usual width; bounded against faults of the labels."""
    return float(np.clip(NUCLEUS_PIXELS / max(1.0, diameter), 0.33, 3))


def read_fluorescence(folder: Path, varied: bool = False, wanted: Callable[[str], bool] = lambda stem: True) -> list[Instances]:
    """Reads `images`, `instances` and `index.json` (`mpp` in µm/px or null, `median_diameter_px`) of those stems that are `wanted`.
    Pictures finer than the model's scale are reduced to it. `varied`: each image gets a virtual stain of its own, drawn from its
    name; else all get the usual one."""
    records = []
    for stem, row in sorted(json.loads((folder / "index.json").read_text()).items()):
        if not wanted(stem):
            continue
        grey = Image.open(folder / "images" / f"{stem}.png").convert("L")
        labels = Image.fromarray(np.asarray(Image.open(folder / "instances" / f"{stem}.png")).astype(np.int32))
        scale = row["mpp"] / MICRONS_PER_PIXEL if row["mpp"] else nucleus_scale(row["median_diameter_px"])
        if scale < 1:
            size = tuple(max(1, round(side * scale)) for side in grey.size)
            grey, labels, scale = grey.resize(size, Image.Resampling.BOX), labels.resize(size, Image.Resampling.NEAREST), 1.0
        stain = VirtualStain.varied(random.Random(stem)) if varied else VirtualStain()
        outlines = np.asarray(labels)
        rgb = render_haematoxylin(np.asarray(grey), stain)
        records.append(Instances(f"{folder.name}/{stem}", rgb, outlines, normalised_distance(outlines), scale))
    return records
