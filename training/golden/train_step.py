"""The PyTorch side of bench/trainStep.ts. `python training/golden/train_step.py --model sam|sampo --out DIR [--threads N]` writes the network as
model.onnx, its inputs, and its gradients in float64; then each line on stdin runs one train step and answers `milliseconds cpu-milliseconds loss`."""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from objective import loss_feeds, objective  # noqa: E402
from sam_decoder import SamDecoder  # noqa: E402

PAIRS = 4


def sampo():
    """The decoder of sampo-tiny with fresh weights, and seeded inputs in its static shapes."""
    from sampo_training import decoder as module
    from sampo_training.export import decoder_inputs

    return module.Decoder(), decoder_inputs(5)


def sam():
    draw = torch.Generator().manual_seed(5)
    inputs = dict(
        image_embeddings=torch.randn(1, 256, 64, 64, generator=draw),
        point_coords=torch.rand(1, 3, 2, generator=draw) * 1024, point_labels=torch.tensor([[1.0, 0, -1]]),
    )  # fmt: skip
    return SamDecoder(), inputs


def double_gradients(net, inputs, feeds):
    """Gradients of all parameters in float64 (sampo's decoder casts to float32 by name: the casts are widened)."""
    import copy

    wide = copy.deepcopy(net).double()
    narrow, torch.Tensor.float = torch.Tensor.float, torch.Tensor.double
    try:
        masks, scores = wide(*(x.double() for x in inputs.values()))
        objective(masks, scores, {k: v.double() for k, v in feeds.items()})[0].backward()
    finally:
        torch.Tensor.float = narrow
    return {name: p.grad for name, p in wide.named_parameters() if p.grad is not None}


def save(folder, tensors):
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, (name, tensor) in enumerate(tensors.items()):
        data = tensor.detach().to(torch.float32).contiguous()
        (folder / f"{i}.bin").write_bytes(data.numpy().tobytes())
        rows.append(dict(name=name, dims=list(data.shape), file=f"{i}.bin"))
    (folder / "index.json").write_text(json.dumps(rows))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["sam", "sampo"], required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(11)
    net, inputs = dict(sam=sam, sampo=sampo)[arguments.model]()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    arguments.out.mkdir(parents=True, exist_ok=True)
    net.eval()
    torch.onnx.export(net, tuple(inputs.values()), str(arguments.out / "model.onnx"), input_names=list(inputs),
                      output_names=["masks", "iou_predictions"], opset_version=17 if arguments.model == "sam" else 20,
                      dynamo=False, do_constant_folding=False)  # fmt: skip
    with torch.no_grad():
        masks, _ = net(*inputs.values())
    feeds = loss_feeds(*masks.shape[1:], PAIRS, torch.Generator().manual_seed(3))
    save(arguments.out / "feeds", {**inputs, **feeds})
    save(arguments.out / "gradients", double_gradients(net, inputs, feeds))

    matrices = [p for p in net.parameters() if p.dim() > 1]
    vectors = [p for p in net.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([dict(params=matrices, weight_decay=0.01), dict(params=vectors, weight_decay=0.0)], lr=1e-4)
    print("ready", sum(p.numel() for p in net.parameters()), torch.__version__, flush=True)
    for _ in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        optimizer.zero_grad()
        masks, scores = net(*inputs.values())
        loss, _ = objective(masks, scores, feeds)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        print((time.perf_counter() - start) * 1000, (time.process_time() - used) * 1000, loss.item(), flush=True)


if __name__ == "__main__":
    main()
