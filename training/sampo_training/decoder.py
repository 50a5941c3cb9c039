"""Prompt encoder and two-way mask decoder of sampo-tiny, after SAM (Kirillov et al., 2023, appendix A), written with
matrix products only so that its ONNX graph can be differentiated operator by operator.

Beside the transformer runs a path without learned capacity to forget: the similarity of every pixel to every prompted
feature in a metric space. Its log-mean-exp over positives minus that over negatives is a dense prompt and a residual of
the mask logits, so that more clicks always add evidence."""

import math

import torch
from torch import nn

CHANNELS, GRID, POINTS, EXEMPLARS, INTENT_TOKENS, MASKS = 64, 64, 16, 32, 4, 3
TILE = 256
PADDED = -1e4


class Attention(nn.Module):
    """Multi-head attention in an inner width; `mask` [B, 1, 1, keys] is added to the logits."""

    def __init__(self, channels: int = CHANNELS, inner: int = CHANNELS, heads: int = 4):
        super().__init__()
        self.heads, self.inner = heads, inner
        self.q_proj = nn.Linear(channels, inner)
        self.k_proj = nn.Linear(channels, inner)
        self.v_proj = nn.Linear(channels, inner)
        self.out_proj = nn.Linear(inner, channels)

    def split(self, x):
        """[B, N, inner] -> [B, heads, N, inner / heads]."""
        batch, count, _ = x.shape
        return x.reshape(batch, count, self.heads, self.inner // self.heads).transpose(1, 2)

    def forward(self, q, k, v, mask=None):
        batch, count, _ = q.shape
        q, k, v = self.split(self.q_proj(q)), self.split(self.k_proj(k)), self.split(self.v_proj(v))
        logits = q @ k.transpose(2, 3) * (1 / math.sqrt(self.inner // self.heads))
        weights = torch.softmax(logits if mask is None else logits + mask, dim=-1)
        return self.out_proj((weights @ v).transpose(1, 2).reshape(batch, count, self.inner))


class TwoWayLayer(nn.Module):
    """Self-attention of the tokens, tokens to image, MLP, image to tokens."""

    def __init__(self, channels: int = CHANNELS, hidden: int = 128):
        super().__init__()
        self.self_attn = Attention(channels)
        self.cross_attn_token_to_image = Attention(channels, channels // 2)
        self.cross_attn_image_to_token = Attention(channels, channels // 2)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(channels) for _ in range(4))

    def forward(self, tokens, image, token_pe, image_pe, mask):
        q = tokens + token_pe
        tokens = self.norm1(tokens + self.self_attn(q, q, tokens, mask))
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_pe, image + image_pe, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        image = self.norm4(image + self.cross_attn_image_to_token(image + image_pe, tokens + token_pe, tokens, mask))
        return tokens, image


class Head(nn.Sequential):
    """Two-layer perceptron from an output token."""

    def __init__(self, outputs: int, channels: int = CHANNELS):
        super().__init__(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, outputs))


class Decoder(nn.Module):
    """See `forward` for shapes. Labels: 1 positive, 0 negative, 2 and 3 the corners of a box, -1 padding."""

    def __init__(self, layers: int = 2, metric: int = 32, upscaled: int = 16):
        super().__init__()
        c = CHANNELS
        self.register_buffer("fourier", torch.randn(2, c // 2, generator=torch.Generator().manual_seed(7)))
        ticks = (torch.arange(GRID) + 0.5) * (TILE / GRID)
        grid = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), -1).reshape(1, GRID * GRID, 2)
        self.register_buffer("image_pe", self.position(grid))
        self.output_tokens = nn.Parameter(torch.randn(1, 1 + MASKS, c) * 0.5)
        self.base_intent_tokens = nn.Parameter(torch.randn(1, INTENT_TOKENS, c) * 0.5)
        self.point_type = nn.Parameter(torch.randn(4, c) * 0.5)
        self.exemplar_type = nn.Parameter(torch.randn(2, c) * 0.5)
        self.point_feature = nn.Linear(c, c)
        self.exemplar_feature = nn.Linear(c, c)
        self.metric_proj = nn.Linear(c, metric)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(8.0)))
        self.default_negative = nn.Parameter(torch.tensor(0.4))
        self.dense_prompt = nn.Linear(3, c)
        self.layers = nn.ModuleList(TwoWayLayer() for _ in range(layers))
        self.final_attn_token_to_image = Attention(c, c // 2)
        self.norm_final = nn.LayerNorm(c)
        self.upscale = nn.Linear(c, 4 * upscaled)
        self.upscale_act = nn.GELU()
        self.hypernetworks = nn.ModuleList(Head(upscaled) for _ in range(MASKS))
        self.iou_head = Head(MASKS)
        self.residual_scale = nn.Parameter(torch.ones(1, MASKS, 1))
        self.mask_bias = nn.Parameter(torch.zeros(1, MASKS, 1))

    def position(self, coords):
        """Fourier features of tile pixels [B, N, 2] -> [B, N, C] (Tancik et al., 2020)."""
        angle = (coords * (2 / TILE) - 1) @ self.fourier * (2 * math.pi)
        return torch.cat([torch.sin(angle), torch.cos(angle)], -1)

    def similarity(self, image, features, labels):
        """image [B, HW, C], features [B, N, C], labels [B, N] -> evidence maps [B, HW, 3]: positive, negative, difference."""
        pixel, prompt = self.metric_proj(image), self.metric_proj(features)
        pixel = pixel / torch.sqrt((pixel * pixel).sum(-1, keepdim=True) + 1e-6)
        prompt = prompt / torch.sqrt((prompt * prompt).sum(-1, keepdim=True) + 1e-6)
        temperature = torch.exp(self.log_temperature)
        weight = torch.exp((pixel @ prompt.transpose(1, 2)) * temperature)
        positive = (labels == 1).float().unsqueeze(1)
        negative = (labels == 0).float().unsqueeze(1)
        default = torch.exp(self.default_negative * temperature)
        mean_positive = ((weight * positive).sum(-1, keepdim=True) + 1e-3) / (positive.sum(-1, keepdim=True) + 1e-3)
        mean_negative = ((weight * negative).sum(-1, keepdim=True) + default) / (negative.sum(-1, keepdim=True) + 1)
        p, n = torch.log(mean_positive), torch.log(mean_negative)
        return torch.cat([p, n, p - n], -1)

    def forward(self, image_embeddings, point_coords, point_labels, point_features, exemplar_features, exemplar_labels, intent_tokens):
        """[B,64,64,64], [B,16,2], [B,16], [B,16,64], [B,32,64], [B,32], [B,4,64] -> masks [B,3,128,128] logits, scores [B,3]."""
        batch = image_embeddings.shape[0]
        image = image_embeddings.reshape(batch, CHANNELS, GRID * GRID).transpose(1, 2)
        point_kind = torch.stack([(point_labels == k).float() for k in (0, 1, 2, 3)], -1)
        exemplar_kind = torch.stack([(exemplar_labels == k).float() for k in (0, 1)], -1)
        zeros = torch.zeros_like(intent_tokens)
        output = self.output_tokens + torch.cat([zeros[:, :1], zeros[:, :MASKS]], 1)
        points = point_kind @ self.point_type + self.point_feature(point_features)
        exemplars = exemplar_kind @ self.exemplar_type + self.exemplar_feature(exemplar_features)
        tokens = torch.cat([output, self.base_intent_tokens + intent_tokens, points, exemplars], 1)
        token_pe = torch.cat([output * 0, zeros, self.position(point_coords), exemplars * 0], 1)
        present = torch.cat([point_labels >= 0, exemplar_labels >= 0], 1).float()
        mask = torch.cat([zeros[:, :, 0], zeros[:, :, 0], (1 - present) * PADDED], 1).reshape(batch, 1, 1, -1)

        features = torch.cat([point_features, exemplar_features], 1)
        # Box corners carry no feature: only labels 0 and 1 count as evidence.
        evidence = self.similarity(image, features, torch.cat([point_labels, exemplar_labels], 1))
        keys = image + self.dense_prompt(evidence)
        for layer in self.layers:
            tokens, keys = layer(tokens, keys, token_pe, self.image_pe, mask)
        tokens = self.norm_final(tokens + self.final_attn_token_to_image(tokens + token_pe, keys + self.image_pe, keys))

        up = self.upscale_act(self.upscale(keys)).reshape(batch, GRID * GRID * 4, -1)
        weights = torch.stack([head(tokens[:, 1 + k]) for k, head in enumerate(self.hypernetworks)], 1)
        residual = evidence[:, :, 2].reshape(batch, 1, GRID * GRID) * self.residual_scale + self.mask_bias
        logits = (weights @ up.transpose(1, 2)).reshape(batch, MASKS, GRID * GRID, 4) + residual.unsqueeze(-1)
        logits = logits.reshape(batch, MASKS, GRID, GRID, 2, 2).permute(0, 1, 2, 4, 3, 5).reshape(batch, MASKS, 2 * GRID, 2 * GRID)
        return logits, torch.sigmoid(self.iou_head(tokens[:, 0]))
