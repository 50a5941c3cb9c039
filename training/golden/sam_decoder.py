"""The mask decoder of SAM (Kirillov et al., 2023, appendix A) with its point prompt encoder, in any width: the architecture that SAM,
MobileSAM and EfficientSAM exports share. Random weights; used for golden gradients and for the speed comparison."""

import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads, downsample=1):
        super().__init__()
        self.heads, inner = heads, width // downsample
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, inner) for _ in range(3))
        self.out_proj = nn.Linear(inner, width)

    def split(self, x):
        batch, count, inner = x.shape
        return x.reshape(batch, count, self.heads, inner // self.heads).transpose(1, 2)

    def forward(self, q, k, v):
        q, k, v = self.split(self.q_proj(q)), self.split(self.k_proj(k)), self.split(self.v_proj(v))
        weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]), dim=-1)
        mixed = (weights @ v).transpose(1, 2)
        return self.out_proj(mixed.reshape(mixed.shape[0], mixed.shape[1], -1))


class Block(nn.Module):
    def __init__(self, width, heads, hidden, first):
        super().__init__()
        self.first = first
        self.self_attn = Attention(width, heads)
        self.cross_attn_token_to_image = Attention(width, heads, 2)
        self.cross_attn_image_to_token = Attention(width, heads, 2)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(width) for _ in range(4))

    def forward(self, queries, keys, query_pe, key_pe):
        if self.first:
            queries = self.self_attn(queries, queries, queries)
        else:
            q = queries + query_pe
            queries = queries + self.self_attn(q, q, queries)
        queries = self.norm1(queries)
        queries = self.norm2(queries + self.cross_attn_token_to_image(queries + query_pe, keys + key_pe, keys))
        queries = self.norm3(queries + self.mlp(queries))
        keys = self.norm4(keys + self.cross_attn_image_to_token(keys + key_pe, queries + query_pe, queries))
        return queries, keys


class LayerNorm2d(nn.Module):
    """Over the channels of an image, written out as SAM does."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class Mlp(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, outputs)])

    def forward(self, x):
        return self.layers[2](torch.relu(self.layers[1](torch.relu(self.layers[0](x)))))


class SamDecoder(nn.Module):
    """image_embeddings [1, width, grid, grid], point_coords [1, N, 2] in pixels of a 16·grid image, point_labels [1, N] (1, 0, 2 and 3
    for box corners, -1 padding) -> masks [1, 4, 4·grid, 4·grid], iou_predictions [1, 4]."""

    def __init__(self, width=256, grid=64, heads=8, hidden=2048, masks=4):
        super().__init__()
        self.width, self.grid = width, grid
        self.register_buffer("gaussian", torch.randn(2, width // 2))
        ticks = (torch.arange(grid) + 0.5) / grid
        centres = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), -1).reshape(1, grid * grid, 2)
        self.register_buffer("image_pe", self.position(centres))
        self.point_embeddings = nn.ParameterList([nn.Parameter(torch.randn(1, width)) for _ in range(4)])
        self.not_a_point_embed = nn.Parameter(torch.randn(1, width))
        self.no_mask_embed = nn.Parameter(torch.randn(1, width))
        self.iou_token, self.mask_tokens = nn.Parameter(torch.randn(1, width)), nn.Parameter(torch.randn(masks, width))
        self.layers = nn.ModuleList(Block(width, heads, hidden, i == 0) for i in range(2))
        self.final_attn_token_to_image = Attention(width, heads, 2)
        self.norm_final_attn = nn.LayerNorm(width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, 2), LayerNorm2d(width // 4), nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, 2, 2), nn.GELU(),
        )  # fmt: skip
        self.output_hypernetworks_mlps = nn.ModuleList(Mlp(width, width // 8) for _ in range(masks))
        self.iou_prediction_head = Mlp(width, masks)

    def position(self, unit):
        angle = (2 * unit - 1) @ self.gaussian * (2 * math.pi)
        return torch.cat([torch.sin(angle), torch.cos(angle)], -1)

    def prompt(self, coords, labels):
        labels = labels.unsqueeze(-1)
        tokens = self.position((coords + 0.5) / (16 * self.grid)) * (labels != -1)
        tokens = tokens + self.not_a_point_embed * (labels == -1)
        for i, embedding in enumerate(self.point_embeddings):
            tokens = tokens + embedding * (labels == i)
        return tokens

    def forward(self, image_embeddings, point_coords, point_labels):
        image = image_embeddings + self.no_mask_embed.reshape(1, -1, 1, 1)
        keys = image.flatten(2).permute(0, 2, 1)
        prompts = self.prompt(point_coords, point_labels)
        queries = torch.cat([torch.cat([self.iou_token, self.mask_tokens]).unsqueeze(0), prompts], 1)
        token_pe = queries
        for layer in self.layers:
            queries, keys = layer(queries, keys, token_pe, self.image_pe)
        attended = self.final_attn_token_to_image(queries + token_pe, keys + self.image_pe, keys)
        queries = self.norm_final_attn(queries + attended)
        up = self.output_upscaling(keys.transpose(1, 2).reshape(1, self.width, self.grid, self.grid))
        hyper = torch.stack([mlp(queries[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], 1)
        batch, channels, height, width = up.shape
        masks = (hyper @ up.reshape(batch, channels, height * width)).reshape(batch, -1, height, width)
        return masks, self.iou_prediction_head(queries[:, 0])
