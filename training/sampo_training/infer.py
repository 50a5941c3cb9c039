"""The product's inference path in Python, for gates during training: tile an image, split nuclei, prompt, score objects."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed

from .episodes import prompt_feeds
from .train import normalise

TILE, STEP = 256, 240


@dataclass
class Encoded:
    """One image: tiles' origins and embeddings, nucleus probability and distance [H, W], instances [H, W] int32, centroids [N, 2]
    (x, y) and the mean embedding of every instance [N, C]."""

    origins: list[tuple[int, int]]
    embeddings: torch.Tensor
    probability: np.ndarray
    distance: np.ndarray
    instances: np.ndarray
    centroids: np.ndarray
    features: torch.Tensor


def origins_along(length: int) -> list[int]:
    """Tile starts covering `length` pixels, the last one flush with the end."""
    if length <= TILE:
        return [0]
    return [*range(0, length - TILE, STEP), length - TILE]


def window() -> torch.Tensor:
    """[256, 256] weights that fade towards a tile's border, where context is missing."""
    ramp = torch.minimum(torch.arange(TILE) + 1, torch.arange(TILE, 0, -1)).clamp(max=48).float()
    return ramp[:, None] * ramp[None]


def split(probability: np.ndarray, distance: np.ndarray, threshold=0.65, marker=0.5, dynamics=0.1, least=40) -> np.ndarray:
    """Marker-controlled watershed as in the product: summits of the distance map at or above `marker` that rise `dynamics` over the
    saddle to a higher one; foreground without a summit is one object. -> [H, W] int32."""
    inside = probability > threshold
    level = np.where(inside, np.round(distance * 255) / 255, 0)
    capped = reconstruction(np.maximum(level - dynamics, 0), level)
    seeds, count = ndimage.label(local_maxima(capped) & inside & (level >= marker), np.ones((3, 3)))
    bodies, _ = ndimage.label(inside)
    unseeded = np.setdiff1d(np.unique(bodies), np.unique(bodies[seeds > 0]))
    seeds = np.where(np.isin(bodies, unseeded) & inside, bodies + count + 1, seeds)
    labels = watershed(-distance, seeds, mask=inside)
    areas = np.bincount(labels.ravel())
    labels[areas[labels] < least] = 0
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)


def pool(embeddings, origins, instances, count):
    """Mean embedding under every instance, over all tiles that show it. -> [N, C]."""
    total, area = torch.zeros(count + 1, embeddings.shape[1]), torch.zeros(count + 1)
    for embedding, (x, y) in zip(embeddings, origins):
        index = torch.from_numpy(instances[y : y + TILE, x : x + TILE]).long()
        index = torch.nn.functional.pad(index, (0, TILE - index.shape[1], 0, TILE - index.shape[0]))[1::2, 1::2].flatten()
        cells = embedding.repeat_interleave(2, 1).repeat_interleave(2, 2).flatten(1).T
        total.index_add_(0, index, cells)
        area.index_add_(0, index, torch.ones(len(index)))
    return total[1:] / area[1:, None].clamp(min=1)


@torch.no_grad()
def encode_image(nets, rgb: np.ndarray, **options) -> Encoded:
    """rgb [H, W, 3] uint8 at 0.5 µm/px."""
    height, width = rgb.shape[:2]
    origins = [(x, y) for y in origins_along(height) for x in origins_along(width)]
    maps, weights = torch.zeros(2, height, width), torch.zeros(height, width)
    tiles = []
    for x, y in origins:
        piece = torch.from_numpy(rgb[y : y + TILE, x : x + TILE].astype(np.float32) / 255).permute(2, 0, 1)
        tiles.append(torch.nn.functional.pad(piece, (0, TILE - piece.shape[2], 0, TILE - piece.shape[1]), value=0.95))
    embeddings = []
    for (x, y), tile in zip(origins, tiles):
        embedding, nucleus, distance = nets.encoder(normalise(tile[None]))
        embeddings.append(embedding[0])
        h, w = min(TILE, height - y), min(TILE, width - x)
        fade = window()[:h, :w]
        maps[:, y : y + h, x : x + w] += torch.cat([torch.sigmoid(nucleus[0]), distance[0]])[:, :h, :w] * fade
        weights[y : y + h, x : x + w] += fade
    probability, distance = (maps / weights).numpy()
    instances = split(probability, distance, **options)
    count = int(instances.max())
    centroids = np.array(ndimage.center_of_mass(instances > 0, instances, np.arange(1, count + 1))).reshape(-1, 2)[:, ::-1]
    stacked = torch.stack(embeddings)
    return Encoded(origins, stacked, probability, distance, instances, centroids, pool(stacked, origins, instances, count))


@torch.no_grad()
def score_objects(nets, encoded: Encoded, clicks: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """clicks [K, 2] (x, y), labels [K] of 1 and 0 -> intent score of every instance [N] (mean probability inside it)."""
    count = len(encoded.centroids)
    height, width = encoded.instances.shape
    under = encoded.instances[clicks[:, 1].astype(int).clip(0, height - 1), clicks[:, 0].astype(int).clip(0, width - 1)]
    features = torch.stack([encoded.features[i - 1] if i else nearest_cell(encoded, c) for i, c in zip(under, clicks)])
    kinds = torch.from_numpy(labels.astype(np.float32))
    prompts = []
    for x, y in encoded.origins:
        inside = (clicks[:, 0] >= x) & (clicks[:, 0] < x + TILE) & (clicks[:, 1] >= y) & (clicks[:, 1] < y + TILE)
        feeds = prompt_feeds(features, None, kinds)
        if inside.any():
            local = prompt_feeds(features[inside], torch.from_numpy((clicks[inside] - [x, y]).astype(np.float32)), kinds[inside])
            feeds |= {k: v for k, v in local.items() if k.startswith("point")}
        prompts.append(feeds)
    masks, _ = nets.decoder(encoded.embeddings, **{name: torch.stack([feeds[name] for feeds in prompts]) for name in prompts[0]})
    # The mean of all masks errs less than the one that calls itself best.
    answers = torch.sigmoid(masks).mean(1).numpy()
    total, area = np.zeros(count + 1), np.zeros(count + 1)
    for answer, (x, y) in zip(answers, encoded.origins):
        piece = encoded.instances[y : y + TILE, x : x + TILE]
        fade = window().numpy()[: piece.shape[0], : piece.shape[1]]
        answer = answer.repeat(2, 0).repeat(2, 1)[: piece.shape[0], : piece.shape[1]]
        total += np.bincount(piece.ravel(), (answer * fade).ravel(), count + 1)
        area += np.bincount(piece.ravel(), fade.ravel(), count + 1)
    return (total / np.maximum(area, 1e-9))[1:]


def nearest_cell(encoded: Encoded, click: np.ndarray) -> torch.Tensor:
    """Embedding cell under a click that hit no nucleus, from the tile in which it lies most centrally."""
    middle = [max(abs(click[0] - x - 128), abs(click[1] - y - 128)) for x, y in encoded.origins]
    tile = int(np.argmin(middle))
    x, y = encoded.origins[tile]
    return encoded.embeddings[tile][:, int((click[1] - y) // 4), int((click[0] - x) // 4)]
