"""What the model is held against: a random forest on per-object measurements, and the classical way to outlines."""

import numpy as np
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage import color, filters, measure
from sklearn.ensemble import RandomForestClassifier

from .infer import Encoded, split


def measurements(rgb: np.ndarray, instances: np.ndarray) -> np.ndarray:
    """Area, shape and optical densities of every object [N, 16]: what a QuPath object classifier sees."""
    density = -np.log(np.clip(rgb / 255, 1 / 255, 1))
    stains = color.rgb2hed(rgb)
    planes = np.concatenate([density, stains[..., :2]], -1)
    rows = []
    for region in measure.regionprops(instances, planes):
        values = planes[tuple(region.coords.T)]
        shape = (region.area, region.perimeter, region.eccentricity, region.solidity, region.axis_major_length, region.axis_minor_length)
        rows.append([*shape, *values.mean(0), *values.std(0)])
    return np.nan_to_num(np.array(rows, np.float32).reshape(-1, 16))


def forest_scores(table: np.ndarray, encoded: Encoded, clicks: np.ndarray, labels: np.ndarray, rng) -> np.ndarray:
    """Forest on the clicked objects; with no negative clicks, ten random other objects stand in. -> [N] in 0..1."""
    nearest = cdist(clicks, encoded.centroids).argmin(1)
    rows, kinds = list(nearest), list(labels)
    if (labels == 0).sum() == 0:
        for other in rng.choice(len(table), min(len(table), max(10, len(labels))), replace=False):
            if other not in nearest:
                rows.append(other)
                kinds.append(0)
    forest = RandomForestClassifier(100, random_state=0, class_weight="balanced").fit(table[rows], kinds)
    return forest.predict_proba(table)[:, list(forest.classes_).index(1)]


def classical(rgb: np.ndarray) -> np.ndarray:
    """Colour deconvolution, Otsu, distance-transform watershed. -> labels [H, W]."""
    stain = filters.gaussian(color.rgb2hed(rgb)[..., 0], 1)
    inside = stain > filters.threshold_otsu(stain)
    distance = ndimage.distance_transform_edt(inside)
    return split(inside.astype(float), distance / max(1.0, np.percentile(distance[inside], 95)))
