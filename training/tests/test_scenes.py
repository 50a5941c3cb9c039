import numpy as np
import pytest
import torch

from sampo_training import scenes
from sampo_training.evaluate import Tally, clear_objects, draw_clicks, in_processes, join_records
from sampo_training.infer import Encoded


def test_numbers_have_no_gaps_and_keep_the_background():
    labels = np.array([[0, 7, 7], [3, 0, 9]])
    assert scenes.numbered(labels).tolist() == [[0, 2, 2], [1, 0, 3]]
    assert scenes.numbered(np.array([[5, 5], [2, 2]])).tolist() == [[2, 2], [1, 1]]


def test_a_mosaic_keeps_places():
    pictures = [np.full((2, 3), i) for i in range(4)]
    assert scenes.mosaic(pictures, 2)[[0, 0, 2, 2], [0, 3, 0, 3]].tolist() == [0, 1, 2, 3]


def test_painted_scenes_are_the_same_every_time_and_ask_for_both_sides(tissue):
    pictures = [("made", tissue.rgb, tissue.labels)]
    (first,), (again,) = scenes.painted(pictures, True), scenes.painted(pictures, True)
    assert (first.rgb == again.rgb).all() and (first.classes == again.classes).all()
    assert first.names == ["unmarked", "marked"] and 0 < first.classes.sum() < 64
    assert (first.rgb != tissue.rgb).any()
    (other,) = scenes.painted(pictures, False)
    assert (other.rgb != first.rgb).any()


def test_a_question_about_looks_leaves_unclear_nuclei_out(tissue):
    for scene in scenes.by_looks([("made", tissue.rgb, tissue.labels)], each=5):
        assert len(scene.points) == len(scene.classes) <= 64
        columns, rows = scene.points.round().astype(int).T
        assert not scene.unclear[rows, columns].any()
        assert scene.unclear[tissue.labels > 0].sum() == scene.unclear.sum()


def found_at(points) -> Encoded:
    return Encoded([], torch.zeros(0), None, None, None, np.array(points, float), torch.zeros(0))


def test_nuclei_found_on_unclear_ones_do_not_count():
    unclear = np.zeros((10, 10), bool)
    unclear[2, 7] = True
    scene = scenes.Scene("made", np.zeros((10, 10, 3), np.uint8), np.zeros((0, 2)), np.zeros(0), [], unclear)
    assert clear_objects(scene, found_at([[7, 2], [2, 7], [9.6, 9.6]])).tolist() == [False, True, True]


def test_clicks_are_of_the_asked_class_and_few_nuclei_are_not_asked_for():
    points, classes = np.arange(40).reshape(20, 2), np.array([0] * 6 + [1] * 14)
    clicks, labels = draw_clicks(np.random.default_rng(0), points, classes, 0, 5, True)
    assert labels.tolist() == [1] * 5 + [0] * 5
    assert (clicks[:5, 0] < 12).all() and (clicks[5:, 0] >= 12).all()
    assert draw_clicks(np.random.default_rng(0), points, classes, 0, 10, False) is None
    assert draw_clicks(np.random.default_rng(0), points, classes, 2, 1, False) is None


def test_the_report_is_a_mean_over_classes_not_over_questions():
    tally = Tally()
    for value in (1.0, 1.0, 1.0):
        tally.add("sampo", "5", "frequent", value)
    tally.add("sampo", "5", "rare", 0.0)
    assert tally.report() == {"sampo": {"5": 0.5}}


def test_parts_come_back_in_their_order_from_several_processes():
    factor = 3
    assert list(in_processes(lambda item: item * factor, [1, 2, 3, 4], 2)) == [3, 6, 9, 12]
    assert list(in_processes(lambda item: item * factor, [1, 2], 1)) == [3, 6]


def record(model: str, value: float, seeds: int = 1) -> dict:
    command = f"python -m sampo_training.evaluate --model {model}=WEIGHTS --data DATA --split val --seeds {seeds}"
    return dict(command=command, models={model: {}}, intent=dict(breast={"images": 2, model: value}), outlines={})


def test_an_earlier_record_of_the_same_settings_stands_beside():
    report = record("new", 0.7)
    join_records(report, record("old", 0.6))
    assert report["intent"]["breast"] == {"images": 2, "old": 0.6, "new": 0.7} and list(report["models"]) == ["old", "new"]


def test_a_record_of_other_settings_is_refused():
    with pytest.raises(SystemExit, match="--seeds 3"):
        join_records(record("new", 0.7), record("old", 0.6, seeds=3))
