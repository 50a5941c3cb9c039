"""`python -m sampo_training.evaluate --checkpoint FILE --data DIR [--split val] [--sheets DIR]`: the gate of every checkpoint. Intent F1 for k clicks
beside two baselines (every nucleus; a random forest on per-object measurements), and the class-agnostic scores."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from skimage import color, filters, measure
from sklearn.ensemble import RandomForestClassifier

from . import data
from .infer import encode_image, score_objects, split
from .packed import load
from .splits import held_out

MATCH_PIXELS = 6  # 3 µm
CLICKS = (1, 3, 5, 10)


def match_points(found: np.ndarray, truth: np.ndarray) -> int:
    """Number of one-to-one pairs within 3 µm (optimal assignment)."""
    if not len(found) or not len(truth):
        return 0
    cost = np.minimum(cdist(found, truth), 1e3)
    rows, columns = linear_sum_assignment(np.where(cost <= MATCH_PIXELS, cost, 1e3))
    return int((cost[rows, columns] <= MATCH_PIXELS).sum())


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    return 2 * match_points(found, truth) / max(1, len(found) + len(truth))


def measurements(rgb: np.ndarray, instances: np.ndarray) -> np.ndarray:
    """Area, shape and optical densities of every object [N, 16]: what a QuPath object classifier sees."""
    density = -np.log(np.clip(rgb / 255, 1 / 255, 1))
    stains = color.rgb2hed(rgb)
    planes = np.concatenate([density, stains[..., :2]], -1)
    rows = []
    for region in measure.regionprops(instances, planes):
        values = planes[tuple(region.coords.T)]
        rows.append([region.area, region.perimeter, region.eccentricity, region.solidity, region.axis_major_length,
                     region.axis_minor_length, *values.mean(0), *values.std(0)])  # fmt: skip
    return np.nan_to_num(np.array(rows, np.float32).reshape(-1, 16))


def draw_clicks(rng, points, classes, asked, k, negatives):
    """k centroids of the class, and as many of other classes when `negatives`. None when there are fewer than k."""
    own, others = np.flatnonzero(classes == asked), np.flatnonzero(classes != asked)
    if len(own) < max(k, 5):
        return None
    chosen = rng.choice(own, k, replace=False)
    rest = rng.choice(others, min(k, len(others)), replace=False) if negatives and len(others) else np.zeros(0, int)
    order = np.concatenate([chosen, rest])
    return points[order], np.array([1] * len(chosen) + [0] * len(rest))


def forest_scores(table, encoded, clicks, labels, rng):
    """Forest on the clicked objects; with no negative clicks, ten random other objects stand in."""
    nearest = cdist(clicks, encoded.centroids).argmin(1)
    rows, kinds = list(nearest), list(labels)
    if (labels == 0).sum() == 0:
        for other in rng.choice(len(table), min(len(table), max(10, len(labels))), replace=False):
            if other not in nearest:
                rows.append(other)
                kinds.append(0)
    forest = RandomForestClassifier(100, random_state=0, class_weight="balanced").fit(table[rows], kinds)
    return forest.predict_proba(table)[:, list(forest.classes_).index(1)]


def intent_scores(nets, records, seeds=3, with_forest=True, thresholds=np.arange(0.2, 0.81, 0.05)):
    """-> {method: {k, negatives: mean over classes of the mean F1}}, and the best threshold of the model."""
    rows, sweep = {}, {}
    for record in records:
        encoded = encode_image(nets, record.rgb)
        table = measurements(record.rgb, encoded.instances) if with_forest else None
        for asked, name in enumerate(record.names):
            truth = record.points[record.classes == asked]
            for k in CLICKS:
                for negatives in (False, True):
                    for seed in range(seeds):
                        rng = np.random.default_rng([seed, k, asked, negatives])
                        drawn = draw_clicks(rng, record.points, record.classes, asked, k, negatives)
                        if drawn is None:
                            continue
                        scores = score_objects(nets, encoded, *drawn)
                        key = (k, negatives, name)
                        rows.setdefault(("sampo", *key), []).append(f1(encoded.centroids[scores >= 0.5], truth))
                        if seed == 0:
                            rows.setdefault(("all-nuclei", *key), []).append(f1(encoded.centroids, truth))
                            for t in thresholds:
                                sweep.setdefault(round(float(t), 2), []).append(f1(encoded.centroids[scores >= t], truth))
                        if with_forest and seed < 2:
                            votes = forest_scores(table, encoded, *drawn, rng)
                            rows.setdefault(("forest", *key), []).append(f1(encoded.centroids[votes >= 0.5], truth))
    report = {}
    for method in ("sampo", "all-nuclei", "forest"):
        for k in CLICKS:
            for negatives in (False, True):
                per_class = [np.mean(v) for key, v in rows.items() if key[:3] == (method, k, negatives)]
                if per_class:
                    report.setdefault(method, {})[f"{k}{'+' + str(k) if negatives else ''}"] = round(float(np.mean(per_class)), 4)
    return report, {t: round(float(np.mean(v)), 4) for t, v in sweep.items()}


def instance_scores(found: np.ndarray, truth: np.ndarray) -> dict:
    """Dice, AJI (Kumar et al., 2017) and F1 at IoU 0.5 of two label images."""
    pairs = np.zeros((found.max() + 1, truth.max() + 1))
    np.add.at(pairs, (found.ravel(), truth.ravel()), 1)
    areas_found, areas_truth = pairs.sum(1)[1:], pairs.sum(0)[1:]
    both = pairs[1:, 1:]
    union = areas_found[:, None] + areas_truth[None] - both
    iou = both / np.maximum(union, 1)
    hits = int((iou > 0.5).sum())
    best = iou.argmax(0) if len(areas_found) else np.zeros(0, int)
    inter = both[best, np.arange(len(areas_truth))].sum() if len(areas_found) else 0
    total = union[best, np.arange(len(areas_truth))].sum() if len(areas_found) else areas_truth.sum()
    unused = np.setdiff1d(np.arange(len(areas_found)), best)
    return dict(dice=2 * both.sum() / max(1, areas_found.sum() + areas_truth.sum()),
                aji=inter / max(1, total + areas_found[unused].sum()),
                f1=2 * hits / max(1, len(areas_found) + len(areas_truth)))  # fmt: skip


def classical(rgb: np.ndarray) -> np.ndarray:
    """Colour deconvolution, Otsu, distance-transform watershed."""
    from scipy import ndimage

    stain = filters.gaussian(color.rgb2hed(rgb)[..., 0], 1)
    inside = stain > filters.threshold_otsu(stain)
    distance = ndimage.distance_transform_edt(inside)
    return split(inside.astype(float), distance / max(1.0, np.percentile(distance[inside], 95)))


def rescaled(record: data.Instances):
    """The record at the model's scale. -> rgb, labels."""
    from PIL import Image

    if record.scale == 1:
        return record.rgb, record.labels
    size = tuple(int(round(s * record.scale)) for s in record.rgb.shape[1::-1])
    rgb = np.asarray(Image.fromarray(record.rgb).resize(size, Image.BILINEAR))
    return rgb, np.asarray(Image.fromarray(record.labels).resize(size, Image.NEAREST))


def class_agnostic(nets, root: Path) -> dict:
    """Mean Dice, AJI and F1 at IoU 0.5 on the held-out parts, beside the classical way."""
    report = {}
    for folder, fused, rescale in (("tnbc_20x", True, False), ("dsb2018_brightfield", False, True)):
        rows = {"sampo-tiny": [], "classical": []}
        for record in data.read_instances(root / folder, fused, rescale):
            if held_out(record.name):
                rgb, labels = rescaled(record)
                rows["sampo-tiny"].append(instance_scores(encode_image(nets, rgb).instances, labels))
                rows["classical"].append(instance_scores(classical(rgb), labels))
        report[folder] = {m: {k: round(float(np.mean([r[k] for r in v])), 4) for k in v[0]} | {"images": len(v)} for m, v in rows.items()}
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val", choices=["train", "val"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true", help="no forest, no class-agnostic part")
    arguments = parser.parse_args()
    nets, start = load(arguments.checkpoint), time.time()
    records = data.read_points(arguments.data / "brca_m2c", arguments.split)
    intent, sweep = intent_scores(nets, records, arguments.seeds, not arguments.quick)
    report = dict(split=arguments.split, intent=intent, threshold=sweep)
    if not arguments.quick:
        report["classAgnostic"] = class_agnostic(nets, arguments.data)
    report["seconds"] = round(time.time() - start)
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
