"""The SAMPO objective in PyTorch (arXiv 2508.02464; the formulas are the project's own, see docs): online mining of preference pairs from
prompts of different quality and from the masks of one prompt, DPO on the mean margin over disagreeing pixels."""

import random

import torch
from torch.nn import functional as F

from .decoder import EXEMPLARS
from .episodes import Episode

LEAST_GAP = 0.05  # utilities closer than this say nothing


def judged_pixels(episode: Episode) -> tuple[torch.Tensor, torch.Tensor]:
    """-> truth, judged [128, 128] float: what the user has confirmed, and where."""
    index = episode.objects.long()
    truth = torch.cat([torch.zeros(1), episode.wanted * episode.judged])[index]
    judged = torch.cat([torch.zeros(1), episode.judged.float()])[index]
    return truth, judged


def utility(masks, truth, judged):
    """IoU with the confirmed pixels only. masks [N, 128, 128] of 0 and 1 -> [N]."""
    masks = masks * judged
    inter = (masks * truth).sum((1, 2))
    return inter / (masks + truth * judged - masks * truth).sum((1, 2)).clamp(min=1)


def margin(logits, reference, chosen, rejected, judged):
    """(1/|D|) sum over D of (m_w - m_l)(z - z_ref); D: judged pixels where the masks differ. All [128, 128]. -> scalar, |D|."""
    difference = (chosen - rejected) * judged
    size = difference.abs().sum()
    return (difference * (logits - reference)).sum() / size.clamp(min=1), size


def poorer(rng: random.Random, episode: Episode) -> dict[str, torch.Tensor]:
    """The same intent asked worse: one or two of its positives, no negative, sometimes one of another type as noise."""
    labels = episode.feeds["exemplar_labels"]
    positives = (labels == 1).nonzero().flatten().tolist()
    negatives = (labels == 0).nonzero().flatten().tolist()
    keep = rng.sample(positives, min(len(positives), rng.choice((1, 1, 2))))
    feeds = dict(episode.feeds)
    kept = torch.full_like(labels, -1.0)
    kept[keep] = 1.0
    if negatives and rng.random() < 0.15:
        kept[rng.choice(negatives)] = 1.0
    feeds["exemplar_labels"] = kept
    shown = len(feeds["point_labels"])
    feeds["point_labels"] = torch.where(kept[:shown] >= 0, torch.minimum(kept[:shown], feeds["point_labels"]), torch.tensor(-1.0))
    return feeds


def richer(episode: Episode, embedding: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same intent asked better: every visible object of the query tile as exemplar, up to the limit (a user who has judged them)."""
    from .episodes import object_features, prompt_feeds

    ids = episode.judged.nonzero().flatten().tolist()[:EXEMPLARS]
    features = object_features(embedding, episode.objects, ids)
    return prompt_feeds(features, None, episode.wanted[ids])


def preference_loss(logits, scores, reference, rich, episode, beta):
    """One poor-prompt answer: logits [K, H, W] and scores [K] of the policy, reference logits [K, H, W], rich logits [K, H, W].
    -> loss, dict for the log. Pairs: truth over answer, rich over poor, and among the K masks."""
    truth, judged = judged_pixels(episode)
    masks = (logits.detach() > 0).float()
    values = utility(masks, truth, judged)
    best = int(values.argmax())
    top = int(scores.argmax())
    rich_masks = (rich > 0).float()
    rich_values = utility(rich_masks, truth, judged)
    pairs = [(truth, masks[top], top, 1.0 - values[top])]
    better = int(rich_values.argmax())
    pairs.append((rich_masks[better], masks[top], top, rich_values[better] - values[top]))
    for k in range(len(masks)):
        if k != best:
            pairs.append((masks[best], masks[k], k, values[best] - values[k]))
    losses, margins = [], []
    for chosen, rejected, head, gap in pairs:
        if gap < LEAST_GAP:
            continue
        value, size = margin(logits[head], reference[head], chosen, rejected, judged)
        if size > 0:
            losses.append(F.softplus(-beta * value))
            margins.append(value.detach())
    ranks = [F.softplus(-(logit(scores[i]) - logit(scores[j]))) for i in range(3) for j in range(3) if values[i] - values[j] > LEAST_GAP]
    zero = logits.sum() * 0
    dpo = torch.stack(losses).mean() if losses else zero
    rank = torch.stack(ranks).mean() if ranks else zero
    accuracy = torch.stack(margins).gt(0).float().mean().item() if margins else float("nan")
    return dpo, rank, dict(margin=torch.stack(margins).mean().item() if margins else 0.0, reward_accuracy=accuracy, utility=values[top].item())


def logit(p):
    """Inverse sigmoid; the score head ends in a sigmoid."""
    p = p.clamp(1e-4, 1 - 1e-4)
    return torch.log(p) - torch.log1p(-p)
