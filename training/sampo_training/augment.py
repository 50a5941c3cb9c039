"""Crops and colour changes on torch tensors. Geometry: crop, scale 0.8 to 1.25, flips, quarter turns. Colour: stain jitter in
optical density (Tellez et al., 2018), brightness, contrast, blur, noise, JPEG."""

import io
import random

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

TILE = 256
# Ruifrok & Johnston 2001: haematoxylin, eosin, residual; rows are optical densities of R, G, B.
STAINS = torch.tensor([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
STAINS_INVERSE = torch.linalg.inv(STAINS)


class Colour:
    """One draw of colour changes; `apply` may be called for several tiles of the same slide."""

    def __init__(self, rng: random.Random, strength: float = 1.0, grey_share: float = 0.03):
        u = rng.uniform
        self.gain = torch.tensor([u(1 - 0.25 * strength, 1 + 0.25 * strength) for _ in range(3)])
        if rng.random() < 0.2:  # faded slides: pale nuclei are the ones that are missed
            self.gain[0] *= u(0.5, 1)
        self.shift = torch.tensor([u(-0.05, 0.05) * strength for _ in range(3)])
        self.brightness, self.contrast = u(0.92, 1.08), u(0.9, 1.1)
        self.blur = rng.random() < 0.25
        self.noise = u(0, 0.03) if rng.random() < 0.3 else 0.0
        self.jpeg = rng.randint(35, 90) if rng.random() < 0.2 else 0
        self.grey = rng.random() < grey_share

    def apply(self, image: torch.Tensor) -> torch.Tensor:
        """[3, H, W] in 0..1 -> the same shape and range."""
        density = -torch.log(image.clamp(1 / 255, 1)).permute(1, 2, 0) @ STAINS_INVERSE
        image = torch.exp(-((density * self.gain + self.shift) @ STAINS)).permute(2, 0, 1)
        image = ((image - 0.5) * self.contrast + 0.5) * self.brightness
        if self.grey:
            image = image.mean(0, keepdim=True).expand(3, -1, -1)
        if self.blur:
            image = F.avg_pool2d(F.pad(image[None], (1, 1, 1, 1), mode="reflect"), 3, 1)[0]
        if self.noise:
            image = image + torch.randn_like(image) * self.noise
        image = image.clamp(0, 1)
        return recompress(image, self.jpeg) if self.jpeg else image


def recompress(image: torch.Tensor, quality: int) -> torch.Tensor:
    buffer = io.BytesIO()
    Image.fromarray((image.permute(1, 2, 0).numpy() * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return torch.from_numpy(np.asarray(Image.open(buffer)).astype(np.float32) / 255).permute(2, 0, 1)


def crop(rng: random.Random, rgb: np.ndarray, maps: list[np.ndarray], scale: float, jitter=(0.8, 1.25)):
    """Cuts one random tile at `scale` (times a random factor) and turns it. `rgb` [H, W, 3] uint8; `maps` [H, W] each, sampled
    nearest. Returns image [3, 256, 256] float in 0..1 and the maps as tensors; outside the image is white and 0."""
    factor = scale * float(np.exp(rng.uniform(np.log(jitter[0]), np.log(jitter[1]))))
    side = max(16, int(round(TILE / factor)))
    height, width = rgb.shape[:2]
    top = rng.randint(0, max(0, height - side))
    left = rng.randint(0, max(0, width - side))
    window = np.s_[top : top + side, left : left + side]
    image = torch.from_numpy(rgb[window].astype(np.float32) / 255).permute(2, 0, 1)
    pad = (0, side - image.shape[2], 0, side - image.shape[1])
    image = F.pad(image, pad, value=0.95)
    planes = [F.pad(torch.from_numpy(np.ascontiguousarray(m[window])), pad) for m in maps]
    if side != TILE:
        mode = dict(mode="bilinear", align_corners=False, antialias=True)
        image = F.interpolate(image[None], (TILE, TILE), **mode)[0]
        index = ((torch.arange(TILE) + 0.5) * (side / TILE)).long().clamp(max=side - 1)
        planes = [p[index][:, index] for p in planes]
    turns, flip = rng.randint(0, 3), rng.random() < 0.5
    turned = [torch.rot90(t, turns, (-2, -1)) for t in (image, *planes)]
    turned = [t.flip(-1) if flip else t for t in turned]
    return turned[0].clamp(0, 1), [t.contiguous() for t in turned[1:]]
