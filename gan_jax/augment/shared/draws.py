"""The draws of one sample, each behind a gate of its own."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Numbers(NamedTuple):
  """What there is to make the draw of one transform of."""

  uniform: jax.Array  # [2], of [0, 1)
  normal: jax.Array  # [2]


class Draws:
  """What is drawn for one sample, by the names of its transforms.

  All at once: each draw of its own would be a program of its own, and slow to
  compile.
  """

  def __init__(self, key: jax.Array, chances: dict[str, Any]):
    """Begins.

    Args:
      key: of the sample, [].
      chances: {transform: probability that it is done}, in a fixed order.
    """
    of_uniform, of_normal = jax.random.split(key)
    uniform = jax.random.uniform(of_uniform, (len(chances), 3))
    normal = jax.random.normal(of_normal, (len(chances), 2))
    chance = [jnp.asarray(p, jnp.float32) for p in chances.values()]
    self._open = uniform[:, 2] < jnp.stack(chance)
    self._numbers = Numbers(uniform[:, :2], normal)
    self._row = {name: i for i, name in enumerate(chances)}

  def __call__(self, name: str, draw: Callable, neutral: Any) -> jax.Array:
    """A transform's draw, or what leaves the sample alone.

    Args:
      name: of the transform.
      draw: Numbers -> value.
      neutral: the value that changes nothing.
    """
    row = self._row[name]
    own = Numbers(*(numbers[row] for numbers in self._numbers))
    return jnp.where(self._open[row], draw(own), neutral)


def uniform(low: float = 0.0, high: float = 1.0) -> Callable:
  """Numbers -> one between two others."""
  return lambda numbers: low + (high - low) * numbers.uniform[0]


def two_uniform(low: float = 0.0, high: float = 1.0) -> Callable:
  """Numbers -> two of them, [2]."""
  return lambda numbers: low + (high - low) * numbers.uniform


def normal(std: float = 1.0) -> Callable:
  """Numbers -> a normal one."""
  return lambda numbers: std * numbers.normal[0]


def two_normal(std: float = 1.0) -> Callable:
  """Numbers -> two of them, [2]."""
  return lambda numbers: std * numbers.normal


def power_of_two(std: float) -> Callable:
  """Numbers -> 2 to the power of a normal one."""
  return lambda numbers: jnp.exp2(std * numbers.normal[0])


def whole(below: int) -> Callable:
  """Numbers -> one of 0, ..., below - 1, as a float32."""
  return lambda numbers: jnp.floor(below * numbers.uniform[0])
