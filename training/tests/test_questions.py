import random

import numpy as np
import torch

from sampo_training.data import Instances
from sampo_training.questions import attribute_tiles, keep, marker_tiles, outlined, question_tiles
from sampo_training.augment import Colour


def test_an_image_with_few_nuclei_is_not_asked_about(tissue):
    few = Instances("made/few", tissue.rgb, np.where(tissue.labels < 9, tissue.labels, 0), tissue.distance)
    assert outlined(few) is None
    assert outlined(tissue) is not None


def test_objects_are_numbered_without_gaps(tissue):
    gaps = Instances("made/gaps", tissue.rgb, tissue.labels * 7, tissue.distance)
    source = outlined(gaps)
    assert sorted(np.unique(source.objects)) == list(range(65))
    assert (source.objects == tissue.labels).all()


def test_unclear_nuclei_are_neither_shown_nor_judged(tissue):
    objects = torch.from_numpy(tissue.labels)
    clear = np.arange(64) % 2 == 0
    kept = keep(objects, clear)
    assert set(kept.unique().tolist()) == {0, *(np.flatnonzero(clear) + 1).tolist()}


def test_both_tiles_of_an_attribute_question_share_their_colours(tissue):
    class Noted(Colour):
        seen = []

        def apply(self, image):
            Noted.seen.append(id(self))
            return super().apply(image)

    attribute_tiles(random.Random(0), outlined(tissue), Noted(random.Random(0)))
    assert len(Noted.seen) == 2 and len(set(Noted.seen)) == 1


def test_a_question_never_turns_grey(tissue):
    assert not any(Colour(random.Random(seed), grey_share=0.0).grey for seed in range(300))
    assert any(Colour(random.Random(seed)).grey for seed in range(300))


def test_tiles_have_the_shapes_that_batches_stack(tissue):
    source = outlined(tissue)
    for seed in range(12):
        for tile in question_tiles(random.Random(seed), [source]):
            assert tile.image.shape == (3, 256, 256) and 0 <= tile.image.min() and tile.image.max() <= 1
            assert tile.outlines.shape == tile.objects.shape == tile.distance.shape == (256, 256)
            assert len(tile.classes) == 64
            assert ((tile.objects == 0) | (tile.objects == tile.outlines)).all()  # asked about: a part of the outlines


def test_a_painted_nucleus_is_marked_in_both_tiles(tissue):
    still = Colour(random.Random(0))
    still.apply = lambda image: image
    support, query = marker_tiles(random.Random(3), [outlined(tissue)], still)
    assert (support.classes == query.classes).all()
    assert 0 < support.classes.sum() < 64
