"""`python -m sampo_training.blend --first WEIGHTS --second WEIGHTS --share 0.5 --out FILE`: the straight line between two models of one origin
(Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). A point between a model and what it was trained on to often keeps
the old skill and has most of the new one. WEIGHTS is a checkpoint or a model folder; the result is a checkpoint."""

import argparse
from pathlib import Path

import torch

from .packed import read_weights


def blend(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """(1 - share) x first + share x second, for every float that both have. @raises KeyError when their parameters differ."""
    counters = {name for name in (*first, *second) if name.endswith("num_batches_tracked")}
    apart = (set(first) ^ set(second)) - counters
    if apart:
        raise KeyError(f"only one of the two has {', '.join(sorted(apart))}")
    return {name: value.lerp(second[name], share) for name, value in first.items() if name not in counters}


def shift_masks(state: dict[str, torch.Tensor], logit: float) -> None:
    """Adds `logit` to every mask logit that the decoder will answer, in place: another threshold becomes what 0.5 was."""
    state["decoder.mask_bias"] = state["decoder.mask_bias"] + logit


def steps_of(source: Path) -> int:
    return 0 if source.is_dir() else torch.load(source, weights_only=True)["step"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=Path, required=True)
    parser.add_argument("--second", type=Path, required=True)
    parser.add_argument("--share", type=float, required=True, help="of the second, 0 to 1")
    parser.add_argument("--shift", type=float, default=0.0, help="added to every mask logit; -0.2 makes what was 0.55 to 0.5")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if not 0 <= arguments.share <= 1:
        parser.error(f"--share {arguments.share} is not within 0 and 1")
    average = blend(read_weights(arguments.first), read_weights(arguments.second), arguments.share)
    shift_masks(average, arguments.shift)
    torch.save(dict(average=average, step=max(steps_of(arguments.first), steps_of(arguments.second))), arguments.out)


if __name__ == "__main__":
    main()
