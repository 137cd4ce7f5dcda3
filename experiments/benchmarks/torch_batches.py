"""What the trainer of torch_gans.py feeds its networks: data and draws."""

import torch

from experiments.benchmarks import torch_networks


def laid_out(x: torch.Tensor) -> torch.Tensor:
  """Samples as networks see them: channels first, of images in memory last."""
  if x.dim() == 4:
    return x.permute(0, 3, 1, 2)
  return x.transpose(1, 2).contiguous() if x.dim() == 3 else x


class Batches:
  """A data set on the device, its order, and what a move draws."""

  def __init__(self, config: dict, data: dict, device: torch.device):
    """Places the data.

    Args:
      config: of the case.
      data: in model range, {'x': [N, ...], 'label': [N], if there are any}.
      device: where all of it is.
    """
    self.size, self.device = config['batch_size'], device
    self.shape = data['x'].shape[1:]
    self._x = laid_out(torch.tensor(data['x'], device=device))
    label = data.get('label')
    self._label = None if label is None else torch.tensor(label, device=device)
    self._latent = config['latent']
    self._grids = torch_networks.noise_grids(config, self.shape)
    self._shuffles = torch_networks.shuffles(config)
    self._order = iter(())

  def indices(self) -> torch.Tensor:
    """Of the next batch of an epoch; a short last one is left."""
    index = next(self._order, None)
    if index is None:
      order = torch.randperm(len(self._x), device=self.device)
      whole = order[: len(order) // self.size * self.size]
      self._order = iter(whole.split(self.size))
      index = next(self._order)
    return index

  def taken(self, index: torch.Tensor) -> tuple:
    """(Samples, labels or None) of these examples."""
    label = None if self._label is None else self._label[index]
    return self._x[index], label

  def draw(self) -> dict:
    """What a move of a batch draws."""
    own, size = {'device': self.device}, self.size
    z = torch.randn(size, self._latent['dim'], **own)
    if self._latent['name'] == 'uniform':
      z.uniform_(-1, 1)
    drawn = {'z': z, 'alpha': torch.rand(size, **own)}
    if self._grids:
      drawn['noise'] = [torch.randn(size, *g, **own) for g in self._grids]
    if self._shuffles:
      drawn['shift'] = torch.randint(-2, 3, (size, self._shuffles), **own)
    return drawn
