"""Train the network of network.py on the simulated pairs that ship: ``python train.py weights.pth [SECONDS]``."""

import sys
import time
from collections.abc import Iterator

import torch
from network import make_network
from torch import Tensor, nn

from fusion.data.catalogue import Catalogue
from fusion.training.loss import LossBalance, fusion_loss

SIDE = 48


def batches(size: int = 8) -> Iterator[Tensor]:
    """Yield batches (B, 2, H, W) of places of the pairs, without end."""
    catalogue, random = Catalogue(), torch.Generator().manual_seed(0)
    pairs = [torch.tensor(catalogue.load(entry).images) for entry in catalogue.entries() if entry.simulated]
    while True:
        chosen = []
        for number in torch.randint(len(pairs), (size,), generator=random).tolist():
            rows, columns = (side - SIDE for side in pairs[number].shape[1:])
            top, left = (int(torch.randint(most + 1, (), generator=random)) for most in (rows, columns))
            chosen.append(pairs[number][:, top : top + SIDE, left : left + SIDE])
        yield torch.stack(chosen)


def train(network: nn.Module, seconds: float) -> float:
    """Train for so many seconds; return the mean loss of the last steps."""
    optimizer, until, losses = torch.optim.Adam(network.parameters(), 2e-3), time.monotonic() + seconds, []
    for images in batches():
        loss = fusion_loss(images, network(images[:, :1], images[:, 1:]), LossBalance()).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if time.monotonic() > until:
            break
    return sum(losses[-20:]) / len(losses[-20:])


if __name__ == "__main__":
    torch.manual_seed(0)
    trained = make_network()
    print(f"loss {train(trained, float(sys.argv[2]) if len(sys.argv) > 2 else 120):.4f}")
    torch.save(trained.state_dict(), sys.argv[1])
