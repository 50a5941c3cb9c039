import json
import random

import numpy as np
import pytest
from PIL import Image

from sampo_training.fluorescence import VirtualStain, intensity, nucleus_scale, read_fluorescence, render_haematoxylin


@pytest.fixture
def grey(tissue):
    return np.where(tissue.labels > 0, 180, 12).astype(np.uint8)


def test_dark_becomes_white_and_nuclei_become_blue(grey):
    rgb = render_haematoxylin(grey, VirtualStain(eosin=0.0)).astype(int)
    assert rgb[0, 0].tolist() == [255, 255, 255]
    red, green, blue = rgb[16, 16]
    assert blue > red > green  # haematoxylin takes most green


def test_the_recipe_follows_beer_lambert(grey):
    rgb = render_haematoxylin(grey, VirtualStain(gamma=1.0, strength=1.0, eosin=0.0))
    assert np.allclose(rgb[16, 16], np.exp(-np.array([0.65, 0.70, 0.29])) * 255, atol=1)


def test_an_empty_picture_stays_white():
    assert (render_haematoxylin(np.zeros((8, 8), np.uint8), VirtualStain(eosin=0.0)) == 255).all()
    assert intensity(np.full((4, 4), 9)).max() == 0


def test_sixteen_bit_pictures_look_like_eight_bit_ones(grey):
    assert np.abs(render_haematoxylin(grey).astype(int) - render_haematoxylin(grey.astype(np.uint16) * 257)).max() <= 1


def test_the_width_of_a_nucleus_gives_the_scale():
    assert nucleus_scale(30) == 0.5
    assert nucleus_scale(0) == 3 and nucleus_scale(900) == 0.33


def test_reads_a_set_at_the_scale_of_its_index(tmp_path, grey, tissue):
    for folder in ("images", "instances"):
        (tmp_path / folder).mkdir()
    for name in ("coarse", "known", "unknown", "left out"):
        Image.fromarray(grey).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(tissue.labels.astype(np.uint16)).save(tmp_path / "instances" / f"{name}.png")
    coarse = dict(mpp=0.75, median_diameter_px=20)
    rows = {"coarse": coarse, "known": dict(mpp=0.25, median_diameter_px=20), "unknown": dict(mpp=None, median_diameter_px=30), "left out": {}}
    (tmp_path / "index.json").write_text(json.dumps(rows))
    coarse, known, unknown = read_fluorescence(tmp_path, wanted=lambda name: name != "left out")
    assert coarse.scale == 1.5 and coarse.rgb.shape == (256, 256, 3)
    assert known.scale == 1 and unknown.scale == 1
    assert known.labels.max() == 64 and known.rgb.shape == (128, 128, 3) and known.labels.shape == (128, 128)
    assert known.name == f"{tmp_path.name}/known"


def test_varied_stains_depend_on_the_name_alone():
    assert VirtualStain.varied(random.Random("a")) == VirtualStain.varied(random.Random("a"))
    assert VirtualStain.varied(random.Random("a")) != VirtualStain.varied(random.Random("b"))
