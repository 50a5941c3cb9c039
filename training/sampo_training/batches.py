"""Endless seeded stream of training batches: tiles with outlines for the class-agnostic head, and pairs of tiles with typed
objects for intent episodes (the second tile from the same slide, or now and then from another one)."""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader, IterableDataset

from . import data
from .augment import Colour, crop
from .synthetic import as_instances


@dataclass
class Sources:
    """`instances` and `typed`: groups of records with their sampling weight."""

    instances: list[tuple[float, list]]
    typed: list[tuple[float, list]]

    def vocabularies(self) -> dict[tuple, tuple[int, int]]:
        """Class names of a group -> its columns [start, stop) of the type classifier."""
        spans, start = {}, 0
        for names in sorted({tuple(record.names) for _, group in self.typed for record in group}):
            spans[names] = (start, start + len(names))
            start += len(names)
        return spans


def held_out(record: data.Instances) -> bool:
    """tnbc patients 09 to 11 and every sixth dsb image are never trained on: they are the class-agnostic score."""
    folder, name = record.name.split("/")
    if folder.startswith("tnbc"):
        return name[:2] in ("09", "10", "11")
    return folder.startswith("dsb") and int(name[:8], 16) % 6 == 0


def load_sources(root: Path, lifted: dict | None = None, synthetic: list | None = None) -> Sources:
    """Reads every training set below `root`. `lifted`: name -> objects map that replaces the disks of brca_m2c."""
    sets = {
        0.45: data.read_instances(root / "tnbc_20x", fused=True),
        0.35: data.read_instances(root / "nuinsseg_20x", fused=True),
        0.2: data.read_instances(root / "dsb2018_brightfield", fused=False, rescale=True),
    }
    instances = [(weight, [r for r in records if not held_out(r)]) for weight, records in sets.items()]
    breast = data.read_points(root / "brca_m2c", "train")
    for record in breast:
        if lifted and record.name in lifted:
            record.objects = lifted[record.name]
    typed = [
        (0.84, breast),
        (0.06, data.read_points(root / "nucls_sample", None)),
        (0.04, data.read_boxes(root / "blood_txl_pbc")),
    ]
    if synthetic:
        typed.append((0.06, synthetic))
        instances.append((0.1, [as_instances(s) for s in synthetic]))
    return Sources(instances, typed)


class Batches(IterableDataset):
    """Yields dicts: `image` [I + 2P, 3, 256, 256] in 0..1 (I instance tiles, then P pairs), `labels`, `distance` [I, 256, 256],
    `objects` [2P, 256, 256] int32, `spots` the same as disks where only points are labelled, `classes` list of 2P tensors (class
    of object i + 1), `vocabulary` list of 2P (start, stop), `disk` [2P] bool."""

    def __init__(self, sources: Sources, instance_tiles: int, pairs: int, seed: int, cross_slide: float = 0.25):
        self.sources, self.instance_tiles, self.pairs, self.seed, self.cross = sources, instance_tiles, pairs, seed, cross_slide
        self.vocabularies = sources.vocabularies()

    def __iter__(self):
        rng = random.Random(self.seed)
        torch.manual_seed(self.seed)
        while True:
            yield self.batch(rng)

    def batch(self, rng: random.Random) -> dict:
        images, labels, distances, objects, spots, classes, vocabulary, disk = ([] for _ in range(8))
        for _ in range(self.instance_tiles):
            record = rng.choice(pick(rng, self.sources.instances))
            image, (label, distance) = crop(rng, record.rgb, [record.labels, record.distance], record.scale)
            images.append(Colour(rng).apply(image))
            labels.append(label)
            distances.append(distance)
        for _ in range(self.pairs):
            group = pick(rng, self.sources.typed)
            first = rng.choice(group)
            second = rng.choice([r for r in group if r.names == first.names]) if rng.random() < self.cross else first
            colour = Colour(rng)
            for record in (first, second):
                if record is not first:
                    colour = Colour(rng, 0.5)
                image, (drawn, spot) = crop(rng, record.rgb, [record.objects, record.spots], record.scale)
                images.append(colour.apply(image))
                objects.append(drawn)
                spots.append(spot)
                vocabulary.append(self.vocabularies[tuple(record.names)])
                classes.append(torch.from_numpy(record.classes))
                disk.append(not record.exact)
        return dict(image=torch.stack(images), labels=torch.stack(labels), distance=torch.stack(distances),
                    objects=torch.stack(objects), spots=torch.stack(spots), classes=classes, vocabulary=vocabulary, disk=torch.tensor(disk))  # fmt: skip


def pick(rng: random.Random, groups: list[tuple[float, list]]) -> list:
    return rng.choices([g for _, g in groups], [w for w, _ in groups])[0]


def stream(dataset: Batches):
    """Batches made by one worker process, ahead of the trainer."""
    return iter(DataLoader(dataset, batch_size=None, num_workers=1, prefetch_factor=4))
