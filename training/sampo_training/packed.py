"""Weights of an exported model folder as a PyTorch state, so that training can go on from what the package ships."""

from pathlib import Path

import onnx
import torch

from .decoder import Decoder
from .encoder import Encoder

HALF = ".half"  # `export.pack` keeps convolution weights as float16 under this ending


def initializers(path: Path) -> dict[str, torch.Tensor]:
    """Every named initializer of an ONNX file as float32 (integers as they are)."""
    tensors = {}
    for tensor in onnx.load(str(path)).graph.initializer:
        value = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        tensors[tensor.name.removesuffix(HALF)] = value.float() if value.is_floating_point() else value
    return tensors


def networks() -> torch.nn.ModuleDict:
    """Encoder and decoder with fresh weights, named as in checkpoints."""
    return torch.nn.ModuleDict(dict(encoder=Encoder(), decoder=Decoder()))


def read_packed(folder: Path) -> dict[str, torch.Tensor]:
    """State of `networks()` from `encoder.onnx` and `decoder.onnx` of a model folder.

    @raises KeyError naming the parameters that the files lack, when they belong to another architecture.
    """
    state, missing = {}, []
    for part, network in networks().items():
        found = initializers(folder / f"{part}.onnx")
        for name, value in network.state_dict().items():
            if name.endswith("num_batches_tracked"):  # a counter of training, not part of an exported graph
                continue
            if name in found and found[name].shape == value.shape:
                state[f"{part}.{name}"] = found[name]
            elif name == "image_pe":  # a constant that follows from `fourier`
                state[f"{part}.{name}"] = value
            else:
                missing.append(f"{part}.{name}")
    if missing:
        raise KeyError(f"{folder} lacks {', '.join(missing)}")
    return state


def read_weights(source: Path) -> dict[str, torch.Tensor]:
    """Averaged weights of a checkpoint (`*.pt`) or the weights of a model folder; the type classifier is left out, because
    its columns belong to one choice of training sets."""
    if source.is_dir():
        return read_packed(source)
    state = torch.load(source, weights_only=True)["average"]
    return {name: value for name, value in state.items() if not name.startswith("types.")}


def load(source: Path) -> torch.nn.ModuleDict:
    """Networks ready for inference, from a checkpoint or a model folder."""
    nets = networks()
    unknown = set(nets.load_state_dict(read_weights(source), strict=False).missing_keys)
    lacking = sorted(name for name in unknown if not name.endswith("num_batches_tracked"))
    if lacking:
        raise KeyError(f"{source} lacks {', '.join(lacking)}")
    nets["encoder"].to(memory_format=torch.channels_last)
    return nets.eval()
