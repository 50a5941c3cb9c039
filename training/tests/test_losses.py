import pytest
import torch

from sampo_training.episodes import Episode
from sampo_training.losses import head_loss, intent_loss, object_means, weak_head_loss
from sampo_training.object_types import balanced, class_evidence
from sampo_training.sampo import margin


@pytest.fixture
def episode(tissue):
    objects = torch.from_numpy(tissue.labels)[1::2, 1::2].contiguous()
    return Episode(0, {}, objects, (torch.arange(64) >= 32).float(), torch.ones(64, dtype=torch.bool))


def answer(episode, right: float):
    """Logits of `right` in every wanted object, -`right` elsewhere, three masks alike."""
    target = torch.cat([torch.zeros(1), episode.wanted])[episode.objects.long()]
    return (right * (2 * target - 1)).expand(3, -1, -1).clone()


def test_a_right_answer_costs_less_than_an_unsure_one_and_that_less_than_a_wrong_one(episode):
    empty, scores = torch.zeros(128, 128), torch.full((3,), 0.5)
    right, unsure, wrong = (intent_loss(answer(episode, size), scores, episode, empty)[0] for size in (4.0, 0.0, -4.0))
    assert right < unsure < wrong


def test_objects_that_nobody_judged_do_not_count(episode):
    empty, scores = torch.zeros(128, 128), torch.full((3,), 0.5)
    episode.judged[10] = False
    logits = answer(episode, 2.0)
    changed = logits.clone()
    changed[:, episode.objects == 11] = 9.0
    first, second = (intent_loss(values, scores, episode, empty)[0] for values in (logits, changed))
    assert torch.allclose(first, second)


def test_the_score_learns_the_overlap(episode):
    empty = torch.zeros(128, 128)
    _, parts = intent_loss(answer(episode, 4.0), torch.ones(3), episode, empty)
    assert parts["iou"] == 1 and parts["score"] == 0


def test_object_means_of_a_map():
    objects = torch.tensor([[0, 1], [2, 2]])
    assert object_means(torch.tensor([[[9.0, 2.0], [1.0, 3.0]]]), objects, 3).tolist() == [[2.0, 2.0, 0.0]]


def test_head_losses_prefer_the_truth(tissue):
    labels, distance = torch.from_numpy(tissue.labels)[None], torch.from_numpy(tissue.distance)[None]
    truth = torch.where(labels > 0, 6.0, -6.0)
    assert head_loss(truth, distance, labels, distance) < 0.2 < head_loss(-truth, 1 - distance, labels, distance)
    known_middle = torch.tensor([True])
    assert weak_head_loss(truth, distance, labels, known_middle) < weak_head_loss(-truth, 1 - distance, labels, known_middle)


def test_classes_count_by_the_root_of_their_number():
    weight = balanced(torch.tensor([0] * 16 + [1]))
    assert weight.sum() == pytest.approx(1)
    assert weight[:16].sum() / weight[16] == pytest.approx(4)


def test_evidence_leaves_the_object_itself_out():
    evidence = class_evidence(torch.tensor([[5.0, 1.0, 2.0], [1.0, 5.0, 3.0], [2.0, 3.0, 5.0]]), torch.tensor([0, 0, 1]), 2)
    assert evidence[0].tolist() == pytest.approx([1.0, 2.0])
    assert evidence[2, 1] < -1e3  # nobody else of its class


def test_the_margin_reads_only_where_the_masks_differ():
    chosen, rejected = torch.tensor([[1.0, 1, 0]]), torch.tensor([[1.0, 0, 1]])
    policy, reference = torch.tensor([[50.0, 3, -1]]), torch.tensor([[0.0, 1, 1]])
    value, size = margin(policy, reference, chosen, rejected, torch.ones(1, 3))
    assert size == 2 and value == pytest.approx(((3 - 1) - (-1 - 1)) / 2)
