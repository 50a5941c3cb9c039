"""Losses of the class-agnostic head and of intent episodes (pixel and object supervision, scores)."""

import torch
from torch.nn import functional as F


def head_loss(nucleus, distance, labels, target_distance):
    """nucleus logits, distance [I, 256, 256]; labels int, target_distance [I, 256, 256]. BCE + Dice + smooth L1."""
    target = (labels > 0).float()
    bce = F.binary_cross_entropy_with_logits(nucleus, target)
    p = torch.sigmoid(nucleus)
    dice = 1 - (2 * (p * target).sum((1, 2)) + 1) / (p.sum((1, 2)) + target.sum((1, 2)) + 1)
    weight = 1 + 2 * target
    return bce + 0.5 * dice.mean() + 4 * (weight * F.smooth_l1_loss(distance, target_distance, beta=0.1, reduction="none")).mean()


def weak_head_loss(nucleus, distance, objects, disk):
    """Points as detection labels. Inside a disk is nucleus, far from every object is background (most nuclei are labelled), the
    rest unknown; the middle of a disk is near a peak of the distance map. nucleus logits, distance, objects [N, 256, 256];
    disk [N] bool: drawn as disks, so the middle is known."""
    inside = (objects > 0).float()
    # Separable: a 19 x 19 window costs ten times as much.
    near = F.max_pool2d(F.max_pool2d(inside, (19, 1), 1, (9, 0)), (1, 19), 1, (0, 9))
    far = 1 - near
    middle = (1 - F.max_pool2d(1 - inside, 7, 1, 3)) * disk.float()[:, None, None]
    positive = (F.softplus(-nucleus) * inside).sum() / inside.sum().clamp(min=1)
    negative = (F.softplus(nucleus) * far).sum() / far.sum().clamp(min=1)
    peak = (F.relu(0.8 - distance) * middle).sum() / middle.sum().clamp(min=1)
    return positive + 0.7 * negative + peak


def object_means(values, objects, count):
    """Mean of values [K, H, W] over each object of [H, W]. -> [K, count]."""
    index = objects.flatten().long()
    area = torch.bincount(index, minlength=count + 1)[1 : count + 1].clamp(min=1)
    sums = torch.zeros(values.shape[0], count + 1).index_add(1, index, values.flatten(1))
    return sums[:, 1:] / area


def intent_loss(logits, scores, episode, background):
    """logits [K, 128, 128], scores [K], background [128, 128] (1 where surely no nucleus). Min over masks plus a share of the
    mean, so that each mask stays alive; the score regresses each mask's IoU on judged pixels. -> loss, dict of parts."""
    count = len(episode.wanted)
    probability = torch.sigmoid(logits)
    means = object_means(probability, episode.objects, count)[:, episode.judged].clamp(1e-4, 1 - 1e-4)
    wanted = episode.wanted[episode.judged]
    share = torch.where(wanted > 0, 0.5 / wanted.sum().clamp(min=1), 0.5 / (1 - wanted).sum().clamp(min=1))
    weight = 0.4 * share * len(wanted) + 0.6
    by_object = (weight * F.binary_cross_entropy(means, wanted.expand_as(means), reduction="none")).mean(1)

    lookup = torch.cat([torch.zeros(1), episode.wanted * episode.judged])
    known = torch.cat([torch.zeros(1), episode.judged.float()])
    target, judged = lookup[episode.objects.long()], known[episode.objects.long()]
    pixel_weight = judged + 0.15 * background * (1 - judged)
    focal = (torch.sigmoid(-logits * (2 * target - 1)) ** 1) * F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction="none")
    by_pixel = (focal * pixel_weight).sum((1, 2)) / pixel_weight.sum().clamp(min=1)
    overlap = (probability * target * judged).sum((1, 2))
    dice = 1 - (2 * overlap + 1) / ((probability * judged).sum((1, 2)) + (target * judged).sum() + 1)
    each = by_object + by_pixel + 0.3 * dice
    with torch.no_grad():
        hard = (probability > 0.5).float() * judged
        iou = (hard * target).sum((1, 2)) / torch.maximum(hard, target * judged).sum((1, 2)).clamp(min=1)
    score = ((scores - iou) ** 2).mean()
    return each.min() + 0.3 * each.mean() + 0.5 * score, dict(object=by_object.min().item(), pixel=by_pixel.min().item(), score=score.item(), iou=iou.max().item())
