import numpy as np
import pytest
import torch

from sampo_training.data import Typed
from sampo_training.infer import origins_along, split, window
from sampo_training.lift import lift


@pytest.mark.parametrize("length", [100, 256, 257, 500, 1000])
def test_tiles_cover_the_image_and_the_last_one_ends_with_it(length):
    starts = origins_along(length)
    covered = np.zeros(length, bool)
    for start in starts:
        covered[start : start + 256] = True
    assert covered.all() and len(set(starts)) == len(starts)
    assert length <= 256 or starts[-1] + 256 == length


def test_the_weights_of_a_tile_fade_towards_its_border():
    weights = window()
    assert weights[0, 0] == 1 and weights[128, 128] == weights.max() == 48 * 48
    assert torch.equal(weights, weights.flip(0)) and torch.equal(weights, weights.T)


def test_two_summits_make_two_nuclei(tissue):
    probability = np.where(tissue.labels > 0, 0.9, 0.1)
    found = split(probability, tissue.distance)
    assert found.max() == 64
    bridged = probability.copy()
    bridged[235:245, 208:240] = 0.9  # the last two nuclei now touch
    assert split(bridged, tissue.distance).max() == 64


def test_specks_are_dropped_and_a_nucleus_without_a_summit_is_kept():
    probability, distance = np.full((64, 64), 0.1), np.zeros((64, 64))
    probability[5:8, 5:8] = 0.9
    probability[30:42, 30:42] = 0.9
    assert split(probability, distance).max() == 1


def test_points_are_lifted_onto_the_outline_under_them(tissue):
    points = np.array([[16.0, 16.0], [48.0, 18.0], [50.0, 16.0], [96.0, 96.0]])  # on 1, twice on 2, on none
    record = Typed("made", tissue.rgb, np.zeros((256, 256), np.int32), np.zeros(4, int), ["x"], points)
    record.objects[94:99, 94:99] = 4
    centroids = np.stack(np.meshgrid(np.arange(16, 256, 32), np.arange(16, 256, 32)), -1).reshape(-1, 2)
    objects, found = lift(record, tissue.labels, centroids)
    assert found == 1
    assert (objects[tissue.labels == 1] == 1).all()
    assert not (objects[tissue.labels == 2] > 0).any()  # two points in one outline: neither is believed
    assert (objects == 4).sum() == 25  # no outline within reach: it keeps its disk
