"""Static int8 quantisation of an exported encoder (QDQ, per channel), calibrated on tiles of brca_m2c's train split.

python -m sampo_training.quantize --model models/sampo-tiny --data DIR/brca_m2c --out models/sampo-tiny-int8 [--tiles 64]

Writes a model folder of its own: the decoder is the other model's, the embeddings are not, so it goes by another name. The intent
benchmark must not notice the difference; `bench/model.ts --beside FILE` times it.
"""

import argparse
import hashlib
import json
from pathlib import Path
import tempfile

import numpy as np
from PIL import Image
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Tiles(CalibrationDataReader):
    """Normalised tiles [1, 3, side, side], one of each image in turn, at places drawn with a fixed seed."""

    def __init__(self, folder: Path, manifest: dict, count: int):
        names = [
            path.stem
            for path in sorted((folder / "points").glob("*.json"))
            if json.loads(path.read_text())["split"] == "train"
        ]
        if not names:
            raise SystemExit(f"no image of the train split in {folder}")
        random = np.random.default_rng(1)
        side, norm = manifest["tileSize"], manifest["normalization"]
        self.tiles = []
        for i in range(count):
            image = np.asarray(Image.open(folder / "images" / f"{names[i % len(names)]}.png").convert("RGB"))
            y, x = (int(random.integers(0, max(1, length - side + 1))) for length in image.shape[:2])
            tile = image[y : y + side, x : x + side].astype(np.float32) * norm["scale"]
            if tile.shape[:2] != (side, side):
                continue
            tile = (tile - np.float32(norm["mean"])) / np.float32(norm["std"])
            self.tiles.append(np.ascontiguousarray(tile.transpose(2, 0, 1)[None]))
        self.next = iter(self.tiles)

    def get_next(self):
        tile = next(self.next, None)
        return None if tile is None else {"image": tile}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tiles", type=int, default=64)
    args = parser.parse_args()
    manifest = json.loads((args.model / "model.json").read_text())
    source = args.model / manifest["files"]["encoder"]["path"]
    args.out.mkdir(parents=True, exist_ok=True)
    target = args.out / "encoder.onnx"
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(target),
            Tiles(args.data, manifest, args.tiles),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "MatMul", "Gemm"],
        )
    content = target.read_bytes()
    manifest["name"] += "-int8"
    manifest["files"] = dict(
        encoder=dict(path=target.name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)),
        decoder=manifest["files"]["decoder"] | dict(path=f"../{args.model.name}/{manifest['files']['decoder']['path']}"),
    )
    manifest["trained"] = manifest["trained"] | dict(quantized=f"static, per channel, {args.tiles} train tiles")
    (args.out / "model.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{target}: {len(content) / 1e6:.1f} MB, from {source.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
