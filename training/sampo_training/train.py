"""`python -m sampo_training.train CONFIG --data DIR --run DIR [--start WEIGHTS | --branch CHECKPOINT] [--lifted FILE]`. Class-agnostic
head, object types and intents at once; stage 2 adds lifted outlines and synthetic tissue, the broad run questions without types.
Resumable (the last checkpoint of --run is taken up), seeded, logged as JSON lines. Schedules of a fixed length run over
wall-clock minutes, so that a shared machine changes the number of steps, not the shape of the schedule."""

import argparse
import copy
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .batches import Batches, Mixture, kept_sources, load_sources, stream
from .decoder import Decoder
from .encoder import Encoder
from .episodes import make_episodes
from .losses import head_loss, intent_loss, weak_head_loss
from .synthetic import draw
from .object_types import TypeHead, type_losses
from .packed import read_weights
from .ranks import Ranks, run_together

MEAN, STD = torch.tensor([0.70, 0.56, 0.70]), torch.tensor([0.18, 0.21, 0.17])


def normalise(image: torch.Tensor) -> torch.Tensor:
    """[B, 3, H, W] in 0..1 -> normalised, channels last (faster convolutions on this CPU)."""
    return ((image - MEAN[:, None, None]) / STD[:, None, None]).contiguous(memory_format=torch.channels_last)


WARM_UP_STEPS = 100  # of the constant schedule


def rate(config: dict, elapsed: float, step: int) -> float:
    """Learning rate after `elapsed` seconds and `step` steps. `schedule`: "cosine" (the default): warm-up over the first 2 % of the
    minutes, then a cosine to 2 % of the peak; "constant": warm-up, then level, for runs of no fixed length; "decay": from the peak
    straight down to nothing, to end a constant run with."""
    schedule = config.get("schedule", "cosine")
    done = min(1.0, elapsed / (config["minutes"] * 60))
    if schedule == "constant":
        return config["lr"] * min(1.0, (step + 1) / WARM_UP_STEPS)
    if schedule == "decay":
        return config["lr"] * (1 - done)
    return config["lr"] * min(1.0, done / 0.02 + 0.01) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


class Trainer:
    """Networks, optimizer, running average of the weights, and where they are kept."""

    def __init__(self, config: dict, run: Path, types: int = 1, ranks: Ranks = Ranks()):
        self.config, self.run, self.ranks = config, run, ranks
        torch.manual_seed(config["seed"])
        self.nets = torch.nn.ModuleDict(dict(encoder=Encoder(), decoder=Decoder(), types=TypeHead(types)))
        self.nets.encoder.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.nets)
        self.optimizer = torch.optim.AdamW(self.nets.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
        self.step, self.elapsed = 0, 0.0
        last = run / "last.pt"
        if last.exists():
            self.take_up(last)
        elif config.get("branch"):
            self.take_up(config["branch"])
            self.elapsed = 0.0
        elif config.get("start"):
            kept = read_weights(config["start"])
            self.nets.load_state_dict(kept, strict=False)
            self.average.load_state_dict(kept, strict=False)
        self.saved = time.monotonic()

    def take_up(self, checkpoint: Path):
        """Goes on where a run stopped: weights, their average, the optimizer's moments and the counters."""
        state = torch.load(checkpoint, weights_only=True)
        self.nets.load_state_dict(state["nets"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.elapsed = state["step"], state["elapsed"]

    def save(self):
        state = dict(nets=self.nets.state_dict(), average=self.average.state_dict(), optimizer=self.optimizer.state_dict(),
                     step=self.step, elapsed=self.elapsed)  # fmt: skip
        torch.save(state, self.run / "saving.pt")
        (self.run / "saving.pt").rename(self.run / "last.pt")  # at once or not at all, whenever the run is killed
        self.saved = time.monotonic()

    def update(self, loss: torch.Tensor):
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.config, self.elapsed, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for parameter in self.nets.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        statistics = [buffer for buffer in self.nets.buffers() if buffer.is_floating_point()]
        self.ranks.mean([parameter.grad for parameter in self.nets.parameters()] + statistics)
        torch.nn.utils.clip_grad_norm_(self.nets.parameters(), 2.0)
        self.optimizer.step()
        decay = min(self.config.get("average", 0.998), (1 + self.step) / (20 + self.step))
        with torch.no_grad():
            for kept, new in zip(self.average.parameters(), self.nets.parameters()):
                kept.lerp_(new, 1 - decay)
            for kept, new in zip(self.average.buffers(), self.nets.buffers()):
                kept.copy_(new)
        self.step += 1


SAVE_SECONDS = 120


def encode(nets, image: torch.Tensor):
    with torch.autocast("cpu", torch.bfloat16):
        return nets.encoder(normalise(image))


def embed(nets, image: torch.Tensor) -> torch.Tensor:
    """The embedding alone, in half the time."""
    with torch.autocast("cpu", torch.bfloat16):
        return nets.encoder.embedding(nets.encoder.features(normalise(image)))[0]


def decode(nets, embedding: torch.Tensor, episodes: list):
    """Runs all episodes as one batch. -> logits [E, K, 128, 128], scores [E, K]."""
    feeds = {name: torch.stack([e.feeds[name] for e in episodes]) for name in episodes[0].feeds}
    with torch.autocast("cpu", torch.bfloat16):
        logits, scores = nets.decoder(torch.stack([embedding[e.query] for e in episodes]), **feeds)
    return logits.float(), scores.float()


BACKGROUND_DISTANCE = 5  # px from every outline: surely no nucleus


def background(labels: torch.Tensor) -> torch.Tensor:
    """[N, 256, 256] outlines of all nuclei -> [N, 128, 128] float: 1 where there surely is none."""
    side = 2 * BACKGROUND_DISTANCE + 1
    return 1 - F.max_pool2d((labels > 0).float(), side, 1, BACKGROUND_DISTANCE)[:, 1::2, 1::2]


def losses_of(nets, batch: dict, rng: random.Random, config: dict, outlines: bool = True):
    """All losses of one batch (its order of tiles: `Batches`). `outlines`: the class-agnostic head too. -> total, dict for the log."""
    tiles, outlined, typed_tiles = len(batch["image"]), len(batch["labels"]), len(batch["spots"])
    asked, typed = tiles - len(batch["objects"]), tiles - typed_tiles  # where the tiles of each kind begin
    objects, classes = batch["objects"][typed - asked :], batch["classes"][typed - asked :]
    # Where no nucleus is: known in tiles with outlines, predicted in typed ones, some of whose nuclei are not labelled.
    empty = torch.cat([background(batch["labels"][asked:]), torch.zeros(typed_tiles, 128, 128)])
    total, log = torch.zeros(()), {}
    if outlines:
        embedding, nucleus, distance = encode(nets, batch["image"])
        embedding = embedding[asked:]
        head = head_loss(nucleus[:outlined, 0], distance[:outlined, 0], batch["labels"], batch["distance"])
        weak = weak_head_loss(nucleus[typed:, 0], distance[typed:, 0], batch["spots"], batch["disk"])
        total, log = head + config["weak"] * weak, dict(head=head.item(), weak=weak.item())
        empty[typed - asked :] = (torch.sigmoid(nucleus[typed:, 0, 1::2, 1::2].detach()) < 0.2).float()
    else:
        embedding = embed(nets, batch["image"][asked:])
    kind, contrast, accuracy = type_losses(nets, embedding[typed - asked :], objects, classes, batch["vocabulary"])
    log |= dict(type=kind.item(), contrast=contrast.item(), accuracy=accuracy)
    total = total + config["type"] * kind + config["contrast"] * contrast
    episodes = make_episodes(rng, embedding, batch["objects"], batch["classes"])
    if episodes:
        logits, scores = decode(nets, embedding, episodes)
        parts = [intent_loss(l, s, e, empty[e.query]) for l, s, e in zip(logits, scores, episodes)]
        total = total + config["intent"] * torch.stack([p[0] for p in parts]).mean()
        log |= {key: sum(p[1][key] for p in parts) / len(parts) for key in parts[0][1]}
        for name, mine in (("question", [e.query < typed - asked for e in episodes]), ("typed", [e.query >= typed - asked for e in episodes])):
            chosen = [p[1]["iou"] for p, own in zip(parts, mine) if own]
            log[f"{name}_iou"] = sum(chosen) / len(chosen) if chosen else float("nan")
    return total, log


def write_row(trainer: Trainer, sums: dict, parts: dict) -> dict:
    """Adds one step's figures to the sums; every 50 steps appends their means to log.jsonl. -> the sums to carry on with."""
    for key, value in parts.items():
        total, number = sums.get(key, (0.0, 0))
        if math.isfinite(value):
            sums[key] = (total + value, number + 1)
    if trainer.step % 50:
        return sums
    row = dict(step=trainer.step, minutes=round(trainer.elapsed / 60, 2), **{k: round(v / n, 4) for k, (v, n) in sums.items()})
    with (trainer.run / "log.jsonl").open("a") as log:
        print(json.dumps(row), file=log)
    return {}


def fit(trainer: Trainer, sources, losses):
    """Steps until the minutes of the configuration are used up. `losses(batch, rng)` -> total, dict for the log."""
    config, clock, sums = trainer.config, time.monotonic(), {}
    own = trainer.ranks.rank * 1_000_003  # every process draws batches of its own
    batches = stream(Batches(sources, Mixture.of(config), config["seed"] * 1000 + trainer.step + own))
    rng = random.Random(config["seed"] + trainer.step + own)
    while trainer.elapsed < config["minutes"] * 60:
        loss, parts = losses(next(batches), rng)
        trainer.update(loss)
        now = time.monotonic()
        trainer.elapsed, clock = trainer.ranks.agree(trainer.elapsed + now - clock), now
        if trainer.ranks.rank:
            continue
        sums = write_row(trainer, sums, parts)
        if now - trainer.saved > SAVE_SECONDS:
            trainer.save()
    if not trainer.ranks.rank:
        trainer.save()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="checkpoint or model folder whose weights to begin with")
    parser.add_argument("--branch", type=Path, help="checkpoint to go on from in a new run: weights, average and optimizer")
    parser.add_argument("--lifted", type=Path, help="outlines of the typed points, made by `lift`")
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text()) | dict(start=arguments.start, branch=arguments.branch)
    arguments.run.mkdir(parents=True, exist_ok=True)
    # Before the thread pool exists, so that its threads inherit it: denormal gradients made steps twice as slow.
    torch.set_flush_denormal(True)
    torch.set_num_threads(config.get("threads", 2))
    lifted, number = arguments.lifted, config.get("synthetic", 0)
    sources = kept_sources(
        arguments.run / "sources.pickle",
        (str(lifted), number, config.get("questions", 0) > 0),
        lambda: load_sources(
            arguments.data,
            dict(np.load(lifted)) if lifted else None,
            [draw(seed) for seed in range(number)],
            questions=config.get("questions", 0) > 0,
        ),
    )

    def work(ranks: Ranks):
        trainer = Trainer(config, arguments.run, max(stop for _, stop in sources.vocabularies().values()), ranks)
        every = config.get("head_every", 1)
        fit(trainer, sources, lambda batch, rng: losses_of(trainer.nets, batch, rng, config, trainer.step % every == 0))

    run_together(work, config.get("processes", 1), arguments.run)


if __name__ == "__main__":
    main()
