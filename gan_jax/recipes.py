"""The recipes that come with the package, from Python.

>>> from gan_jax import recipes
>>> recipes.names()[:2]
['biggan', 'biggan_deep']
>>> config = recipes.load('digits', steps=100, loss={'name': 'lsgan'})
>>> config.loss.name, config.steps, config.optim.g.learning_rate
('lsgan', 100, 0.001)
>>> recipes.load('digits', **{'optim.g.learning_rate': 2e-4}).optim.g.b1
0.5
"""

import os
from typing import Any

from ml_collections import ConfigDict

from gan_jax.run.config import changes, library, recipe


def names() -> list[str]:
  """Of all recipes."""
  return library.names()


def load(name: str | os.PathLike, **overrides: Any) -> ConfigDict:
  """A recipe, with all its keys.

  Args:
    name: of a recipe, or the path of a file with a get_config; either with an
      argument, as in 'digits:tiny'.
    **overrides: values by key; below the top level by dotted key, as in
      **{'optim.g.learning_rate': 1e-3}. A group is replaced as a whole; where
      another component is named, what it lacks of the recipe's options is left
      out.

  Raises:
    gan_jax.UserError: there is no such recipe or key, or a value of another
      type.
  """
  config = recipe.load(name)
  flag = lambda key, value: f'{key}={value!r}'
  changes.override(config, overrides.items(), flag=flag)()
  return config
