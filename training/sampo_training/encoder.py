"""Image encoder and class-agnostic head of sampo-tiny: [B, 3, 256, 256] at 0.5 µm/px to a stride-4 embedding, a nucleus
logit and a distance map at full resolution. Plain 3 x 3 residual blocks with a top-down path (Lin et al., FPN, 2017)."""

import torch
from torch import nn
from torch.nn import functional as F


class ConvNorm(nn.Sequential):
    """3 x 3 (or k x k) convolution, batch norm, optional ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, kernel: int = 3, activate: bool = True):
        layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if activate else []))


class Residual(nn.Module):
    """Two 3 x 3 convolutions around an identity (He et al., 2016, basic block)."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels, activate=False)

    def forward(self, x):
        return F.relu(x + self.second(self.first(x)))


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """Halves the resolution, then `blocks` residual blocks."""
    return nn.Sequential(ConvNorm(inputs, outputs, stride=2), *[Residual(outputs) for _ in range(blocks)])


class Encoder(nn.Module):
    """`forward(image [B, 3, 256, 256]) -> (embedding [B, C, 64, 64], nucleus_logits [B, 1, 256, 256], distance [B, 1, 256, 256])`."""

    def __init__(self, channels: int = 64, widths=(24, 48, 96, 160, 192), blocks=(0, 2, 3, 3, 2)):
        super().__init__()
        self.full = ConvNorm(3, 12)
        ins = (3, *widths[:-1])
        self.stages = nn.ModuleList(stage(i, o, b) for i, o, b in zip(ins, widths, blocks))
        self.lateral = nn.ModuleList(nn.Conv2d(w, channels, 1) for w in widths[1:])
        self.smooth = nn.ModuleList(ConvNorm(channels, channels) for _ in widths[1:-1])
        self.embed = nn.Conv2d(channels, channels, 1)
        self.head_4 = ConvNorm(channels, 64)
        self.head_2 = ConvNorm(32 + widths[0], 32)
        self.head_1 = ConvNorm(16 + 12, 16)
        self.reduce_4 = nn.Conv2d(64, 32, 1)
        self.reduce_2 = nn.Conv2d(32, 16, 1)
        self.predict = nn.Conv2d(16, 2, 1)

    def forward(self, image):
        features = self.features(image)
        embedding, top = self.embedding(features)
        nucleus, distance = self.outlines(image, features, top)
        return embedding, nucleus, distance

    def features(self, image):
        """What every stage answers, at strides 2, 4, 8, 16 and 32."""
        features = []
        for block in self.stages:
            image = block(image)
            features.append(image)
        return features

    def embedding(self, features):
        """-> embedding, and the top of the top-down path that the head starts from."""
        top = self.lateral[-1](features[-1])
        for level in (2, 1, 0):
            skip = self.lateral[level](features[level + 1])
            top = self.smooth[level](skip + F.interpolate(top, scale_factor=2, mode="nearest"))
        return self.embed(top).float(), top

    def outlines(self, image, features, top):
        """The class-agnostic head: half of the encoder's time. -> nucleus logits, distance."""
        x = self.reduce_4(self.head_4(top))
        x = self.head_2(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), features[0]], 1))
        x = self.head_1(torch.cat([F.interpolate(self.reduce_2(x), scale_factor=2, mode="nearest"), self.full(image)], 1))
        nucleus, distance = self.predict(x).float().split(1, 1)
        return nucleus, torch.sigmoid(distance)
