"""`python -m sampo_training.export --checkpoint FILE --out models/sampo-tiny [--version V] [--scores FILE]`: ONNX files with float32 parity against
PyTorch, the manifest, and a small parity fixture."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from .decoder import EXEMPLARS, INTENT_TOKENS, MASKS, POINTS
from .packed import load
from .train import MEAN, STD

OPSET = 20
LICENCES = [
    dict(name="BRCA-M2C (train split)", licence="BSD-3-Clause", citation="Abousamra et al., Multi-Class Cell Detection Using Spatial Context Representation, ICCV 2021"),
    dict(name="TNBC, Zenodo 3552674", licence="CC BY 4.0", citation="Naylor et al., Segmentation of Nuclei in Histopathology Images by Deep Regression of the Distance Map, IEEE TMI 2019"),
    dict(name="NuInsSeg, Zenodo 10518968", licence="CC BY 4.0", citation="Mahbod et al., NuInsSeg: A fully annotated dataset for nuclei instance segmentation in H&E-stained histological images, Sci Data 2024"),
    dict(name="Data Science Bowl 2018 stage1_train, stained brightfield part", licence="CC0", citation="Caicedo et al., Nucleus segmentation across imaging experiments, Nature Methods 2019"),
    dict(name="Data Science Bowl 2018 stage1_train, fluorescence part (BBBC038v1)", licence="CC0", citation="Caicedo et al., Nucleus segmentation across imaging experiments, Nature Methods 2019"),
    dict(name="Kromp et al., annotated fluorescence nuclei (train split), S-BSST265", licence="CC0 1.0", citation="Kromp et al., An annotated fluorescence image dataset for training nuclear segmentation methods, Sci Data 2020"),
    dict(name="NuCLS sample", licence="CC0 1.0", citation="Amgad et al., NuCLS, GigaScience 2022"),
    dict(name="TXL-PBC (BCCD part)", licence="MIT", citation="TXL-PBC dataset, lugan113; BCCD dataset, Shenggan"),
]


def decoder_inputs(seed: int) -> dict[str, torch.Tensor]:
    """Seeded inputs in the decoder's static shapes: 3 points (2 positive), 5 exemplars (3 positive), the rest padding."""
    draw = torch.Generator().manual_seed(seed)
    point_labels, exemplar_labels = torch.full((1, POINTS), -1.0), torch.full((1, EXEMPLARS), -1.0)
    point_labels[0, :3], exemplar_labels[0, :5] = torch.tensor([1.0, 1.0, 0.0]), torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0])
    return dict(
        image_embeddings=torch.randn(1, 64, 64, 64, generator=draw),
        point_coords=torch.rand(1, POINTS, 2, generator=draw) * 256,
        point_labels=point_labels,
        point_features=torch.randn(1, POINTS, 64, generator=draw),
        exemplar_features=torch.randn(1, EXEMPLARS, 64, generator=draw),
        exemplar_labels=exemplar_labels,
        intent_tokens=torch.randn(1, INTENT_TOKENS, 64, generator=draw) * 0.1,
    )


def halve(net) -> None:
    """Rounds convolution weights to what float16 holds, so that the packed file can keep them in half the space without a difference."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.copy_(module.weight.half().float())


def pack(model: onnx.ModelProto) -> None:
    """Keeps four-dimensional initializers as float16 with a Cast behind each; engines fold the Cast when they load the graph."""
    casts = []
    for tensor in model.graph.initializer:
        value = onnx.numpy_helper.to_array(tensor)
        if value.ndim == 4 and value.dtype == np.float32 and np.array_equal(value, value.astype(np.float16).astype(np.float32)):
            name = tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(value.astype(np.float16), f"{name}.half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def write(net, feeds: dict[str, torch.Tensor], outputs: list[str], path: Path) -> None:
    """Traces `net`, keeps every parameter as a named initializer, and checks parity. @raises AssertionError above 1e-4."""
    net.eval()
    torch.onnx.export(net, tuple(feeds.values()), str(path), input_names=list(feeds), output_names=outputs, opset_version=OPSET,
                      dynamo=False, do_constant_folding=False)  # fmt: skip
    model = onnx.load(str(path))
    pack(model)
    model.producer_name, model.producer_version = "sampo-training", "1"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    with torch.no_grad():
        wanted = net(*feeds.values())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(None, {k: v.numpy() for k, v in feeds.items()})
    for name, a, b in zip(outputs, wanted, got):
        error = float(np.abs(a.numpy() - b).max())
        scale = float(np.abs(b).max())
        print(f"{path.name} {name}: max |difference| {error:.2e} of {scale:.2f}; operators {sorted({n.op_type for n in model.graph.node})}")
        assert error <= 1e-4 * max(1.0, scale), name


def file_row(path: Path) -> dict:
    content = path.read_bytes()
    return dict(path=path.name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def manifest(out: Path, version: str, trained: dict, scores: dict) -> dict:
    
    def tensor(name: str, *dims: int) -> dict:
        return dict(name=name, dims=list(dims), type="float32")

    return dict(
        name="sampo-tiny", version=version, family="sampo-tiny", licence="Apache-2.0",
        files=dict(encoder=file_row(out / "encoder.onnx"), decoder=file_row(out / "decoder.onnx")),
        opset=OPSET, micronsPerPixel=0.5, tileSize=256, embedding=dict(channels=64, stride=4),
        normalization=dict(scale=1 / 255, mean=[round(v, 4) for v in MEAN.tolist()], std=[round(v, 4) for v in STD.tolist()]),
        encoder=dict(inputs=[tensor("image", 1, 3, 256, 256)],
                     outputs=[tensor("image_embeddings", 1, 64, 64, 64), tensor("nucleus_logits", 1, 1, 256, 256), tensor("distance_map", 1, 1, 256, 256)]),
        decoder=dict(inputs=[tensor("image_embeddings", 1, 64, 64, 64), tensor("point_coords", 1, POINTS, 2), tensor("point_labels", 1, POINTS),
                             tensor("point_features", 1, POINTS, 64), tensor("exemplar_features", 1, EXEMPLARS, 64),
                             tensor("exemplar_labels", 1, EXEMPLARS), tensor("intent_tokens", 1, INTENT_TOKENS, 64)],
                     outputs=[tensor("masks", 1, MASKS, 128, 128), tensor("iou_predictions", 1, MASKS)]),
        limits=dict(points=POINTS, exemplars=EXEMPLARS, intentTokens=INTENT_TOKENS, masks=MASKS, maskStride=2),
        postprocess=dict(nucleusThreshold=0.65, markerThreshold=0.5, markerDynamics=0.1, minMarkerAreaPixels=1, minAreaPixels=40, scoreThreshold=0.5, answer="mean"),
        trainingData=LICENCES, trained=trained, scores=scores,
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fixture", type=Path)
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("--trained", type=json.loads, default={}, help="JSON: date, hours, hardware, seeds")
    parser.add_argument("--scores", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    nets, steps = load(arguments.checkpoint), torch.load(arguments.checkpoint, weights_only=True)["step"]
    halve(nets.encoder)
    nets.eval().float().to(memory_format=torch.contiguous_format)
    image = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(3)) * 2 - 1
    write(nets.encoder, dict(image=image), ["image_embeddings", "nucleus_logits", "distance_map"], arguments.out / "encoder.onnx")
    feeds = decoder_inputs(5)
    write(nets.decoder, feeds, ["masks", "iou_predictions"], arguments.out / "decoder.onnx")
    scores = json.loads(arguments.scores.read_text()) if arguments.scores else {}
    trained = dict(steps=steps, **arguments.trained)
    document = manifest(arguments.out, arguments.version, trained, scores)
    (arguments.out / "model.json").write_text(json.dumps(document, indent=2) + "\n")
    if arguments.fixture:
        write_fixture(arguments.fixture, arguments.out / "decoder.onnx")


def sine_inputs() -> dict[str, np.ndarray]:
    """Decoder inputs that any language can make: floats are sin(flat index), labels as in `decoder_inputs`."""
    feeds = {name: value.numpy() for name, value in decoder_inputs(5).items()}
    for name, value in feeds.items():
        if not name.endswith("labels"):
            wave = np.sin(np.arange(value.size, dtype=np.float64)).reshape(value.shape)
            feeds[name] = (128 + 100 * wave if name == "point_coords" else wave).astype(np.float32)
    return feeds


def write_fixture(path: Path, decoder: Path):
    """Sampled decoder outputs for `sine_inputs`, tied to the weights by their checksum."""
    masks, scores = onnxruntime.InferenceSession(str(decoder), providers=["CPUExecutionProvider"]).run(None, sine_inputs())
    picks = [[k, y, x] for k in range(MASKS) for y in (0, 31, 64, 127) for x in (0, 50, 127)]
    fixture = dict(
        sha256=file_row(decoder)["sha256"],
        inputs="floats: sin(flat index); point_coords: 128 + 100 sin(flat index); labels: points 1 1 0, exemplars 1 1 1 0 0, rest -1",
        maskIndex=picks,
        maskValues=[float(masks[0][tuple(pick)]) for pick in picks],
        scores=[float(score) for score in scores[0]],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, indent=1) + "\n")


if __name__ == "__main__":
    main()
