import random

import numpy as np
import pytest
import torch

from sampo_training.markers import DAB, Marker, choose_marked, draw_marker, marker_density, paint, unit

PLAIN = dict(stain=unit(DAB), strength=1.0, spread=0.0, softness=0.5, veil=0.0, ground=0.0, weak=0.0)


def picture(record):
    return torch.from_numpy(record.rgb.astype(np.float32) / 255).permute(2, 0, 1)


def test_every_subset_has_marked_and_unmarked_nuclei():
    rng = random.Random(1)
    for count in (2, 3, 12, 80):
        centres, table = np.random.default_rng(count).uniform(0, 100, (count, 2)), np.random.default_rng(count).normal(size=(count, 4))
        for _ in range(30):
            marked = choose_marked(rng, centres, table)
            assert 0 < marked.sum() < count


def test_only_marked_nuclei_become_brown(tissue):
    marked = np.arange(64) % 3 == 0
    before, objects = picture(tissue), torch.from_numpy(tissue.labels)
    after = paint(random.Random(0), before, objects, marked, Marker(place="nucleus", **PLAIN))
    change = (before - after).mean(0).numpy()
    inside = np.array([np.median(change[tissue.labels == i + 1]) for i in range(64)])
    assert inside[marked].min() > 0.05
    assert np.abs(inside[~marked]).max() < 1e-4
    # Brown takes more blue than red, as optical density.
    density = torch.log(before) - torch.log(after)
    assert density[2].sum() > 2 * density[0].sum()


def test_veil_hides_the_nucleus_own_colour(tissue):
    marked = np.zeros(64, bool)
    marked[1] = True
    invisible = Marker(place="nucleus", **{**PLAIN, "strength": 0.0, "veil": 0.9})
    after = paint(random.Random(0), picture(tissue), torch.from_numpy(tissue.labels), marked, invisible)
    assert after[:, 16, 48].mean() > picture(tissue)[:, 16, 48].mean() + 0.3
    assert torch.allclose(after[:, 16, 16], picture(tissue)[:, 16, 16], atol=1e-5)


def test_weak_staining_of_the_others_stays_weaker(tissue):
    marked = np.arange(64) < 32
    weak = Marker(place="nucleus", **{**PLAIN, "weak": 0.2})
    after = paint(random.Random(0), picture(tissue), torch.from_numpy(tissue.labels), marked, weak)
    density = (torch.log(picture(tissue)) - torch.log(after))[2]
    assert density[16, 16] > 3 * density[240, 240] > 0


@pytest.mark.parametrize(("place", "centre", "edge", "outside"), [("nucleus", 1, 1, 0), ("membrane", 0, 1, 0), ("cytoplasm", 0, 1, 0), ("cell", 1, 1, 0)])
def test_the_marker_lies_where_its_place_says(tissue, place, centre, edge, outside):
    objects = torch.from_numpy(tissue.labels)
    density = marker_density(Marker(place=place, **PLAIN), objects, torch.ones(64))
    x, y, radius = 240, 240, 9
    assert (density[y, x] > 0.4) == bool(centre)
    assert (density[y, x + radius - 2 : x + radius + 4].max() > 0.4) == bool(edge)
    assert (density[y - 16, x - 16] > 0.4) == bool(outside)


def test_half_of_the_markers_are_brown_and_all_are_unit_vectors():
    rng = random.Random(0)
    drawn = [draw_marker(rng) for _ in range(400)]
    assert all(abs(np.linalg.norm(m.stain) - 1) < 1e-6 for m in drawn)
    brown = [np.dot(m.stain, unit(DAB)) > 0.97 for m in drawn]
    assert 0.4 < np.mean(brown) < 0.7
    assert all(np.dot(draw_marker(rng, brown=True).stain, unit(DAB)) > 0.9 for _ in range(50))
