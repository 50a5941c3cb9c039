"""Intent episodes: from the typed objects of a support tile, clicks on one class; the question is that class in a query tile."""

import random
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .decoder import EXEMPLARS, INTENT_TOKENS, POINTS


@dataclass
class Episode:
    """One decoder call. `query`: tile index; `feeds`: decoder inputs without batch axis; `objects` [128, 128] int (0 none);
    `wanted` [N] float: 1 where object i + 1 is of the asked class; `judged` [N] bool: object is visible in the query tile."""

    query: int
    feeds: dict[str, torch.Tensor]
    objects: torch.Tensor
    wanted: torch.Tensor
    judged: torch.Tensor


def visible(objects: torch.Tensor, count: int, least: int = 6) -> torch.Tensor:
    """Which objects have at least `least` pixels in [128, 128] `objects`. -> [count] bool."""
    return torch.bincount(objects.flatten().long(), minlength=count + 1)[1 : count + 1] >= least


def object_features(embedding: torch.Tensor, objects: torch.Tensor, chosen: list[int]) -> torch.Tensor:
    """Area-weighted mean of embedding [C, 64, 64] over objects of the [128, 128] map. -> [len(chosen), C]."""
    masks = torch.stack([(objects == index + 1).float() for index in chosen])
    masks = F.avg_pool2d(masks[:, None], 2)[:, 0].flatten(1)
    return masks @ embedding.flatten(1).T / masks.sum(1, keepdim=True).clamp(min=1e-6)


def click_features(embedding: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Bilinear samples of embedding [C, 64, 64] at tile pixels [N, 2]. -> [N, C]."""
    grid = (points / 128 - 1)[None, None]
    return F.grid_sample(embedding[None], grid, align_corners=False, padding_mode="border")[0, :, 0].T


def centres(objects: torch.Tensor, chosen: list[int]) -> torch.Tensor:
    """Centroids in tile pixels (256 grid) of objects in the [128, 128] map. -> [N, 2] (x, y)."""
    return torch.stack([(objects == i + 1).nonzero().float().mean(0).flip(0) * 2 + 1 for i in chosen])


def prompt_feeds(features: torch.Tensor, points: torch.Tensor | None, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Pads prompts to the decoder's static shapes. features [N, C], points [N, 2] or None (other tile), labels [N] of 1 and 0."""
    channels, count = features.shape[1], len(labels)
    exemplars = torch.zeros(EXEMPLARS, channels, dtype=features.dtype)
    exemplars = torch.cat([features[:EXEMPLARS], exemplars[min(count, EXEMPLARS) :]])
    exemplar_labels = F.pad(labels[:EXEMPLARS], (0, EXEMPLARS - min(count, EXEMPLARS)), value=-1.0)
    shown = min(count, POINTS) if points is not None else 0
    coords = torch.zeros(POINTS, 2)
    if shown:
        coords[:shown] = points[:shown]
    return dict(
        point_coords=coords,
        point_labels=F.pad(labels[:shown], (0, POINTS - shown), value=-1.0),
        point_features=torch.cat([features[:shown], torch.zeros(POINTS - shown, channels)]),
        exemplar_features=exemplars,
        exemplar_labels=exemplar_labels,
        intent_tokens=torch.zeros(INTENT_TOKENS, channels),
    )


def draw_prompts(rng: random.Random, wanted_ids: list[int], other_ids: list[int]) -> tuple[list[int], torch.Tensor]:
    """1 to 10 positives, half the time 1 to 6 negatives, in random order. -> object ids, labels [N]."""
    positives = rng.sample(wanted_ids, min(len(wanted_ids), rng.choice((1, 1, 2, 3, 4, 5, 7, 10))))
    negatives = rng.sample(other_ids, min(len(other_ids), rng.randint(1, 6))) if rng.random() < 0.5 else []
    chosen = positives + negatives
    order = list(range(len(chosen)))
    rng.shuffle(order)
    labels = torch.tensor([1.0] * len(positives) + [0.0] * len(negatives))
    return [chosen[i] for i in order], labels[order]


def make_episodes(rng: random.Random, embedding: torch.Tensor, objects: torch.Tensor, classes: list[torch.Tensor]) -> list[Episode]:
    """embedding [2P, C, 64, 64], objects [2P, 256, 256]; tile 2i is the support of tiles 2i and 2i + 1."""
    episodes = []
    small = objects[:, 1::2, 1::2].contiguous()
    seen = [visible(small[i], len(classes[i])) for i in range(len(classes))]
    for pair in range(len(classes) // 2):
        support, query = 2 * pair, 2 * pair + 1
        ids = seen[support].nonzero().flatten().tolist()
        if not ids:
            continue
        asked = rng.choice(sorted({int(classes[support][i]) for i in ids}))
        wanted_ids = [i for i in ids if int(classes[support][i]) == asked]
        other_ids = [i for i in ids if int(classes[support][i]) != asked]
        chosen, labels = draw_prompts(rng, wanted_ids, other_ids)
        points = centres(small[support], chosen) + torch.randn(len(chosen), 2)
        pooled = object_features(embedding[support], small[support], chosen)
        sampled = click_features(embedding[support], points)
        take = (torch.rand(len(chosen), 1) < 0.75).float()
        features = pooled * take + sampled * (1 - take)
        for tile in (support, query):
            if not seen[tile].any():
                continue
            feeds = prompt_feeds(features, points if tile == support else None, labels)
            episodes.append(Episode(tile, feeds, small[tile], (classes[tile] == asked).float(), seen[tile]))
    return episodes
