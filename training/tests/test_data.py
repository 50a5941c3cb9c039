import json

import numpy as np
import pytest
from PIL import Image

from sampo_training.data import disks, normalised_distance, read_instances, read_points, split_fused


def test_distance_is_one_in_the_middle_of_every_object_and_nothing_outside():
    labels = np.zeros((40, 40), int)
    labels[2:9, 2:9], labels[20:39, 20:39] = 1, 2
    distance = normalised_distance(labels)
    assert distance[5, 5] == distance[29, 29] == 1
    assert (distance[labels == 0] == 0).all() and (distance[labels > 0] > 0).all()


def test_distance_falls_at_the_border_of_two_touching_objects():
    labels = np.zeros((20, 40), int)
    labels[:, :20], labels[:, 20:] = 1, 2
    distance = normalised_distance(labels)
    assert distance[10, 19] < 0.3 and distance[10, 20] < 0.3


def test_an_image_without_objects_has_no_distance():
    assert normalised_distance(np.zeros((5, 5), int)).max() == 0


def test_two_fused_discs_are_split_and_a_single_one_is_not():
    rows, columns = np.mgrid[:40, :80]
    pair = (np.hypot(rows - 20, columns - 20) <= 9) | (np.hypot(rows - 20, columns - 36) <= 9)
    single = np.hypot(rows - 20, columns - 65) <= 9
    split = split_fused(np.where(pair, 1, np.where(single, 2, 0)))
    assert split[20, 18] != split[20, 38]
    assert len(np.unique(split[single])) == 1
    assert ((split > 0) == (pair | single)).all()


def test_small_components_survive_splitting():
    labels = np.zeros((20, 20), int)
    labels[3:5, 3:5] = 1
    assert (split_fused(labels) > 0).sum() == 4


def test_where_discs_overlap_the_nearer_point_wins():
    objects = disks(np.array([[10.0, 10], [16, 10]]), (20, 30))
    assert objects[10, 12] == 1 and objects[10, 14] == 2 and objects[0, 0] == 0


def test_points_at_the_edge_are_cut_off_not_wrapped():
    objects = disks(np.array([[0.0, 0], [29, 19]]), (20, 30))
    assert objects[0, 0] == 1 and objects[19, 29] == 2 and objects[19, 0] == 0


@pytest.fixture
def points_folder(tmp_path):
    (tmp_path / "points").mkdir(), (tmp_path / "images").mkdir()
    for name, split in (("a", "train"), ("b", "test")):
        Image.new("RGB", (60, 50), (200, 150, 200)).save(tmp_path / "images" / f"{name}.png")
        document = dict(mpp=0.25, split=split, classes=["x", "y"], points=[{"x": 20, "y": 10, "class": "y"}])
        (tmp_path / "points" / f"{name}.json").write_text(json.dumps(document))
    return tmp_path


def test_reads_one_split_at_the_scale_of_the_file(points_folder):
    (record,) = read_points(points_folder, "train")
    assert record.name == "a" and record.scale == 0.5
    assert record.classes.tolist() == [1] and record.names == ["x", "y"]
    assert record.objects[10, 20] == 1
    assert (record.objects > 0).sum() == pytest.approx(np.pi * 10**2, rel=0.05)  # 5 px at the model's scale


def test_only_wanted_outlines_are_read_and_unknown_scales_follow_the_median_nucleus(tmp_path):
    (tmp_path / "images").mkdir(), (tmp_path / "instances").mkdir()
    labels = np.zeros((60, 60), np.uint16)
    labels[np.hypot(*(np.mgrid[:60, :60] - 30)) <= 15] = 1
    for name in ("kept", "left"):
        Image.new("RGB", (60, 60)).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(labels).save(tmp_path / "instances" / f"{name}.png")
    (record,) = read_instances(tmp_path, fused=False, rescale=True, wanted=lambda stem: stem == "kept")
    assert record.name.endswith("/kept")
    assert record.scale == pytest.approx(0.5, abs=0.02)
