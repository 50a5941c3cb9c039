import random

import numpy as np

from sampo_training.attributes import ATTRIBUTES, ask_by_attribute, ask_by_cut, ask_by_likeness, divides, elongation, measure


def column(table: np.ndarray, name: str) -> np.ndarray:
    return table[:, ATTRIBUTES.index(name)]


def test_measurements_are_standardised_within_the_image(tissue):
    table, centres = measure(tissue.rgb, tissue.labels)
    assert table.shape == (64, len(ATTRIBUTES)) and centres.shape == (64, 2)
    assert np.abs(column(table, "log area").mean()) < 1e-4
    assert np.abs(table).max() <= 3
    assert np.allclose(centres[0], [16, 16]) and np.allclose(centres[9], [48, 48])


def test_each_measurement_follows_what_it_is_named_after(tissue):
    table, _ = measure(tissue.rgb, tissue.labels)
    large, dark = np.arange(64) >= 32, np.arange(64) % 2 == 1
    assert column(table, "log area")[large].min() > column(table, "log area")[~large].max()
    assert column(table, "haematoxylin")[dark].min() > column(table, "haematoxylin")[~dark].max()
    assert column(table, "contrast to surroundings")[dark].min() > column(table, "contrast to surroundings")[~dark].max()


def test_a_long_nucleus_is_more_elongated_than_a_round_one():
    objects = np.zeros((40, 80), np.int32)
    objects[10:30, 10:30] = 1
    objects[15:20, 40:75] = 2
    round_one, long_one = elongation(objects, np.array([1, 2]))
    assert abs(round_one) < 0.01
    assert np.isclose(np.exp(long_one), 35 / 5, rtol=0.02)


def test_a_crowded_nucleus_without_a_rim_is_still_measured():
    labels = np.ones((30, 30), np.int32)
    labels[10:20, 10:20] = 2
    table, _ = measure(np.full((30, 30, 3), 120, np.uint8), labels)
    assert np.isfinite(table).all()


def test_a_cut_divides_by_one_value_and_leaves_out_what_lies_near_it():
    table = np.linspace(-2, 2, 41, dtype=np.float32)[:, None]
    for seed in range(20):
        question = ask_by_cut(random.Random(seed), table)
        assert set(question.classes) == {0, 1}
        assert 0 < (~question.clear).sum() < 30
        order = question.classes[question.clear]
        assert (np.diff(order) <= 0).all() or (np.diff(order) >= 0).all()  # one divide only
        left_out = np.flatnonzero(~question.clear)
        assert (np.diff(left_out) == 1).all()  # and it lies in the gap


def test_likeness_puts_two_heaps_into_different_classes():
    rng = np.random.default_rng(0)
    heaps = np.concatenate([rng.normal(-2, 0.1, (20, 4)), rng.normal(2, 0.1, (20, 4))]).astype(np.float32)
    found = 0
    for seed in range(30):
        question = ask_by_likeness(random.Random(seed), heaps)
        kinds = question.classes[question.clear]
        assert question.classes.max() < 4 and len(kinds) > 0
        first, second = set(question.classes[:20]), set(question.classes[20:])
        found += not first & second
    assert found > 15  # whenever the random examples fall into both heaps


def test_questions_are_the_same_for_the_same_seed(tissue):
    table, _ = measure(tissue.rgb, tissue.labels)
    again = [ask_by_cut(random.Random(4), table) for _ in range(2)]
    assert (again[0].classes == again[1].classes).all() and (again[0].clear == again[1].clear).all()


def test_a_question_divides_even_when_most_measurements_are_alike():
    table = np.zeros((30, 5), np.float32)
    table[:, 3] = np.linspace(-1, 1, 30)
    assert all(divides(ask_by_attribute(random.Random(seed), table)) for seed in range(40))


def test_nuclei_that_are_all_alike_end_the_search():
    assert not divides(ask_by_attribute(random.Random(0), np.zeros((12, 5), np.float32)))
