"""How a network is called: with what it takes of input, label and train.

The least that a network can be is a flax.linen module with `__call__(self, x)`.
"""

import functools
import inspect
from typing import Any

import jax

from gan_jax.types import UserError

OPTIONAL = ('label', 'train')  # of what a network is called with


class NoMethod(UserError):
  """A network lacks what a term wants to know of it."""


def init(net: Any, key: Any, *inputs, train: bool, **kw) -> Any:
  """net.init, see apply."""
  inputs, kw = _taken(type(net), inputs, {**kw, 'train': train})
  return net.init(key, *inputs, **kw)


def apply(
  net: Any,
  variables: Any,
  *inputs,
  train: bool,
  method: str | None = None,
  **kw,
) -> Any:
  """A network's output.

  Args:
    net: a flax.linen module.
    variables: of it.
    *inputs: its input and the label, if there is one; what it does not take of
      the label and of `train` it does not get.
    train: whether statistics are those of the batch, and are updated.
    method: another one of its methods, that a term looks into it by.
    **kw: what a `play` says beside the inputs; of flax: mutable.

  Raises:
    UserError: it cannot be called so.
    NoMethod: it has no such method, which is a UserError too.
  """
  inputs, kw = _taken(type(net), inputs, {**kw, 'train': train}, method)
  return net.apply(variables, *inputs, method=method, **kw)


def _taken(cls, inputs, named, method=None):
  """(inputs by place, by name), of those that a class takes."""
  method = method or '__call__'
  if not hasattr(cls, method):
    raise NoMethod(f'model: {cls.__name__} has no method {method!r}.')
  places, names, needed = _signature(cls, method)
  if 'label' in names and len(inputs) > places:
    *inputs, label = inputs
    named = {**named, 'label': label}
  missing = sorted(needed - {*named, *OPTIONAL})
  if missing or not places:
    why = f'it needs {missing[0]!r}' if missing else 'it takes no input'
    raise UserError(
      f'model: {cls.__name__}.{method}: {why}; expected {method}(self, x,'
      ' label=None, *, train), or less of it.'
    )
  keep = {k: v for k, v in named.items() if k in names or k not in OPTIONAL}
  return tuple(inputs)[: min(places, len(inputs))], keep


@functools.cache
def _signature(cls, method):
  """(number of inputs, names that may be given, those that must be)."""
  takes = inspect.signature(getattr(cls, method)).parameters.values()
  takes = list(takes)[1:]
  named = [p for p in takes if p.kind is p.KEYWORD_ONLY or p.name == 'train']
  kinds = [p.kind for p in takes if p not in named]
  names = {p.name for p in named}
  if inspect.Parameter.VAR_KEYWORD in kinds:
    names.add('train')
  places = sum(
    kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds
  )
  if inspect.Parameter.VAR_POSITIONAL in kinds:
    places = 1000
  return places, names, {p.name for p in named if p.default is p.empty}


def check(samples: Any, data: Any):
  """Refuses networks that do not suit the data.

  Args:
    samples: shapes of what G makes of one latent, [1, ...].
    data: the data set: its name and the shape of a sample.

  Raises:
    UserError: the reason.
  """
  made = jax.tree.map(lambda x: x.shape[1:], samples)
  if made != tuple(data.shape):
    raise UserError(
      f'model.name: G makes {made}, but {data.name} is {data.shape}.'
    )
