"""PyTorch modules that people write: perceptrons, convolutional and residual nets, transformers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
nn, functional = torch.nn, torch.nn.functional


class Residual(nn.Module):
    """Two convolutions with batch normalisation around a skip."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        h = torch.relu(self.bn1(self.conv1(x)))
        y = functional.relu(x + self.bn2(self.conv2(h)))
        return self.head(functional.adaptive_avg_pool2d(y, 1).flatten(1))


class Transformer(nn.Module):
    """A pre-norm block with causal attention, averaged over tokens."""

    def __init__(self, causal=True):
        super().__init__()
        self.causal = causal
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.up, self.down, self.head = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 3)

    def heads(self, x):
        return x.view(x.shape[0], x.shape[1], 2, 4).transpose(1, 2)

    def forward(self, x):
        h = self.norm1(x)
        parts = (self.heads(part(h)) for part in (self.query, self.key, self.value))
        a = functional.scaled_dot_product_attention(*parts, is_causal=self.causal)
        x = x + self.out(a.transpose(1, 2).reshape(x.shape))
        x = x + self.down(functional.gelu(self.up(self.norm2(x))))
        return self.head(x.mean(dim=1))


class SelfAttention(nn.Module):
    """The module that PyTorch has for attention."""

    def __init__(self, batch_first=True):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=batch_first)
        self.head = nn.Linear(8, 2)
        self.batch_first = batch_first

    def forward(self, x):
        x = x if self.batch_first else x.transpose(0, 1)
        y, _ = self.attention(x, x, x, need_weights=False)
        y = y if self.batch_first else y.transpose(0, 1)
        return self.head(y[:, 0])


class Encoder(nn.Module):
    """A layer of PyTorch's own transformer."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.layer(x)[:, 0])


class Tied(nn.Module):
    """One linear layer used twice."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.inner(torch.tanh(self.inner(x)))))


class Gated(nn.Module):
    """A gated unit, scaled and joined with its input."""

    def __init__(self):
        super().__init__()
        self.both, self.head = nn.Linear(6, 8), nn.Linear(10, 2)

    def forward(self, x):
        value, gate = self.both(x).chunk(2, dim=-1)
        joined = torch.cat([x / 2, value * torch.sigmoid(gate)], dim=-1)
        return self.head(joined)


class Patches(nn.Module):
    """Patches of an image as tokens, with learned positions."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(1, 8, 4, stride=4)
        self.positions = nn.Parameter(torch.randn(1, 4, 8) * 0.1)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 2)

    def forward(self, x):
        tokens = self.embed(x).flatten(2).transpose(1, 2) + self.positions
        return self.head(self.norm(tokens).mean(1))


class Cells(nn.Module):
    """Functions and methods of tensors, one after the other."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(6, 6), nn.Linear(3, 2)
        self.register_buffer("shift", torch.linspace(-1, 1, 6))

    def forward(self, x):
        y = torch.nn.functional.silu(self.inner(x)) * 0.5 + self.shift
        y = torch.sub(y, x, alpha=2)
        y = torch.square(y).unsqueeze(1).permute(0, 2, 1).contiguous().view(y.size(0), -1)
        y = functional.softplus(functional.leaky_relu(-y, 0.2)).sin()
        return self.head(functional.softmax(y.reshape(-1, 2, 3)[:, 1], dim=-1))


def sequential():
    """Modules of every kind that a chain of vectors has."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(12, 6),
        nn.BatchNorm1d(6),
        nn.GELU(),
        nn.Linear(6, 6),
        nn.GELU(approximate="tanh"),
        nn.Dropout(),
        nn.Linear(6, 6, bias=False),
        nn.SiLU(),
        nn.Softplus(),
        nn.LayerNorm(6),
        nn.LeakyReLU(0.1),
        nn.Identity(),
        nn.RMSNorm(6, eps=1e-3),
        nn.Tanh(),
        nn.Sigmoid(),
        nn.Linear(6, 3),
        nn.LogSoftmax(dim=-1),
    )


def convolutional():
    """Modules of every kind that a chain of images has."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, (3, 1), groups=2, dilation=(1, 2), padding="valid"),
        nn.Tanh(),
        nn.AdaptiveAvgPool2d((1, 2)),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


def sequence():
    """One-dimensional convolutions."""
    return nn.Sequential(
        nn.Conv1d(2, 4, 3, padding=2),
        nn.SiLU(),
        nn.AvgPool1d(2, stride=1, padding=1),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(4, 1),
        nn.Sigmoid(),
    )


def tokens():
    """An embedding, flattened."""
    return nn.Sequential(nn.Embedding(11, 4), nn.Flatten(), nn.Linear(20, 3))


#: Name → module, shape of a sample.
MODULES = {
    "sequential": (sequential, (3, 4)),
    "convolutional": (convolutional, (1, 16, 16)),
    "sequence": (sequence, (2, 9)),
    "tokens": (tokens, (5,)),
    "residual": (Residual, (4, 6, 6)),
    "transformer": (Transformer, (5, 8)),
    "two-way transformer": (lambda: Transformer(causal=False), (5, 8)),
    "self-attention": (SelfAttention, (5, 8)),
    "self-attention by tokens": (lambda: SelfAttention(batch_first=False), (5, 8)),
    "encoder": (Encoder, (5, 8)),
    "tied": (Tied, (6,)),
    "gated": (Gated, (6,)),
    "patches": (Patches, (1, 8, 8)),
    "cells": (Cells, (6,)),
}


def made(name: str) -> nn.Module:
    """A module with random weights and statistics, ready for inference."""
    torch.manual_seed(0)
    module = MODULES[name][0]()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_(std=0.3)
            part.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(part.weight)
        if isinstance(part, nn.LayerNorm | nn.RMSNorm):
            nn.init.normal_(part.weight)
    return module.eval()


def samples(name: str, count: int = 3) -> torch.Tensor:
    """Inputs for a module."""
    torch.manual_seed(1)
    shape = (count, *MODULES[name][1])
    return torch.randint(0, 11, shape) if name == "tokens" else torch.randn(shape)
