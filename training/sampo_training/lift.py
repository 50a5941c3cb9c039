"""`python -m sampo_training.lift --checkpoint FILE --data DIR --out lifted.npz`: typed points onto outlines. Each labelled point of brca_m2c's train
split gets the instance under it (or the nearest free one within 4 px); a point without one keeps its disk."""

import argparse
from pathlib import Path

import numpy as np
import torch

from . import data
from .infer import encode_image
from .packed import load

REACH = 4  # px: points sit on nuclei, seldom exactly on the centre
LARGEST = 1200  # px: larger instances are fused and would lend one type to many nuclei


def lift(record: data.Typed, instances: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, int]:
    """-> objects map [H, W] as in `Typed.objects`, number of points that found an outline."""
    areas = np.bincount(instances.ravel())
    holders: dict[int, list[int]] = {}
    for index, (x, y) in enumerate(record.points):
        row, column = min(int(y), instances.shape[0] - 1), min(int(x), instances.shape[1] - 1)
        label = int(instances[row, column])
        if not label and len(centroids):
            distances = np.hypot(*(centroids - [x, y]).T)
            label = int(distances.argmin()) + 1 if distances.min() <= REACH else 0
        if label and areas[label] <= LARGEST:
            holders.setdefault(label, []).append(index)
    objects, found = record.objects.copy(), 0
    for label, indices in holders.items():
        if len(indices) == 1:  # two points in one instance: split wrongly, keep their disks
            objects[instances == label] = indices[0] + 1
            found += 1
    return objects, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    nets, lifted, found, total = load(arguments.checkpoint), {}, 0, 0
    for record in data.read_points(arguments.data / "brca_m2c", "train"):
        encoded = encode_image(nets, record.rgb)
        lifted[record.name], hits = lift(record, encoded.instances, encoded.centroids)
        found, total = found + hits, total + len(record.points)
    np.savez_compressed(arguments.out, **lifted)
    print(f"{found} of {total} points lifted onto outlines")


if __name__ == "__main__":
    main()
