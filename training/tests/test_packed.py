from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from sampo_training.packed import load, networks, read_packed, read_weights

SHIPPED = Path(__file__).parents[2] / "models/sampo-tiny"


def test_the_shipped_model_answers_the_same_in_pytorch_as_in_its_file():
    nets = load(SHIPPED)
    image = torch.rand(1, 3, 256, 256)
    with torch.no_grad():
        ours = nets["encoder"](image)
    session = onnxruntime.InferenceSession(str(SHIPPED / "encoder.onnx"), providers=["CPUExecutionProvider"])
    for mine, theirs in zip(ours, session.run(None, {"image": image.numpy()})):
        assert np.abs(mine.numpy() - theirs).max() < 1e-3 * max(1, np.abs(theirs).max())


def test_every_parameter_is_found():
    state, wanted = read_packed(SHIPPED), networks().state_dict()
    assert {k for k in wanted if not k.endswith("num_batches_tracked")} == set(state)


def test_a_folder_of_another_architecture_is_refused_by_name(monkeypatch):
    import sampo_training.packed as packed

    def wider():
        return torch.nn.ModuleDict(dict(encoder=torch.nn.ModuleDict(dict(extra=torch.nn.Linear(2, 2))), decoder=networks()["decoder"]))

    monkeypatch.setattr(packed, "networks", wider)
    with pytest.raises(KeyError, match="encoder.extra.weight"):
        packed.read_packed(SHIPPED)


def test_a_checkpoint_gives_its_average_without_the_classifier(tmp_path):
    average = networks().state_dict() | {"types.weight": torch.zeros(3, 64)}
    torch.save(dict(average=average), tmp_path / "last.pt")
    weights = read_weights(tmp_path / "last.pt")
    assert "types.weight" not in weights and "encoder.full.0.weight" in weights
