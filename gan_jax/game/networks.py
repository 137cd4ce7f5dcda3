"""How a network is called: with what it takes of input, label and train.

The least that a network can be is a flax.linen module with `__call__(self, x)`.
"""

import functools
import inspect
from typing import Any

from gan_jax.types import UserError


def init(net: Any, key: Any, *inputs, train: bool, **kw) -> Any:
  """net.init, see apply."""
  inputs, kw = _taken(type(net), inputs, {'train': train, **kw})
  return net.init(key, *inputs, **kw)


def apply(net: Any, variables: Any, *inputs, train: bool, **kw) -> Any:
  """A network's output.

  Args:
    net: a flax.linen module.
    variables: of it.
    *inputs: its input and the label, if there is one; what it does not take of
      the label and of `train` it does not get.
    train: whether statistics are those of the batch, and are updated.
    **kw: of flax: mutable.

  Raises:
    UserError: it cannot be called so.
  """
  inputs, named = _taken(type(net), inputs, {'train': train})
  return net.apply(variables, *inputs, **named, **kw)


def _taken(cls, inputs, named):
  """(inputs by place, by name), of those that a class takes."""
  places, names = _signature(cls)
  if 'label' in names and len(inputs) > places:
    *inputs, label = inputs
    named = {**named, 'label': label}
  keep = {k: v for k, v in named.items() if k in names or k not in OPTIONAL}
  return inputs[: int(min(places, len(inputs)))], keep


OPTIONAL = ('train', 'label')


@functools.cache
def _signature(cls):
  """(number of inputs, those of OPTIONAL that are taken by name)."""
  takes = list(inspect.signature(cls.__call__).parameters.values())[1:]
  by_place = [
    p
    for p in takes
    if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    and p.name != 'train'
  ]
  places = float(len(by_place))
  if any(p.kind is p.VAR_POSITIONAL for p in takes):
    places = float('inf')
  by_name = {
    p.name: p.default is p.empty
    for p in takes
    if p.kind is p.KEYWORD_ONLY or p.name == 'train'
  }
  needed = [k for k, alone in by_name.items() if alone and k not in OPTIONAL]
  if needed or not places:
    why = f'it needs {needed[0]!r}' if needed else 'it takes no input'
    raise UserError(
      f'model: {cls.__name__}.__call__: {why}; expected __call__(self, x,'
      ' label=None, *, train), or less of it.'
    )
  every = any(p.kind is p.VAR_KEYWORD for p in takes)
  return places, {'train'} | set(by_name) if every else set(by_name)
