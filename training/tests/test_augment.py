import random

import numpy as np
import torch

from sampo_training.augment import Colour, crop


def test_maps_stay_on_their_pixels(tissue):
    for seed in range(10):
        image, (labels,) = crop(random.Random(seed), tissue.rgb, [tissue.labels], 1.0)
        assert image.shape == (3, 256, 256) and labels.shape == (256, 256)
        inside, outside = image[2][labels > 0].mean(), image[0][labels == 0].mean()
        assert inside < 0.75 < outside  # nuclei are the dark parts, wherever they were turned to


def test_scale_magnifies_the_objects(tissue):
    areas = []
    for scale in (0.5, 1.0):
        _, (labels,) = crop(random.Random(0), tissue.rgb, [np.where(tissue.labels == 36, 1, 0)], scale, jitter=(1, 1))
        areas.append(int((labels > 0).sum()))
    assert areas[1] == (tissue.labels == 36).sum()
    assert abs(areas[0] / areas[1] - 0.25) < 0.06


def test_what_lies_outside_a_small_image_is_white_and_empty():
    image, (labels,) = crop(random.Random(1), np.zeros((100, 100, 3), np.uint8), [np.ones((100, 100), np.int32)], 1.0, jitter=(1, 1))
    assert (labels > 0).sum() == 100 * 100
    assert torch.allclose(image[:, labels == 0], torch.tensor(0.95)) and image[:, labels > 0].max() == 0


def test_one_draw_of_colours_treats_two_tiles_alike():
    colour = Colour(random.Random(3))
    colour.noise, colour.jpeg, colour.blur = 0.0, 0, False
    tile = torch.rand(3, 256, 256)
    assert torch.equal(colour.apply(tile), colour.apply(tile))


def test_colours_stay_in_range():
    for seed in range(30):
        image = Colour(random.Random(seed)).apply(torch.rand(3, 256, 256))
        assert image.shape == (3, 256, 256) and 0 <= image.min() and image.max() <= 1


def test_brown_and_blue_never_meet():
    """Where colour is the answer: what is brown in a tile stays browner than what is blue, under every draw for questions."""
    brown, blue = np.exp(-np.array([0.27, 0.57, 0.78])), np.exp(-np.array([0.65, 0.70, 0.29]))
    tile = torch.ones(3, 256, 256)
    tile[:, :, :128] = torch.tensor(brown, dtype=torch.float32)[:, None, None]
    tile[:, :, 128:] = torch.tensor(blue, dtype=torch.float32)[:, None, None]
    for seed in range(200):
        left, right = (half.mean((1, 2)) for half in Colour(random.Random(seed), grey_share=0.0).apply(tile).split(128, 2))
        assert left[0] - left[2] > right[0] - right[2] + 0.1
