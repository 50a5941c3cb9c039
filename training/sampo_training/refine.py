"""Stage 3: `python -m sampo_training.refine CONFIG --data DIR --start CHECKPOINT --lifted FILE --run DIR`. Lifted outlines, synthetic tissue, and the SAMPO objective: each
intent is asked poorly, and must learn to answer as if it had been asked well. Same logging, schedule and resumption as stages 1 and 2."""

import argparse
import copy
import json
import random
from pathlib import Path

import numpy as np
import torch

from .batches import load_sources
from .episodes import make_episodes
from .losses import head_loss, intent_loss, weak_head_loss
from .packed import read_weights
from .sampo import poorer, preference_loss, richer
from .synthetic import draw
from .train import Trainer, encode, fit


def ask(decoder, embedding: torch.Tensor, episodes: list, feeds: list[dict]):
    """One decoder batch with other prompts than the episodes' own. -> logits, scores."""
    batch = {name: torch.stack([f[name] for f in feeds]) for name in feeds[0]}
    return decoder(torch.stack([embedding[e.query] for e in episodes]), **batch)


def losses_of(nets, reference, batch: dict, rng: random.Random, config: dict):
    """Head losses, intent losses on the well-asked prompt, and the hybrid preference loss on a poorer one. -> total, dict for the log."""
    embedding, nucleus, distance = encode(nets, batch["image"])
    count = len(batch["labels"])
    head = head_loss(nucleus[:count, 0], distance[:count, 0], batch["labels"], batch["distance"])
    weak = weak_head_loss(nucleus[count:, 0], distance[count:, 0], batch["spots"], batch["disk"])
    total, log = head + config["weak"] * weak, dict(head=head.item(), weak=weak.item())
    embedding = embedding[count:]
    episodes = make_episodes(rng, embedding, batch["objects"], batch["classes"])
    if not episodes:
        return total, log
    empty = (torch.sigmoid(nucleus[count:, 0, 1::2, 1::2].detach()) < 0.2).float()
    poor = [poorer(rng, e) if rng.random() < config["poor"] else e.feeds for e in episodes]
    logits, scores = ask(nets.decoder, embedding, episodes, poor)
    with torch.no_grad():
        fixed = embedding.detach()
        reference_logits, _ = ask(reference, fixed, episodes, poor)
        rich_logits, _ = ask(nets.decoder, fixed, episodes, [richer(e, fixed[e.query]) for e in episodes])
    parts = []
    for index, episode in enumerate(episodes):
        supervised, numbers = intent_loss(logits[index], scores[index], episode, empty[episode.query])
        dpo, rank, mined = preference_loss(logits[index], scores[index], reference_logits[index], rich_logits[index], episode, config["beta"])
        parts.append((supervised * config["intent"] + config["dpo"] * dpo + config["rank"] * rank, numbers | mined | dict(dpo=dpo.item(), rank=rank.item())))
    keys = parts[0][1]
    log |= {key: float(np.nanmean([p[1][key] for p in parts])) for key in keys}
    return total + torch.stack([p[0] for p in parts]).mean(), log


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--lifted", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text()) | dict(start=arguments.start)
    arguments.run.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    torch.set_num_threads(config.get("threads", 2))
    trainer = Trainer(config, arguments.run)
    reference = copy.deepcopy(trainer.nets.decoder)
    started = read_weights(arguments.start)
    reference.load_state_dict({name.removeprefix("decoder."): value for name, value in started.items() if name.startswith("decoder.")})
    reference.requires_grad_(False).eval()
    lifted = dict(np.load(arguments.lifted))
    sources = load_sources(arguments.data, lifted, [draw(seed) for seed in range(config["synthetic"])])
    fit(trainer, sources, lambda batch, rng: losses_of(trainer.nets, reference, batch, rng, config))


if __name__ == "__main__":
    main()
