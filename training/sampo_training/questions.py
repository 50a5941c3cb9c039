"""Pairs of tiles with a question that needs no type labels. Both tiles share their colour changes, so that colour, where it is the
answer, means the same in both."""

import random
from dataclasses import dataclass

import numpy as np
import torch

from .attributes import LEAST_NUCLEI, ask_by_attribute, measure
from .augment import Colour, crop
from .data import Instances
from .markers import Marker, choose_marked, draw_marker, paint

MARKER_SHARE = 0.5  # of the questions
SECOND_MARKER_SHARE = 0.25  # of the painted ones: another hue on nuclei drawn anew, not asked about
OTHER_IMAGE_SHARE = 0.25  # of the painted ones: the second tile is of another image of the set


@dataclass
class Outlined:
    """An image with outlines: objects [H, W] int32, numbered 1..N without gaps; table [N, A] and centres [N, 2] from `measure`."""

    record: Instances
    objects: np.ndarray
    table: np.ndarray
    centres: np.ndarray


@dataclass
class QuestionTile:
    """image [3, 256, 256]; outlines, distance [256, 256] of all nuclei; objects: those clear enough to ask about; classes [N]."""

    image: torch.Tensor
    outlines: torch.Tensor
    distance: torch.Tensor
    objects: torch.Tensor
    classes: torch.Tensor


def outlined(record: Instances) -> Outlined | None:
    """Measures a record. None when it has too few nuclei to ask about."""
    present, objects = np.unique(record.labels, return_inverse=True)
    objects = objects.reshape(record.labels.shape).astype(np.int32)
    if present[0] != 0:  # no background at all
        objects += 1
    if objects.max() < LEAST_NUCLEI:
        return None
    table, centres = measure(record.rgb, objects, record.scale)
    return Outlined(record, objects, table, centres)


def cut(rng: random.Random, source: Outlined) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """-> image, objects, distance of one random tile."""
    record = source.record
    image, (objects, distance) = crop(rng, record.rgb, [source.objects, record.distance], record.scale)
    return image, objects, distance


def keep(objects: torch.Tensor, clear: np.ndarray) -> torch.Tensor:
    """Objects without those that are not clear."""
    return objects * torch.cat([torch.zeros(1, dtype=torch.bool), torch.from_numpy(clear)])[objects.long()]


def attribute_tiles(rng: random.Random, source: Outlined, colour: Colour) -> list[QuestionTile]:
    question = ask_by_attribute(rng, source.table)
    classes, tiles = torch.from_numpy(question.classes), []
    for _ in range(2):
        image, objects, distance = cut(rng, source)
        tiles.append(QuestionTile(colour.apply(image), objects, distance, keep(objects, question.clear), classes))
    return tiles


def painted_tile(rng: random.Random, source: Outlined, marked: np.ndarray, marker: Marker, second: Marker | None, colour: Colour) -> QuestionTile:
    image, objects, distance = cut(rng, source)
    if second:
        image = paint(rng, image, objects, choose_marked(rng, source.centres, source.table), second)
    image = paint(rng, image, objects, marked, marker)
    return QuestionTile(colour.apply(image), objects, distance, objects, torch.from_numpy(marked.astype(np.int64)))


def marker_tiles(rng: random.Random, sources: list[Outlined], colour: Colour) -> list[QuestionTile]:
    marker = draw_marker(rng)
    second = draw_marker(rng) if rng.random() < SECOND_MARKER_SHARE else None
    if second and np.dot(second.stain, marker.stain) > 0.93:  # too alike to tell apart
        second = None
    first = rng.choice(sources)
    marked = choose_marked(rng, first.centres, first.table)
    tiles = [painted_tile(rng, first, marked, marker, second, colour)]
    other = rng.choice(sources) if rng.random() < OTHER_IMAGE_SHARE else first
    if other is not first:
        marked = choose_marked(rng, other.centres, other.table)
    return [*tiles, painted_tile(rng, other, marked, marker, second, colour)]


def question_tiles(rng: random.Random, sources: list[Outlined]) -> list[QuestionTile]:
    """A question about a random image of `sources` (one set). -> support tile, query tile."""
    colour = Colour(rng, grey_share=0.0)
    if rng.random() < MARKER_SHARE:
        return marker_tiles(rng, sources, colour)
    return attribute_tiles(rng, rng.choice(sources), colour)
