"""`python training/golden/sam_exports.py --out DIR`: full-size encoder and decoder pairs of SAM's architecture with random weights, as the
public export scripts write them: DIR/sam (segment-anything's names) and DIR/sam-hf (Hugging Face's). For checking `sampo models import`."""

import argparse
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from sam_decoder import Attention, LayerNorm2d, SamDecoder  # noqa: E402

IMAGE, WIDTH, GRID, PATCH = 1024, 256, 64, 16


class Layer(nn.Module):
    """A pre-norm transformer layer whose attention stays inside windows of 16 x 16 patches."""

    def __init__(self, width, heads, window=16):
        super().__init__()
        self.window, self.attention = window, Attention(width, heads)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        side, w, width = GRID, self.window, x.shape[-1]
        parts = self.first(x).reshape(side // w, w, side // w, w, width).transpose(1, 2).reshape(-1, w * w, width)
        parts = self.attention(parts, parts, parts)
        x = x + parts.reshape(side // w, side // w, w, w, width).transpose(1, 2).reshape(1, side, side, width)
        return x + self.mlp(self.second(x))


class Encoder(nn.Module):
    """[1, 3, 1024, 1024] -> [1, 256, 64, 64]; the size of a ViT-Tiny with SAM's neck."""

    def __init__(self, width=192, heads=3, depth=12):
        super().__init__()
        self.patches = nn.Conv2d(3, width, PATCH, PATCH)
        self.place = nn.Parameter(0.02 * torch.randn(1, GRID, GRID, width))
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(depth))
        self.neck = nn.Sequential(nn.Conv2d(width, WIDTH, 1, bias=False), LayerNorm2d(WIDTH),
                                  nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False), LayerNorm2d(WIDTH))  # fmt: skip

    def forward(self, image):
        x = self.patches(image).permute(0, 2, 3, 1) + self.place
        for layer in self.layers:
            x = layer(x)
        return self.neck(x.permute(0, 3, 1, 2))


class SamExport(nn.Module):
    """segment-anything's `SamOnnxModel`: an optional mask prompt, masks in the size of the image as well."""

    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, 2), LayerNorm2d(4), nn.GELU(), nn.Conv2d(4, 16, 2, 2), LayerNorm2d(16), nn.GELU(), nn.Conv2d(16, WIDTH, 1),
        )  # fmt: skip

    def forward(self, image_embeddings, point_coords, point_labels, mask_input, has_mask_input, orig_im_size):
        # The decoder adds its no-mask embedding: take it out again where there is a mask.
        prompt = self.mask_downscaling(mask_input) - self.decoder.no_mask_embed.reshape(1, -1, 1, 1)
        low, scores = self.decoder(image_embeddings + has_mask_input * prompt, point_coords, point_labels)
        masks = nn.functional.interpolate(low, (IMAGE, IMAGE), mode="bilinear", align_corners=False)
        size = orig_im_size.to(torch.int64)
        resized = torch.floor(IMAGE / torch.max(orig_im_size) * orig_im_size + 0.5).to(torch.int64)
        masks = masks[..., : resized[0], : resized[1]]
        return nn.functional.interpolate(masks, (size[0], size[1]), mode="bilinear", align_corners=False), scores, low


class HuggingFaceEncoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, pixel_values):
        place = self.decoder.image_pe.reshape(1, GRID, GRID, WIDTH).permute(0, 3, 1, 2)
        return self.encoder(pixel_values), place.expand(pixel_values.shape[0], -1, -1, -1)


class HuggingFaceDecoder(nn.Module):
    """Three masks per prompt; a padding point is added inside, as `SamPromptEncoder` does without boxes."""

    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, image_positional_embeddings, image_embeddings, input_points, input_labels):
        coords = nn.functional.pad(input_points[:, 0], (0, 0, 0, 1))
        labels = nn.functional.pad(input_labels[:, 0].float(), (0, 1), value=-1.0)
        # A term of nothing keeps the input in the traced graph.
        masks, scores = self.decoder(image_embeddings + 0 * image_positional_embeddings, coords, labels)
        return scores[:, None, 1:], masks[:, None, 1:]


def write(net, path, feeds, outputs, axes):
    net.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(net, tuple(feeds.values()), str(path), input_names=list(feeds), output_names=outputs, opset_version=17,
                      dynamic_axes=axes, dynamo=False)  # fmt: skip
    print(f"{path}: {sum(p.numel() for p in net.parameters()):,} parameters, {path.stat().st_size:,} bytes", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    torch.manual_seed(1)
    torch.set_num_threads(1)
    encoder, decoder = Encoder(), SamDecoder()
    print(f"mask decoder with point prompts: {sum(p.numel() for p in decoder.parameters()):,} parameters")
    image, embedding = torch.randn(1, 3, IMAGE, IMAGE), torch.randn(1, WIDTH, GRID, GRID)
    points, labels = 1000 * torch.rand(1, 5, 2), torch.randint(0, 4, (1, 5)).float()
    write(encoder, out / "sam" / "encoder.onnx", dict(input_image=image), ["image_embeddings"], None)
    write(SamExport(decoder), out / "sam" / "decoder.onnx",
          dict(image_embeddings=embedding, point_coords=points, point_labels=labels, mask_input=torch.randn(1, 1, 256, 256),
               has_mask_input=torch.ones(1), orig_im_size=torch.tensor([1500.0, 2250.0])),
          ["masks", "iou_predictions", "low_res_masks"], {"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}})  # fmt: skip
    batch = {0: "batch_size"}
    prompts = {0: "batch_size", 1: "point_batch_size", 2: "nb_points_per_image"}
    write(HuggingFaceEncoder(encoder, decoder), out / "sam-hf" / "vision_encoder.onnx", dict(pixel_values=image),
          ["image_embeddings", "image_positional_embeddings"], {"pixel_values": batch, "image_embeddings": batch})  # fmt: skip
    write(HuggingFaceDecoder(decoder), out / "sam-hf" / "prompt_encoder_mask_decoder.onnx",
          dict(image_positional_embeddings=embedding, image_embeddings=embedding, input_points=points[:, None],
               input_labels=labels[:, None].long()),
          ["iou_scores", "pred_masks"], {"image_embeddings": batch, "image_positional_embeddings": batch,
                                         "input_points": prompts, "input_labels": prompts})  # fmt: skip


if __name__ == "__main__":
    main()
