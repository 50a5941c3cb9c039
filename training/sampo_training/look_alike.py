"""`python -m sampo_training.look_alike --data DIR/dsb2018_fluorescence --out splits/dsb2018_fluorescence.json`: which images to hold out.

Many images of the set are crops of the same field. Crops of a field share its exposure, noise and magnification, so images are
joined by single linkage on those, and whole groups are held out: a look-alike of a held-out image is held out too."""

import argparse
import json
import random
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.cluster.hierarchy import fcluster, linkage

# One unit of distance in each feature: about the spread within the crops of one field.
UNITS = np.array([0.5, 0.6, 0.6, 0.6, 0.25])
REACH = 0.8
LARGEST_GROUP, WANTED = 70, 80  # images


def appearance(grey: np.ndarray, nuclei: np.ndarray, diameter: float) -> list[float]:
    """Binary logarithms of background level, nuclear level, background noise, brightest level, nuclear diameter."""
    laplacian = np.abs(4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:])
    levels = (
        np.median(grey[~nuclei]),
        np.median(grey[nuclei]),
        np.median(laplacian[~nuclei[1:-1, 1:-1]]),
        np.percentile(grey, 99),
    )
    return [*(float(np.log2(level + 1)) for level in levels), float(np.log2(diameter))]


def group_look_alikes(features: np.ndarray, formats: list[str]) -> np.ndarray:
    """features [N, 5], picture format of each image -> group number of each image [N]. Formats are never joined."""
    codes = {name: code for code, name in enumerate(sorted(set(formats)))}
    apart = np.array([[codes[name] * 1000.0] for name in formats])
    return fcluster(linkage(np.concatenate([features / UNITS, apart], 1), "single"), REACH, "distance")


def choose_held_out(names: list[str], groups: np.ndarray, seed: int = 11) -> list[str]:
    """Whole groups in a seeded order until at least `WANTED` images are held out; the giants stay in training."""
    members: dict[int, list[str]] = {}
    for name, group in zip(names, groups.tolist()):
        members.setdefault(group, []).append(name)
    candidates = [rows for rows in members.values() if len(rows) <= LARGEST_GROUP]
    random.Random(seed).shuffle(candidates)
    chosen: list[str] = []
    for rows in candidates:
        if len(chosen) >= WANTED:
            break
        chosen += rows
    return sorted(chosen)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    index = json.loads((arguments.data / "index.json").read_text())
    names, features = sorted(index), []
    for name in names:
        grey = np.asarray(Image.open(arguments.data / "images" / f"{name}.png").convert("L")).astype(float)
        nuclei = np.asarray(Image.open(arguments.data / "instances" / f"{name}.png")) > 0
        features.append(appearance(grey, nuclei, index[name]["median_diameter_px"]))
    groups = group_look_alikes(np.array(features), [index[name]["group"] for name in names])
    held_out = choose_held_out(names, groups)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(dict(groups=int(groups.max()), images=len(names), held_out=held_out), indent=2) + "\n")
    print(f"{len(held_out)} of {len(names)} images held out, {groups.max()} groups")


if __name__ == "__main__":
    main()
