"""Resampling, brightness and stains: pure functions over arrays."""

import numpy as np
import pytest

from sampo_client import ImageProblem, open_image
from sampo_client.array_image import ArrayImage
from sampo_client.pixels import output_size, resample, rgb_levels, to_bytes
from sampo_client.stains import Channel, guess_stains, has_dark_background, parse_stains

RANDOM = np.random.default_rng(1)


def test_sizes_are_rounded_half_up_as_the_server_does() -> None:
    assert output_size(5, 7, 2) == (3, 4)
    assert output_size(1, 1, 100) == (1, 1)


@pytest.mark.parametrize("size", [(10, 6), (7, 5), (3, 2), (1, 1), (20, 12), (33, 9)])
def test_resampling_keeps_a_flat_picture_flat_and_the_mean(size: tuple[int, int]) -> None:
    flat = np.full((6, 10, 3), 77, np.uint8)
    assert np.allclose(resample(flat, *size), 77, atol=1e-3)
    picture = RANDOM.integers(0, 256, (6, 10, 3)).astype(np.uint8)
    if size[0] <= 10 and size[1] <= 6:
        assert resample(picture, *size).mean() == pytest.approx(picture.mean(), abs=1e-3)


def test_a_fractional_average_is_the_area_under_each_pixel() -> None:
    row = np.array([[0.0, 30.0, 60.0]]).reshape(1, 3, 1)
    assert resample(row, 2, 1).reshape(-1) == pytest.approx([(0 + 0.5 * 30) / 1.5, (0.5 * 30 + 60) / 1.5])


def test_a_fractional_downsample_is_the_average_of_the_pixels_under_it() -> None:
    picture = RANDOM.integers(0, 256, (60, 80, 3)).astype(np.uint8)
    # 60 rows to 24: each covers 2.5 rows, that is 5 half rows.
    expected = picture.repeat(2, axis=0).reshape(24, 5, 40, 2, 3).mean(axis=(1, 3))
    assert np.abs(resample(picture, 40, 24) - expected).max() < 1e-2


@pytest.mark.parametrize(
    ("dtype", "high", "white"),
    [(np.uint8, 200, 255), (np.uint16, 200, 255), (np.uint16, 1000, 1023), (np.uint16, 4000, 4095), (np.uint16, 60000, 65535), (np.int32, 250, 255), (np.float32, 1.0, 1), (np.float64, 254.0, 255)],
)
def test_white_follows_the_bits_in_use(dtype: type, high: float, white: float) -> None:
    levels = rgb_levels(np.array([0, high], dtype), np.dtype(dtype))
    assert (levels.black, levels.white) == (0, white)


@pytest.mark.parametrize("values", [[-3.0, 1.0], [0.0, 4000.0], [np.nan, np.nan]])
def test_floats_that_are_no_brightness_are_refused_by_name(values: list[float]) -> None:
    with pytest.raises(ImageProblem):
        rgb_levels(np.array(values, np.float32), np.dtype(np.float32))


def test_negative_rgb_is_refused() -> None:
    with pytest.raises(ImageProblem, match="negative"):
        rgb_levels(np.array([-5, 10], np.int16), np.dtype(np.int16))


@pytest.mark.parametrize(
    ("names", "colors", "expected"),
    [
        (["DAPI", "CD3"], ["", ""], ("haematoxylin", "dab")),
        (["CD3", "Hoechst 33342"], ["", ""], ("dab", "haematoxylin")),
        (["a", "b"], ["green", "blue"], ("dab", "haematoxylin")),
        (["GFP", "DAPI", "AF"], ["", "", ""], ("dab", "haematoxylin", "none")),
        (["", ""], ["", ""], ("haematoxylin", "dab")),
        (["autofluorescence", "x"], ["", ""], ("none", "haematoxylin")),
        (["nuclei"], ["gray"], ("haematoxylin",)),
    ],
)
def test_stains_are_guessed_from_names_and_colours(names: list[str], colors: list[str], expected: tuple[str, ...]) -> None:
    stains, why = guess_stains([Channel(name, color) for name, color in zip(names, colors)])
    assert stains == expected and why


def test_a_bright_single_channel_is_brightfield_unless_its_name_says_otherwise() -> None:
    assert guess_stains([Channel("image")], dark_background=False)[0] == "brightfield"
    assert guess_stains([Channel("DAPI")], dark_background=False)[0] == ("haematoxylin",)


def test_dark_and_bright_grounds() -> None:
    dark = np.concatenate([np.full(900, 3.0), np.full(100, 200.0)])
    assert has_dark_background(dark) and not has_dark_background(255 - dark)


def test_stain_maps_as_users_give_them() -> None:
    assert parse_stains("auto", 2, []) is None
    assert parse_stains({"DAPI": "hematoxylin"}, 2, ["CD3", "DAPI"]) == ("none", "haematoxylin")
    assert parse_stains(["haematoxylin", None], 2, []) == ("haematoxylin", "none")
    for wrong in ({"no": "dab"}, ["dab", "dab"], ["haematoxylin"], {5: "haematoxylin"}, ["purple", "dab"]):
        with pytest.raises(ValueError):
            parse_stains(wrong, 2, ["a", "b"])


def test_fluorescence_becomes_purple_on_white_the_same_in_every_region() -> None:
    picture = RANDOM.normal(100, 5, (300, 400))
    picture[100:140, 100:140] = 3000
    image = open_image(picture.astype(np.uint16))
    assert isinstance(image, ArrayImage)
    whole = image.read(0, 0, 400, 300, 1)
    assert image.stain_map == ("haematoxylin",) and image.notes
    assert whole[10, 10].min() > 200, "dark is white"
    red, green, blue = whole[120, 120].astype(int)
    assert blue > red > green - 40 and green < 120, "bright is haematoxylin"
    assert np.array_equal(image.read(90, 90, 60, 60, 1), whole[90:150, 90:150]), "limits come from the whole picture"


def test_nan_is_dark_and_told() -> None:
    picture = np.zeros((50, 50), np.float32)
    picture[10:20, 10:20], picture[0, 0] = 5, np.nan
    image = open_image(picture)
    assert isinstance(image, ArrayImage)
    assert image.read(0, 0, 50, 50, 1)[0, 0].min() > 200
    assert any("NaN" in note for note in image.notes)
    with pytest.raises(ImageProblem, match="no finite value"):
        open_image(np.full((9, 9), np.nan)).prepare()  # type: ignore[union-attr]
