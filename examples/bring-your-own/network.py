"""A dense-block network in ten lines: three layers, each of all before it, and each input's share of the result."""

import torch
from torch import Tensor, nn


class Dense(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(2 + width * n, width, 3, padding=1) for n in range(3))
        self.last = nn.Conv2d(2 + width * 3, 2, 1)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        found = both = torch.cat((x1, x2), dim=1)
        for layer in self.layers:
            found = torch.cat((found, torch.relu(layer(found))), dim=1)
        return (torch.softmax(self.last(found), dim=1) * both).sum(dim=1, keepdim=True)


def make_network() -> nn.Module:
    """Return the network, without training."""
    return Dense()
