"""`python training/golden/gradients.py --out test/fixtures/autodiff`: golden gradients of two small decoders (SAM's architecture and
sampo-tiny's, random weights) under the hybrid loss, computed in float64. Writes NAME.onnx and NAME.json (little-endian float32, base64)."""

import argparse
import base64
import json
import sys
import types
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from objective import WEIGHTS, loss_feeds, objective  # noqa: E402
from sam_decoder import SamDecoder  # noqa: E402

OUTPUTS = ["masks", "iou_predictions"]
PAIRS = 5


def small_sampo_decoder():
    """sampo-tiny's decoder class with its size constants replaced: 16 channels, an 8 x 8 grid, 6 points, 5 exemplars."""
    source = (Path(__file__).parents[1] / "sampo_training" / "decoder.py").read_text()
    sizes = "CHANNELS, GRID, POINTS, EXEMPLARS, INTENT_TOKENS, MASKS = 64, 64, 16, 32, 4, 3"
    assert sizes in source
    module = types.ModuleType("small_decoder")
    small = source.replace(sizes, "CHANNELS, GRID, POINTS, EXEMPLARS, INTENT_TOKENS, MASKS = 16, 8, 6, 5, 4, 3")
    # The casts to float32 follow the weights, so that the same class runs in float64.
    exec(small.replace(".float()", ".to(self.fourier.dtype)"), module.__dict__)
    return module.Decoder(metric=8, upscaled=4)


def sampo_inputs(draw):
    return dict(
        image_embeddings=torch.randn(1, 16, 8, 8, generator=draw), point_coords=torch.rand(1, 6, 2, generator=draw) * 256,
        point_labels=torch.tensor([[1.0, 1, 0, 2, 3, -1]]), point_features=torch.randn(1, 6, 16, generator=draw),
        exemplar_features=torch.randn(1, 5, 16, generator=draw), exemplar_labels=torch.tensor([[1.0, 0, 1, -1, -1]]),
        intent_tokens=torch.randn(1, 4, 16, generator=draw) * 0.1,
    )  # fmt: skip


def sam_inputs(draw):
    return dict(
        image_embeddings=torch.randn(1, 16, 8, 8, generator=draw), point_coords=torch.rand(1, 6, 2, generator=draw) * 128,
        point_labels=torch.tensor([[1.0, 1, 0, 2, 3, -1]]),
    )  # fmt: skip


def pack(tensor):
    data = tensor.detach().to(torch.float32).contiguous().numpy()
    return dict(dims=list(data.shape), data=base64.b64encode(data.tobytes()).decode())


def golden(name, net, inputs, trained_inputs, out):
    net.eval()
    with torch.no_grad():
        for parameter in net.parameters():  # the exporter merges equal tensors, as fresh norms and biases are
            parameter += 0.1 * torch.randn_like(parameter)
    torch.onnx.export(net, tuple(inputs.values()), str(out / f"{name}.onnx"), input_names=list(inputs), output_names=OUTPUTS,
                      opset_version=20 if name.startswith("sampo") else 17, dynamo=False, do_constant_folding=False)  # fmt: skip
    net = net.double()
    masks, _ = net(*(x.double() for x in inputs.values()))
    feeds = loss_feeds(*masks.shape[1:], PAIRS, torch.Generator().manual_seed(3))
    for key in trained_inputs:
        inputs[key] = inputs[key].double().requires_grad_()
    masks, scores = net(*(x.double() for x in inputs.values()))
    loss, parts = objective(masks, scores, {key: value.double() for key, value in feeds.items()})
    loss.backward()
    gradients = {key: value.grad for key, value in [*net.named_parameters(), *((key, inputs[key]) for key in trained_inputs)]}
    fixture = dict(
        pairs=PAIRS, weights=WEIGHTS, loss=loss.item(), parts={key: value.tolist() for key, value in parts.items()},
        feeds={key: pack(value) for key, value in {**inputs, **feeds}.items()},
        gradients={key: pack(value) for key, value in gradients.items() if value is not None},
    )  # fmt: skip
    (out / f"{name}.json").write_text(json.dumps(fixture) + "\n")
    print(name, sum(p.numel() for p in net.parameters()), "parameters, loss", loss.item())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(11)
    golden("samDecoder", SamDecoder(width=16, grid=8, heads=4, hidden=32), sam_inputs(torch.Generator().manual_seed(1)), [], out)
    golden("sampoDecoder", small_sampo_decoder(), sampo_inputs(torch.Generator().manual_seed(2)), ["intent_tokens"], out)


if __name__ == "__main__":
    main()
