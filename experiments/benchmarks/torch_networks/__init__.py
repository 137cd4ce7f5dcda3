"""The networks of the benchmarks in plain PyTorch, as papers describe them.

A network is a function of weights: `generator(w, drawn, label, **options)`
makes samples of what is drawn for a batch, `discriminator(w, x, label, drawn,
**options)` judges them. `weights.Network` makes a torch.nn.Module of such a
function and of our weights; tests compare the same functions with our networks
value by value. Images are [B, C, H, W], series and text [B, C, T].
"""

import functools
import importlib
import math

from experiments.benchmarks.torch_networks import weights


def networks(config: dict, shape: tuple, variables: tuple, example: tuple):
  """G and D of a config as modules, which begin with our weights.

  Args:
    config: of the case.
    shape: of a sample, without the batch.
    variables: of our G and of our D: {'params': ..., 'spectral': ...}.
    example: (real, label, drawn) of a batch.

  Returns:
    (G, D), of weights.Network.
  """
  name = config['model']['name']
  model = importlib.import_module(f'{__name__}.{name}')
  g, d = (
    functools.partial(function, shape=shape, **config['model'][player])
    for player, function in (
      ('g', model.generator),
      ('d', model.discriminator),
    )
  )
  real, label, drawn = example
  return (
    weights.Network(g, variables[0], drawn, label),
    weights.Network(d, variables[1], real, label, drawn),
  )


def noise_grids(config: dict, shape: tuple) -> list[tuple[int, int]]:
  """The pictures of noise that a generator takes, [] for most."""
  if config['model']['name'] != 'stylegan2':
    return []
  doublings = math.ceil(math.log2(min(shape[:2]) / 4))
  first = [-(-size // 2**doublings) for size in shape[:2]]
  grids = [tuple(n * 2**i for n in first) for i in range(doublings + 1)]
  return [grids[0], *(grid for grid in grids[1:] for _ in range(2))]


def shuffles(config: dict) -> int:
  """How many of D's layers move sounds in time."""
  if config['model']['name'] != 'wavegan':
    return 0
  return len(config['model']['d']['widths']) - 1
