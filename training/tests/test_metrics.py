import numpy as np
import pytest

from sampo_training.metrics import calibration_error, f1, instance_scores, match_points


def test_each_point_is_matched_once_and_within_three_micrometres():
    truth = np.array([[10.0, 10], [30, 30]])
    assert match_points(np.array([[10.0, 10], [11, 10]]), truth) == 1
    assert match_points(np.array([[10.0, 16], [30, 36.1]]), truth) == 1
    assert match_points(np.zeros((0, 2)), truth) == 0


def test_the_assignment_is_the_best_one_not_the_nearest_first():
    # The middle point is nearest to the first truth, but is needed for the second.
    assert match_points(np.array([[5.0, 0], [-2, 0]]), np.array([[2.0, 0], [9, 0]])) == 2


def test_f1_counts_both_kinds_of_error():
    truth = np.array([[0.0, 0], [50, 0], [100, 0]])
    assert f1(truth, truth) == 1
    assert f1(truth[:1], truth) == pytest.approx(2 / 4)
    assert f1(np.concatenate([truth, truth + 20]), truth) == pytest.approx(6 / 9)


def squares(*boxes) -> np.ndarray:
    labels = np.zeros((40, 40), int)
    for index, (y, x, side) in enumerate(boxes):
        labels[y : y + side, x : x + side] = index + 1
    return labels


def test_outlines_alike_score_one():
    labels = squares((0, 0, 10), (20, 20, 10))
    assert instance_scores(labels, labels) == dict(dice=1.0, aji=1.0, f1=1.0)


def test_a_fused_pair_is_wrong_as_objects_though_right_as_pixels():
    truth = squares((0, 0, 10), (0, 10, 10))
    scores = instance_scores((truth > 0).astype(int), truth)
    assert scores["dice"] == 1 and scores["f1"] == 0  # half is not more than half
    assert scores["aji"] == pytest.approx((100 + 100) / (200 + 200))


def test_false_and_missed_objects_lower_aji():
    truth, found = squares((0, 0, 10), (20, 20, 10)), squares((0, 0, 10), (0, 20, 10))
    scores = instance_scores(found, truth)
    assert scores["aji"] == pytest.approx(100 / (100 + 100 + 100))
    assert scores["f1"] == pytest.approx(0.5)


@pytest.mark.parametrize("empty", ["found", "truth", "both"])
def test_nothing_found_or_nothing_there_is_no_error(empty):
    some, none = squares((0, 0, 10)), squares()
    scores = instance_scores(none if empty != "truth" else some, none if empty != "found" else some)
    assert all(value == 0 for value in scores.values())


def test_scores_that_come_true_have_no_calibration_error():
    scores = np.repeat([0.25, 0.75], 100)
    right = np.concatenate([np.arange(100) < 25, np.arange(100) < 75])
    assert calibration_error(scores, right) == pytest.approx(0)
    assert calibration_error(np.ones(10), np.zeros(10)) == 1
    assert calibration_error(np.full(10, 0.9), np.arange(10) < 5) == pytest.approx(0.4)
