import math
import random

import numpy as np
import pytest
import torch

from sampo_training.batches import Batches, Mixture, Sources, kept_sources
from sampo_training.data import Typed
from sampo_training.questions import outlined
from sampo_training.train import Trainer, background, embed, encode, losses_of, rate, write_row

CONFIG = dict(seed=1, minutes=10, lr=1e-3, weight_decay=0.01, weak=0.5, intent=1.0, type=0.4, contrast=0.25)


@pytest.fixture
def sources(tissue):
    classes = (np.arange(64) >= 32).astype(int)
    typed = Typed("made", tissue.rgb, tissue.labels, classes, ["small", "large"], exact=True)
    return Sources([(1.0, [tissue])], [(1.0, [typed])], [(1.0, [outlined(tissue)])])


def test_a_batch_holds_outlines_then_questions_then_types(sources):
    batch = Batches(sources, Mixture(1, 2, 1), seed=0).batch(random.Random(0))
    assert batch["image"].shape == (1 + 4 + 2, 3, 256, 256)
    assert batch["labels"].shape == batch["distance"].shape == (1 + 4, 256, 256)
    assert batch["objects"].shape == (4 + 2, 256, 256) and len(batch["classes"]) == 6
    assert batch["spots"].shape == (2, 256, 256) and len(batch["vocabulary"]) == len(batch["disk"]) == 2


def test_batches_are_the_same_for_the_same_seed(sources):
    first, second = (next(iter(Batches(sources, Mixture(1, 1, 1), seed=5))) for _ in range(2))
    assert torch.equal(first["image"], second["image"]) and torch.equal(first["objects"], second["objects"])


def test_questions_do_not_move_the_type_classifier(sources, tmp_path):
    """The classifier sees typed tiles alone: with their labels taken away its loss is nothing, whatever the questions are."""
    trainer = Trainer(CONFIG, tmp_path, 2)
    batch = Batches(sources, Mixture(1, 1, 1), seed=0).batch(random.Random(0))
    batch["objects"][2:] = 0
    _, log = losses_of(trainer.nets, batch, random.Random(0), CONFIG)
    assert log["type"] == 0 and log["contrast"] == 0
    assert math.isnan(log["typed_iou"]) and 0 <= log["question_iou"] <= 1


def test_a_step_changes_every_part_and_a_run_is_taken_up_where_it_stopped(sources, tmp_path):
    trainer = Trainer(CONFIG, tmp_path, 2)
    before = {name: value.clone() for name, value in trainer.nets.named_parameters()}
    batch = Batches(sources, Mixture(1, 1, 1), seed=0).batch(random.Random(0))
    loss, _ = losses_of(trainer.nets, batch, random.Random(0), CONFIG)
    trainer.update(loss)
    changed = {name.split(".")[0] for name, value in trainer.nets.named_parameters() if not torch.equal(value, before[name])}
    assert changed == {"encoder", "decoder", "types"}

    trainer.elapsed = 12.5
    trainer.save()
    again = Trainer(CONFIG, tmp_path, 2)
    assert again.step == 1 and again.elapsed == 12.5
    assert all(torch.equal(a, b) for a, b in zip(trainer.nets.state_dict().values(), again.nets.state_dict().values()))
    assert all(torch.equal(a, b) for a, b in zip(trainer.average.state_dict().values(), again.average.state_dict().values()))
    moments, kept = trainer.optimizer.state_dict()["state"], again.optimizer.state_dict()["state"]
    assert torch.equal(moments[0]["exp_avg"], kept[0]["exp_avg"])


def test_a_branch_keeps_the_steps_and_starts_the_clock_anew(tmp_path):
    (tmp_path / "trunk").mkdir(), (tmp_path / "branch").mkdir()
    trunk = Trainer(CONFIG, tmp_path / "trunk", 2)
    trunk.step, trunk.elapsed = 700, 3000.0
    trunk.save()
    branch = Trainer(CONFIG | dict(branch=tmp_path / "trunk/last.pt"), tmp_path / "branch", 2)
    assert branch.step == 700 and branch.elapsed == 0


def test_without_outlines_the_head_is_left_alone_and_the_embedding_is_the_same(sources, tmp_path):
    trainer = Trainer(CONFIG, tmp_path, 2)
    trainer.nets.eval()
    batch = Batches(sources, Mixture(1, 1, 1), seed=0).batch(random.Random(0))
    loss, log = losses_of(trainer.nets, batch, random.Random(0), CONFIG, outlines=False)
    loss.backward()
    assert "head" not in log and "question_iou" in log
    silent = {name.split(".")[1] for name, value in trainer.nets.named_parameters() if value.grad is None}
    assert silent >= {"full", "head_1", "head_2", "head_4", "predict"} and "embed" not in silent
    assert torch.equal(embed(trainer.nets, batch["image"]), encode(trainer.nets, batch["image"])[0])


def test_background_keeps_away_from_every_outline(tissue):
    empty = background(torch.from_numpy(tissue.labels)[None])[0]
    small = torch.from_numpy(tissue.labels)[1::2, 1::2]
    assert not empty[small > 0].any() and empty.sum() > 1000
    assert not empty[8, 8 + 4]  # 3 px beside the nucleus at (16, 16) of radius 5


def test_schedules():
    constant, decay = dict(lr=1.0, minutes=10, schedule="constant"), dict(lr=1.0, minutes=10, schedule="decay")
    assert rate(constant, 0, 0) < 0.02 and rate(constant, 9999, 99) == rate(constant, 0, 10_000) == 1
    assert [rate(decay, seconds, 5000) for seconds in (0, 300, 600, 900)] == [1, 0.5, 0, 0]
    assert rate(CONFIG, 300, 0) == pytest.approx(CONFIG["lr"] * 0.51)


def test_the_log_leaves_out_what_was_not_measured(tmp_path):
    trainer, sums = Trainer(CONFIG, tmp_path, 2), {}
    for step in range(1, 51):
        trainer.step = step
        sums = write_row(trainer, sums, dict(head=2.0, typed_iou=float("nan")))
    row = (tmp_path / "log.jsonl").read_text()
    assert '"head": 2.0' in row and "typed_iou" not in row and sums == {}


def test_sources_are_kept_until_their_settings_change(tmp_path):
    made = []

    def make():
        made.append(1)
        return Sources([], [])

    path = tmp_path / "sources.pickle"
    kept_sources(path, ("a",), make), kept_sources(path, ("a",), make)
    assert len(made) == 1
    kept_sources(path, ("b",), make)
    assert len(made) == 2
