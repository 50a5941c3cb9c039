"""Losses that give every typed object of a batch a gradient, not only those that an episode asks for: a linear classifier (dropped
at export) and the same log-mean-exp evidence between objects that the decoder forms between prompts and pixels."""

import torch
from torch import nn
from torch.nn import functional as F

from .decoder import CHANNELS
from .episodes import object_features, visible


class TypeHead(nn.Linear):
    """One linear layer over all vocabularies; a tile reads the columns [start, stop) of its own."""

    def __init__(self, total: int):
        super().__init__(CHANNELS, total)


def balanced(classes: torch.Tensor) -> torch.Tensor:
    """Weights [N] that sum to 1, each class counted by the square root of its number."""
    weight = torch.bincount(classes).clamp(min=1).float().rsqrt()[classes]
    return weight / weight.sum()


def class_evidence(similarity: torch.Tensor, classes: torch.Tensor, count: int) -> torch.Tensor:
    """log mean exp of similarity [N, N] to the other objects of each class; -inf stands where there is none. -> [N, count]."""
    member = F.one_hot(classes, count).float()
    own = torch.eye(len(classes))
    weight = torch.exp(similarity) * (1 - own)
    number = member.sum(0)[None] - member
    return torch.where(number > 0, torch.log(weight @ member / number.clamp(min=1) + 1e-9), torch.tensor(-1e4))


def type_losses(nets, embedding, objects, classes, vocabulary):
    """embedding [N, C, 64, 64], objects [N, 256, 256], classes list of N tensors, vocabulary list of N (start, stop).
    -> cross-entropy, contrastive loss, accuracy of the classifier."""
    groups: dict[tuple, list] = {}
    for index, span in enumerate(vocabulary):
        small = objects[index, 1::2, 1::2]
        ids = visible(small, len(classes[index])).nonzero().flatten()
        if len(ids):
            groups.setdefault(tuple(span), []).append((object_features(embedding[index], small, ids.tolist()), classes[index][ids]))
    entropy, contrast, hits, total = embedding.sum() * 0, embedding.sum() * 0, 0, 0
    for (start, stop), tiles in groups.items():
        features, kinds = torch.cat([f for f, _ in tiles]), torch.cat([c for _, c in tiles]).long()
        logits, weight = nets.types(features)[:, start:stop], balanced(kinds)
        entropy = entropy + len(kinds) * (weight * F.cross_entropy(logits, kinds, reduction="none")).sum()
        hits, total = hits + int((logits.argmax(1) == kinds).sum()), total + len(kinds)
        metric = F.normalize(nets.decoder.metric_proj(features), dim=1)
        evidence = class_evidence(metric @ metric.T * nets.decoder.log_temperature.detach().exp(), kinds, stop - start)
        paired = evidence.gather(1, kinds[:, None])[:, 0] > -1e3
        contrast = contrast + len(kinds) * (weight * paired * F.cross_entropy(evidence, kinds, reduction="none")).sum()
    total = max(1, total)
    return entropy / total, contrast / total, hits / total
