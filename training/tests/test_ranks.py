import json

import pytest
import torch

from sampo_training.ranks import Ranks, run_together


def test_alone_nothing_changes():
    value = torch.tensor([3.0])
    Ranks().mean([value])
    assert value.item() == 3 and Ranks().agree(2.5) == 2.5


def test_every_process_gets_the_mean(tmp_path):
    def work(ranks: Ranks):
        gradients = [torch.full((2, 3), float(ranks.rank)), torch.tensor([10.0 * ranks.rank])]
        ranks.mean(gradients)
        values = [gradients[0].tolist(), gradients[1].tolist(), ranks.agree(1e9 + ranks.rank)]
        (tmp_path / f"{ranks.rank}.json").write_text(json.dumps(values))

    run_together(work, 2, tmp_path)
    for rank in (0, 1):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == [[[0.5] * 3] * 2, [5.0], 1e9 + 0.5]


def test_a_run_does_not_go_on_by_half(tmp_path):
    def work(ranks: Ranks):
        ranks.agree(0)
        if ranks.rank == 1:
            raise SystemExit(3)
        ranks.agree(1)

    with pytest.raises(RuntimeError):
        run_together(work, 2, tmp_path)
