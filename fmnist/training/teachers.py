"""What the teachers of a network say of a view, asked once where views come again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fmnist.device import autocast
from fmnist.evaluation import at_once
from fmnist.training.losses import mean_probabilities


@dataclass
class Teachers:
    """Networks that are asked together; with `views` they remember so many epochs of answers.

    What they said is not in the state of a run: asked again, they say the same.
    """

    networks: Sequence[nn.Module]
    temperature: float
    views: int
    # All answers of a view in one tensor. Thousands of small ones would lie where large ones were
    # freed, whose room no large one could take again: 1.6 MB a step, until the memory is full.
    _said: dict[int, Float[Tensor, "images 10"]] = field(default_factory=dict)
    _known: dict[int, int] = field(default_factory=dict)  # how many of them are there, by view

    def __call__(
        self, epoch: int, first: int, count: int, images: Float[Tensor, "batch 1 28 28"]
    ) -> Float[Tensor, "batch 10"]:
        """Probabilities of an epoch's images from `first` on, of `count` that it has in all."""
        if not self.views:
            return self._ask(images)
        view, last = epoch % self.views, first + len(images)
        if last > self._known.get(view, 0):
            answers = self._ask(images)
            if view not in self._said:
                self._said[view] = answers.new_empty(count, answers.shape[1])
            self._said[view][first:last] = answers
            self._known[view] = last
        return self._said[view][first:last]

    def forget(self) -> None:
        """Of another seed the views are others."""
        self._said.clear()
        self._known.clear()

    def _ask(self, images: Float[Tensor, "batch 1 28 28"]) -> Float[Tensor, "batch 10"]:
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), autocast(images.device):
            logits = [_answers(network, images) for network in self.networks]
        return mean_probabilities(logits, self.temperature)


def _answers(network: nn.Module, images: Float[Tensor, "batch 1 28 28"]) -> Tensor:
    """Logits; a GPU makes more views at once than a network that enlarges them has memory for."""
    size = at_once(network, len(images))
    if size == len(images):  # views and a copy would lie where the next tensors want to be
        logits: Tensor = network(images).float()
        return logits
    return torch.cat([network(some).float() for some in images.split(size)])
