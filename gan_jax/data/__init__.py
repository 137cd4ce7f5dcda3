"""Data sets behind one interface: data.load(name, **options), data.arrays.

>>> from gan_jax import data
>>> digits = data.load('digits')
>>> digits.size, digits.shape, digits.class_names[:3]
(1797, (8, 8, 1), ('0', '1', '2'))
>>> data.arrays(digits)['x'].shape
(1797, 8, 8, 1)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
  from gan_jax.data.loading import arrays, load

__all__ = ['arrays', 'load']


def __getattr__(name):
  if name in __all__:  # not earlier: it imports JAX
    from gan_jax.data import loading

    return getattr(loading, name)
  raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__():
  return sorted([*globals(), *__all__])
