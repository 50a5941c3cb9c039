import json
import sys

import numpy as np
import onnx
import pytest
import torch

from sampo_training import export
from sampo_training.packed import networks, read_packed


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    torch.manual_seed(0)
    nets = networks()
    for value in nets.state_dict().values():  # the exporter joins tensors that are alike, as those of fresh norms are
        if value.is_floating_point() and value.ndim <= 1:
            value.add_(torch.rand_like(value) * 0.1)
    torch.save(dict(average=nets.state_dict(), step=7), folder / "last.pt")
    arguments = ["export", "--checkpoint", str(folder / "last.pt"), "--out", str(folder / "model"), "--version", "9.9.9", "--fixture", str(folder / "parity.json")]
    old, sys.argv = sys.argv, arguments
    try:
        export.main()  # checks parity of its own files with PyTorch
    finally:
        sys.argv = old
    return folder, nets.state_dict()


def test_the_weights_come_back_out_of_the_files(exported):
    folder, state = exported
    packed = read_packed(folder / "model")
    for name, value in packed.items():
        rounded = state[name].half().float() if value.ndim == 4 and name.startswith("encoder") else state[name]
        assert torch.equal(value, rounded), name


def test_convolutions_are_kept_in_half_the_space(exported):
    folder, _ = exported
    kinds = {t.name: t.data_type for t in onnx.load(str(folder / "model/encoder.onnx")).graph.initializer}
    assert kinds["full.0.weight.half"] == onnx.TensorProto.FLOAT16 and "full.0.weight" not in kinds


def test_the_manifest_names_what_is_in_the_folder(exported):
    folder, _ = exported
    document = json.loads((folder / "model/model.json").read_text())
    assert document["version"] == "9.9.9" and document["trained"]["steps"] == 7
    for row in document["files"].values():
        assert row == export.file_row(folder / "model" / row["path"])


def test_the_fixture_holds_what_the_file_answers(exported):
    folder, _ = exported
    fixture = json.loads((folder / "parity.json").read_text())
    session = export.onnxruntime.InferenceSession(str(folder / "model/decoder.onnx"), providers=["CPUExecutionProvider"])
    masks, scores = session.run(None, export.sine_inputs())
    assert np.allclose(scores[0], fixture["scores"])
    assert [float(masks[0][tuple(i)]) for i in fixture["maskIndex"]] == fixture["maskValues"]
