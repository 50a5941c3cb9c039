import random

import pytest
import torch

from sampo_training.decoder import EXEMPLARS, POINTS
from sampo_training.episodes import centres, click_features, draw_prompts, make_episodes, object_features, prompt_feeds, visible


@pytest.fixture
def objects(tissue):
    return torch.from_numpy(tissue.labels)


def test_an_object_counts_as_visible_from_six_pixels():
    small = torch.zeros(128, 128, dtype=torch.int32)
    small[0, :6], small[5, :5] = 1, 2
    assert visible(small, 3).tolist() == [True, False, False]


def test_features_are_means_under_the_object(objects):
    embedding = torch.zeros(64, 64, 64)
    embedding[3] = torch.arange(64).float()[None]  # the value is the column of the stride-4 grid
    small = objects[1::2, 1::2]
    features = object_features(embedding, small, [0, 7])
    assert features[0, 3] == pytest.approx(16 / 4 - 0.5, abs=0.3)
    assert features[1, 3] == pytest.approx(240 / 4 - 0.5, abs=0.3)
    assert torch.allclose(click_features(embedding, torch.tensor([[16.0, 16.0]]))[0, 3], torch.tensor(3.5))


def test_centres_are_in_tile_pixels(objects):
    found = centres(objects[1::2, 1::2], [0, 9])
    assert torch.allclose(found, torch.tensor([[16.0, 16.0], [48.0, 48.0]]), atol=1.01)


def test_prompts_are_padded_and_cut_to_the_decoders_shapes():
    feeds = prompt_feeds(torch.ones(40, 64), torch.ones(40, 2), torch.ones(40))
    assert feeds["point_labels"].shape == (POINTS,) and feeds["exemplar_labels"].shape == (EXEMPLARS,)
    assert (feeds["point_labels"] == 1).all() and (feeds["exemplar_labels"] == 1).all()
    elsewhere = prompt_feeds(torch.ones(2, 64), None, torch.tensor([1.0, 0.0]))
    assert (elsewhere["point_labels"] == -1).all()
    assert elsewhere["exemplar_labels"].tolist() == [1.0, 0.0] + [-1.0] * (EXEMPLARS - 2)


def test_prompts_have_at_least_one_positive_click():
    for seed in range(50):
        chosen, labels = draw_prompts(random.Random(seed), [1, 2, 3], [7, 8])
        assert len(set(chosen)) == len(chosen) == len(labels)
        assert all((label == 1) == (identity in (1, 2, 3)) for identity, label in zip(chosen, labels))
        assert 1 <= labels.sum() <= 3


def test_an_episode_asks_both_tiles_and_gives_points_only_where_they_were_clicked(objects):
    classes = [(torch.arange(64) >= 32).long()] * 2
    support, query = make_episodes(random.Random(0), torch.randn(2, 64, 64, 64), torch.stack([objects, objects]), classes)
    assert (support.query, query.query) == (0, 1)
    assert (support.feeds["point_labels"] >= 0).any() and not (query.feeds["point_labels"] >= 0).any()
    assert torch.equal(support.feeds["exemplar_features"], query.feeds["exemplar_features"])
    assert support.wanted.sum() == 32 and support.judged.all()


def test_a_pair_without_objects_asks_nothing():
    nothing = torch.zeros(2, 256, 256, dtype=torch.int32)
    assert make_episodes(random.Random(0), torch.randn(2, 64, 64, 64), nothing, [torch.zeros(5).long()] * 2) == []
