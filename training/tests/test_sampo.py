import random

import pytest
import torch

from sampo_training.episodes import make_episodes
from sampo_training.sampo import judged_pixels, logit, poorer, preference_loss, richer, utility


@pytest.fixture
def episode(tissue):
    objects = torch.from_numpy(tissue.labels)
    classes = [(torch.arange(64) >= 32).long()] * 2
    return make_episodes(random.Random(5), torch.randn(2, 64, 64, 64), torch.stack([objects, objects]), classes)[0]


def test_utility_looks_at_judged_pixels_alone(episode):
    truth, judged = judged_pixels(episode)
    outside = truth.clone()
    outside[judged == 0] = 1
    assert utility(torch.stack([truth, outside, 1 - truth]), truth, judged).tolist() == [1.0, 1.0, 0.0]


def test_a_poorer_prompt_keeps_one_or_two_positive_clicks(episode):
    for seed in range(40):
        feeds = poorer(random.Random(seed), episode)
        positives = int((feeds["exemplar_labels"] == 1).sum())
        assert 1 <= positives <= 3  # a negative click may turn positive, as noise
        assert not (feeds["exemplar_labels"] == 0).any()
        shown = feeds["point_labels"] == 1
        assert (feeds["exemplar_labels"][: len(shown)][shown] == 1).all()


def test_a_richer_prompt_names_every_visible_object_up_to_the_limit(episode):
    feeds = richer(episode, torch.randn(64, 64, 64))
    wanted = episode.wanted[episode.judged][:32]
    assert feeds["exemplar_labels"].tolist() == wanted.tolist()


def test_the_preference_prefers_an_answer_moved_towards_the_truth(episode):
    truth, _ = judged_pixels(episode)
    reference, scores = torch.full((3, 128, 128), -0.1), torch.full((3,), 0.5)
    towards, away = 2 * truth - 1, 1 - 2 * truth
    rich = (4 * truth - 2).expand(3, -1, -1)
    good, _, numbers = preference_loss(reference + 0.05 * towards, scores, reference, rich, episode, 0.5)
    bad, _, worse = preference_loss(reference + 0.05 * away, scores, reference, rich, episode, 0.5)
    assert good < bad
    assert numbers["reward_accuracy"] == 1 and worse["reward_accuracy"] == 0


def test_nothing_to_prefer_costs_nothing_and_keeps_the_graph(episode):
    truth, _ = judged_pixels(episode)
    logits = (20 * truth - 10).expand(3, -1, -1).clone().requires_grad_()
    dpo, rank, numbers = preference_loss(logits, torch.full((3,), 0.9), logits.detach(), logits.detach(), episode, 0.5)
    assert dpo == 0 and rank == 0 and numbers["utility"] == 1
    dpo.backward()


def test_logit_is_the_inverse_of_the_sigmoid():
    values = torch.tensor([-3.0, 0.0, 2.5])
    assert torch.allclose(logit(torch.sigmoid(values)), values, atol=1e-4)
    assert torch.isfinite(logit(torch.tensor([0.0, 1.0]))).all()
