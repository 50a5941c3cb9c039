import sys

import pytest
import torch

from sampo_training import blend
from sampo_training.export import decoder_inputs
from sampo_training.packed import load, networks


def test_a_blend_lies_on_the_line_between_the_two():
    first, second = dict(a=torch.zeros(3)), dict(a=torch.full((3,), 4.0))
    assert blend.blend(first, second, 0.25)["a"].tolist() == [1.0] * 3
    assert torch.equal(blend.blend(first, second, 0.0)["a"], first["a"])


def test_models_of_different_build_are_refused_by_name():
    with pytest.raises(KeyError, match="only one of the two has b"):
        blend.blend(dict(a=torch.zeros(1)), dict(a=torch.zeros(1), b=torch.zeros(1)), 0.5)


def test_a_blend_of_two_checkpoints_can_be_loaded(tmp_path, monkeypatch):
    for name, step in (("a", 3), ("b", 8)):
        torch.save(dict(average=networks().state_dict(), step=step), tmp_path / f"{name}.pt")
    words = ["blend", "--first", str(tmp_path / "a.pt"), "--second", str(tmp_path / "b.pt"), "--share", "0.5", "--out", str(tmp_path / "c.pt")]
    monkeypatch.setattr(sys, "argv", words)
    blend.main()
    assert torch.load(tmp_path / "c.pt", weights_only=True)["step"] == 8
    with torch.no_grad():
        assert torch.isfinite(load(tmp_path / "c.pt")["encoder"](torch.rand(1, 3, 256, 256))[0]).all()


def test_a_shift_moves_every_answer_alike():
    nets = networks().eval()
    feeds = decoder_inputs(1)
    with torch.no_grad():
        before, scores = nets["decoder"](**feeds)
        state = nets.state_dict()
        blend.shift_masks(state, -0.2)
        nets.load_state_dict(state)
        after, same_scores = nets["decoder"](**feeds)
    assert torch.allclose(before - 0.2, after, atol=1e-5) and torch.equal(scores, same_scores)
