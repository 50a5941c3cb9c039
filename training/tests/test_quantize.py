import json

import numpy as np
import pytest
from PIL import Image

from sampo_training.quantize import Tiles

MANIFEST = dict(tileSize=64, normalization=dict(scale=1 / 255, mean=[0.5, 0.5, 0.5], std=[0.25, 0.25, 0.25]))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "points").mkdir(), (tmp_path / "images").mkdir()
    for name, split, value in (("a", "train", 255), ("b", "test", 0), ("small", "train", 255)):
        side = 40 if name == "small" else 100
        Image.new("RGB", (side, side), (value,) * 3).save(tmp_path / "images" / f"{name}.png")
        (tmp_path / "points" / f"{name}.json").write_text(json.dumps(dict(split=split)))
    return tmp_path


def test_calibrates_on_whole_normalised_tiles_of_the_train_split(folder):
    reader = Tiles(folder, MANIFEST, 6)
    tiles = []
    while (feed := reader.get_next()) is not None:
        tiles.append(feed["image"])
    assert len(tiles) == 3  # images smaller than a tile are passed over
    assert all(tile.shape == (1, 3, 64, 64) and np.allclose(tile, 2) for tile in tiles)


def test_a_folder_without_the_train_split_is_refused_by_name(tmp_path):
    (tmp_path / "points").mkdir()
    with pytest.raises(SystemExit, match="no image of the train split in"):
        Tiles(tmp_path, MANIFEST, 2)
