"""gan_jax: a laboratory for generative adversarial networks in JAX.

From Python, see gan_jax.api:

  config = gan_jax.recipes.load('digits', num_seeds=4)
  gan = gan_jax.train(config, 'runs/digits')
  gan.sample(16), gan.scores
  gan_jax.sample('runs/digits', 16, seed=1)
  gan = gan_jax.load('runs/digits')
  gan_jax.evaluate('runs/digits', metrics=('prdc',))
  gan_jax.spectrum('runs/digits')
  gan_jax.ablate('experiments/losses_ring8/study.py', 'runs/losses')

The same from a terminal: python -m gan_jax.train, sample, evaluate, ablate.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = '0.2.0'

if TYPE_CHECKING:
  from gan_jax import recipes
  from gan_jax.api import ablate, evaluate, load, sample, spectrum, train
  from gan_jax.run.loop import Diverged
  from gan_jax.run.trained import Trained
  from gan_jax.types import UserError

__all__ = [
  'Diverged',
  'Trained',
  'UserError',
  'ablate',
  'evaluate',
  'load',
  'recipes',
  'sample',
  'spectrum',
  'train',
]
# Loaded at their first use, so that `import gan_jax` is fast. The others are
# modules of their own name; a command's module can be called.
_PLACES = {
  'Diverged': 'run.loop',
  'Trained': 'run.trained',
  'UserError': 'types',
  'load': 'api',
}


def __getattr__(name: str):
  if name not in __all__:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  place = _PLACES.get(name, name)
  module = importlib.import_module(f'{__name__}.{place}')
  return getattr(module, name) if name in _PLACES else module


def __dir__():
  return sorted({*globals(), *__all__})
