"""Tiny made images, so that the tests need no data set."""

import numpy as np
import pytest
import torch

from sampo_training.data import Instances, normalised_distance


def discs(side: int, radii: list[int], spacing: int = 32) -> np.ndarray:
    """Discs on a grid, row by row, one for each radius. -> labels [side, side] int32."""
    labels = np.zeros((side, side), np.int32)
    rows, columns = np.mgrid[:side, :side]
    per_row = side // spacing
    for index, radius in enumerate(radii):
        y, x = (index // per_row) * spacing + spacing // 2, (index % per_row) * spacing + spacing // 2
        labels[np.hypot(rows - y, columns - x) <= radius] = index + 1
    return labels


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def tissue() -> Instances:
    """256 x 256: 64 nuclei, the first 32 of radius 5, the others of radius 9; every other one dark, on pink."""
    labels = discs(256, [5] * 32 + [9] * 32)
    rgb = np.full((256, 256, 3), (235, 200, 225), np.uint8)
    rgb[labels > 0] = (150, 120, 180)
    rgb[(labels > 0) & (labels % 2 == 0)] = (90, 60, 130)
    return Instances("made/tissue", rgb, labels, normalised_distance(labels))
