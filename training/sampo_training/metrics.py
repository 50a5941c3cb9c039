"""Scores of a set of found nuclei against the truth."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

MATCH_PIXELS = 6  # 3 µm


def matched(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Which found points have a true one of their own within 3 µm (optimal assignment). found [N, 2], truth [M, 2] -> [N] bool."""
    hit = np.zeros(len(found), bool)
    if len(found) and len(truth):
        cost = np.minimum(cdist(found, truth), 1e3)
        rows, columns = linear_sum_assignment(np.where(cost <= MATCH_PIXELS, cost, 1e3))
        hit[rows] = cost[rows, columns] <= MATCH_PIXELS
    return hit


def match_points(found: np.ndarray, truth: np.ndarray) -> int:
    """Number of one-to-one pairs within 3 µm."""
    return int(matched(found, truth).sum())


def calibration_error(scores: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error (Guo et al., 2017): mean distance of score and share of right ones over bins of the score."""
    index = np.minimum((scores * bins).astype(int), bins - 1)
    number = np.bincount(index, minlength=bins)
    distance = np.abs(np.bincount(index, scores, bins) - np.bincount(index, right, bins))
    return float(distance.sum() / max(1, number.sum()))


def f1(found: np.ndarray, truth: np.ndarray) -> float:
    return 2 * match_points(found, truth) / max(1, len(found) + len(truth))


def instance_scores(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Dice, AJI (Kumar et al., 2017) and F1 at IoU 0.5 of two label images."""
    pairs = np.zeros((found.max() + 1, truth.max() + 1))
    np.add.at(pairs, (found.ravel(), truth.ravel()), 1)
    areas_found, areas_truth = pairs.sum(1)[1:], pairs.sum(0)[1:]
    both = pairs[1:, 1:]
    union = areas_found[:, None] + areas_truth[None] - both
    hits = int((both / np.maximum(union, 1) > 0.5).sum())
    shared, total, used = 0.0, 0.0, set()
    for index, area in enumerate(areas_truth):
        best = int((both[:, index] / np.maximum(union[:, index], 1)).argmax()) if len(areas_found) else -1
        if best < 0 or both[best, index] == 0:  # missed: nothing overlaps it
            total += area
            continue
        shared, total = shared + both[best, index], total + union[best, index]
        used.add(best)
    total += sum(area for index, area in enumerate(areas_found) if index not in used)
    return dict(
        dice=float(2 * both.sum() / max(1, areas_found.sum() + areas_truth.sum())),
        aji=float(shared / max(1, total)),
        f1=2 * hits / max(1, len(areas_found) + len(areas_truth)),
    )
