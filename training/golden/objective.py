"""The hybrid loss of sampo in PyTorch, formula by formula as in src/sampo/losses.ts: the reference its gradients are checked against."""

import torch
from torch.nn import functional as F

WEIGHTS = dict(beta=2.0, lambdaDpo=1.0, lambdaRank=0.5, lambdaSegment=1.0, lambdaScore=0.5)


def weighted_mean(values, weights):
    return (values * weights).sum() / weights.sum()


def objective(masks, scores, feeds, weights=WEIGHTS):
    """masks [1, K, H, W] logits, scores [1, K]; `feeds` as declared by src/sampo/objective.ts -> loss, dict of parts and margins."""
    k = masks.shape[1]
    by_head = feeds["pairDirections"] @ masks.reshape(k, -1).T
    margins = (by_head * feeds["pairHeads"]).sum(1) - feeds["referenceMargins"]
    dpo = weighted_mean(-F.logsigmoid(weights["beta"] * margins), feeds["pairWeights"])
    difference = (feeds["rankDirections"] * scores).sum(1)
    rank = weighted_mean(-F.logsigmoid(difference), feeds["rankWeights"])
    p, target, judged = torch.sigmoid(masks), feeds["target"], feeds["judged"]
    overlap = 2 * (p * target * judged).sum((2, 3)) + 1
    dice = 1 - overlap / ((p * judged).sum((2, 3)) + (target * judged).sum((2, 3)) + 1)
    right = torch.where(target > 0.5, p, 1 - p)
    entropy = F.binary_cross_entropy_with_logits(masks, target.expand_as(masks), reduction="none")
    focal = ((1 - right) ** 2 * entropy * judged).sum((2, 3)) / judged.sum()
    segment = weighted_mean(dice, feeds["segmentHeads"]) + weighted_mean(focal, feeds["segmentHeads"])
    score = weighted_mean((scores - feeds["scoreTargets"]) ** 2, feeds["scoreHeads"])
    loss = weights["lambdaDpo"] * dpo + weights["lambdaRank"] * rank + weights["lambdaSegment"] * segment + weights["lambdaScore"] * score
    return loss, dict(lossDpo=dpo, lossRank=rank, lossSegment=segment, lossScore=score, margins=margins)


def loss_feeds(k, height, width, pairs, draw):
    """Random but well-formed loss inputs: binary masks, some pixels not judged, the last pair row unused."""
    chosen, rejected = (torch.rand(pairs, height * width, generator=draw) < 0.5 for _ in range(2))
    judged = torch.rand(height * width, generator=draw) < 0.7
    signs = (chosen.float() - rejected.float()) * judged
    heads = torch.arange(pairs) % k
    used = torch.ones(pairs)
    used[-1] = 0
    winners = F.one_hot(heads, k).float()
    return dict(
        pairDirections=signs / signs.abs().sum(1, keepdim=True), pairHeads=winners, pairWeights=used,
        referenceMargins=torch.randn(pairs, generator=draw) * 0.1,
        rankDirections=winners - F.one_hot((heads + 1) % k, k).float(), rankWeights=used,
        target=(torch.rand(1, 1, height, width, generator=draw) < 0.4).float(),
        judged=judged.float().reshape(1, 1, height, width),
        segmentHeads=torch.linspace(1, 0.5, k).reshape(1, k), scoreTargets=torch.rand(1, k, generator=draw),
        scoreHeads=torch.ones(1, k),
    )  # fmt: skip
