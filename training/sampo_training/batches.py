"""Endless seeded stream of training batches: tiles with outlines for the class-agnostic head, pairs of tiles with a
question that needs no type labels, and pairs with typed objects (the second tile from the same slide, or now and then another)."""

import hashlib
import pickle
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.utils.data import DataLoader, IterableDataset

from . import data
from .augment import Colour, crop
from .fluorescence import read_fluorescence
from .questions import outlined, question_tiles
from .splits import held_out, kromp_test
from .synthetic import as_instances


@dataclass
class Sources:
    """Groups of records with their sampling weight. `instances`: outlines for the class-agnostic head; `typed`: objects with a
    class; `outlined`: outlines that questions without type labels are asked about."""

    instances: list[tuple[float, list]]
    typed: list[tuple[float, list]]
    outlined: list[tuple[float, list]] = field(default_factory=list)

    def vocabularies(self) -> dict[tuple, tuple[int, int]]:
        """Class names of a group -> its columns [start, stop) of the type classifier."""
        spans, start = {}, 0
        for names in sorted({tuple(record.names) for _, group in self.typed for record in group}):
            spans[names] = (start, start + len(names))
            start += len(names)
        return spans


# Sampling weights of the outline sets: for the class-agnostic head, and for questions without type labels.
INSTANCE_WEIGHTS = dict(tnbc_20x=0.35, nuinsseg_20x=0.35, dsb2018_brightfield=0.18, dsb2018_fluorescence=0.06, kromp_fluorescence=0.06)
QUESTION_WEIGHTS = dict(tnbc_20x=0.2, nuinsseg_20x=0.4, dsb2018_brightfield=0.15, dsb2018_fluorescence=0.12, kromp_fluorescence=0.13)


def load_outlines(root: Path) -> dict[str, list[data.Instances]]:
    """Every training image with outlines, by set; held-out parts are left out."""
    test = kromp_test(root / "kromp_fluorescence/index.json")

    def trained_on(folder: str):
        return lambda stem: not held_out(f"{folder}/{stem}")

    return dict(
        tnbc_20x=data.read_instances(root / "tnbc_20x", True, False, trained_on("tnbc_20x")),
        nuinsseg_20x=data.read_instances(root / "nuinsseg_20x", True, False, trained_on("nuinsseg_20x")),
        dsb2018_brightfield=data.read_instances(root / "dsb2018_brightfield", False, True, trained_on("dsb2018_brightfield")),
        dsb2018_fluorescence=read_fluorescence(root / "dsb2018_fluorescence", True, trained_on("dsb2018_fluorescence")),
        kromp_fluorescence=read_fluorescence(root / "kromp_fluorescence", True, lambda stem: stem not in test),
    )


def load_sources(root: Path, lifted: dict | None = None, synthetic: list | None = None, questions: bool = False) -> Sources:
    """Reads every training set below `root`. `lifted`: name -> objects map that replaces the disks of brca_m2c; `questions`:
    measure the outline sets too, so that questions without type labels can be asked about them."""
    outlines = load_outlines(root)
    instances = [(INSTANCE_WEIGHTS[name], records) for name, records in outlines.items()]
    breast = data.read_points(root / "brca_m2c", "train")
    for record in breast:
        if lifted and record.name in lifted:
            record.objects = lifted[record.name]
    blood = [r for r in data.read_boxes(root / "blood_txl_pbc") if not held_out(f"blood_txl_pbc/{r.name}")]
    typed = [(0.84, breast), (0.06, data.read_points(root / "nucls_sample", None)), (0.04, blood)]
    if synthetic:
        typed.append((0.06, synthetic))
        instances.append((0.1, [as_instances(s) for s in synthetic]))
    asked = []
    if questions:
        for name, records in outlines.items():
            measured = [source for record in records if (source := outlined(record))]
            asked.append((QUESTION_WEIGHTS[name], measured))
    return Sources(instances, typed, asked)


def kept_sources(path: Path, settings: tuple, make: Callable[[], Sources]) -> Sources:
    """The sources as a run keeps them beside its checkpoint, so that it is soon back after a kill; made anew when the settings or
    the code that reads and measures has changed."""
    digest = hashlib.sha256(repr(settings).encode())
    for name in ("attributes", "batches", "data", "fluorescence", "questions", "splits", "synthetic"):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    if path.exists():
        with path.open("rb") as file:
            if pickle.load(file) == digest.hexdigest():
                return pickle.load(file)
    sources = make()
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        pickle.dump(digest.hexdigest(), file)
        pickle.dump(sources, file)
    unfinished.rename(path)
    return sources


@dataclass(frozen=True)
class Mixture:
    """What a batch is made of: I tiles with outlines, Q pairs with a question that needs no type labels, P pairs with types."""

    instance_tiles: int
    questions: int
    pairs: int

    @classmethod
    def of(cls, config: dict) -> "Mixture":
        return cls(config["instance_tiles"], config.get("questions", 0), config["pairs"])


class Batches(IterableDataset):
    """Yields dicts. `image` [I + 2Q + 2P, 3, 256, 256] in 0..1, in that order; `labels`, `distance` [I + 2Q, 256, 256]: outlines;
    `objects` [2Q + 2P, 256, 256] int32 and `classes`, a list of 2Q + 2P tensors (class of object i + 1): what is asked about;
    of the typed tiles alone: `spots` [2P, 256, 256], the objects as disks where only points are labelled, `vocabulary` list of 2P
    (start, stop), `disk` [2P] bool."""

    def __init__(self, sources: Sources, mixture: Mixture, seed: int, cross_slide: float = 0.25):
        self.sources, self.mixture, self.seed, self.cross = sources, mixture, seed, cross_slide
        self.vocabularies = sources.vocabularies()

    def __iter__(self):
        rng = random.Random(self.seed)
        torch.manual_seed(self.seed)
        while True:
            yield self.batch(rng)

    def batch(self, rng: random.Random) -> dict:
        outlines = [self.instance_tile(rng) for _ in range(self.mixture.instance_tiles)]
        asked = [tile for _ in range(self.mixture.questions) for tile in question_tiles(rng, pick(rng, self.sources.outlined))]
        typed = [tile for _ in range(self.mixture.pairs) for tile in self.typed_pair(rng)]
        return dict(
            image=torch.stack([tile[0] for tile in outlines] + [tile.image for tile in asked] + [tile["image"] for tile in typed]),
            labels=torch.stack([tile[1] for tile in outlines] + [tile.outlines for tile in asked]),
            distance=torch.stack([tile[2] for tile in outlines] + [tile.distance for tile in asked]),
            objects=torch.stack([tile.objects for tile in asked] + [tile["objects"] for tile in typed]),
            classes=[tile.classes for tile in asked] + [tile["classes"] for tile in typed],
            spots=torch.stack([tile["spots"] for tile in typed]),
            vocabulary=[tile["vocabulary"] for tile in typed],
            disk=torch.tensor([tile["disk"] for tile in typed]),
        )

    def instance_tile(self, rng: random.Random):
        """-> image, labels, distance."""
        record = rng.choice(pick(rng, self.sources.instances))
        image, (label, distance) = crop(rng, record.rgb, [record.labels, record.distance], record.scale)
        return Colour(rng).apply(image), label, distance

    def typed_pair(self, rng: random.Random) -> list[dict]:
        """A support tile and a query tile, usually of the same slide."""
        group = pick(rng, self.sources.typed)
        first = rng.choice(group)
        second = rng.choice([r for r in group if r.names == first.names]) if rng.random() < self.cross else first
        colour, tiles = Colour(rng), []
        for record in (first, second):
            if record is not first:
                colour = Colour(rng, 0.5)
            image, (objects, spots) = crop(rng, record.rgb, [record.objects, record.spots], record.scale)
            tiles.append(
                dict(
                    image=colour.apply(image),
                    objects=objects,
                    spots=spots,
                    classes=torch.from_numpy(record.classes),
                    vocabulary=self.vocabularies[tuple(record.names)],
                    disk=not record.exact,
                )
            )
        return tiles


def pick(rng: random.Random, groups: list[tuple[float, list]]) -> list:
    return rng.choices([g for _, g in groups], [w for w, _ in groups])[0]


def stream(dataset: Batches):
    """Batches made by one worker process, ahead of the trainer."""
    return iter(DataLoader(dataset, batch_size=None, num_workers=1, prefetch_factor=4))
