"""Whether a network is still what it was when something was derived from it."""

from __future__ import annotations

from torch import nn


class NetworkState:
    """Remembers the parts and the weights of a network, cheaply enough to ask at every hover.

    Changes in place (``add_``, an optimiser's step, ``load_state_dict``) are noticed, and other parameters, buffers or
    layers in the places of those that were there. What is written behind autograd's back, by ``.data``, is not.

    Parameters
    ----------
    network : torch.nn.Module
        Is not kept alive.
    """

    def __init__(self, network: nn.Module) -> None:
        self._places = [
            (kind, name, held)
            for module in network.modules()
            for kind in (module._parameters, module._buffers, module._modules)
            for name, held in kind.items()
        ]
        self._weights = [
            weight
            for weight in (*network.parameters(), *network.buffers())
            if not weight.is_inference()  # those made in inference mode have no version
        ]
        self._versions = self._current_versions()

    def _current_versions(self) -> list[int]:
        return [weight._version for weight in self._weights]

    def is_current(self) -> bool:
        """Whether the network has the same parts with the same weights."""
        return self._current_versions() == self._versions and all(
            kind.get(name) is held for kind, name, held in self._places
        )
