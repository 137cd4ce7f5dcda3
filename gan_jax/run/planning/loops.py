"""What XLA's count leaves out: it counts the body of a loop once.

Networks that go through time scan it, and a CPU goes through the groups of a
convolution, so that a step is counted with one moment of each scan. What is
lacking is counted from the bodies, each compiled by itself.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend import core

COUNTED = ('flops', 'bytes accessed')  # of what XLA counts


def lacking(
  function: Callable, *args: Any, platform: str | None = None
) -> np.ndarray:
  """[operations, bytes] of all moments but the first, of all scans.

  Args:
    function: of arrays.
    *args: its arguments, as shapes.
    platform: it is compiled for; None is the one of this machine.
  """
  made = jax.make_jaxpr(function)(*args)
  here = jax.default_backend()
  return _Counting(platform or here, here).lacking(made.jaxpr)


class _Counting:
  """Of a program for a platform; bodies that are alike are compiled once.

  They are compiled for this machine, whose loops may be others.
  """

  def __init__(self, platform: str, here: str):
    self._platform, self._counts = platform, {}
    self._here = self if platform == here else _Counting(here, here)

  def lacking(self, jaxpr: core.Jaxpr) -> np.ndarray:
    made = np.zeros(len(COUNTED))
    for equation in jaxpr.eqns:
      if equation.primitive.name == 'scan':
        made += self._of_scan(**equation.params)
      elif equation.primitive.name == 'cond':
        made += self._of_branches(**equation.params)
      else:
        made += sum(map(self.lacking, _within(equation.params)))
    return made

  def _of_scan(self, jaxpr, length, **_):
    whole = self._here.in_full(jaxpr) if length > 1 else 0.0
    return (length - 1) * whole + self.lacking(jaxpr.jaxpr)

  def in_full(self, body: core.ClosedJaxpr) -> np.ndarray:
    """All of a body's operations and bytes, on this machine."""
    return self._count(body) + self.lacking(body.jaxpr)

  def _of_branches(self, branches, branches_platforms=None, **_):
    """The branch of this platform, or the dearest one."""
    each = [branch.jaxpr for branch in branches]
    for own, platforms in zip(each, branches_platforms or (), strict=False):
      if platforms is None or self._platform in platforms:
        return self.lacking(own)
    return max(map(self.lacking, each), key=lambda count: count[0])

  def _count(self, body):
    """By XLA, of a body by itself."""
    key = str(body)
    if key not in self._counts:
      args = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in body.in_avals]
      function = core.jaxpr_as_fun(body)
      cost = jax.jit(function).lower(*args).compile().cost_analysis() or {}
      own = [cost.get(name, 0.0) for name in COUNTED]
      self._counts[key] = np.array(own)
    return self._counts[key]


def _within(params: dict) -> Iterator[core.Jaxpr]:
  """The programs that an equation calls."""
  for value in params.values():
    for each in value if isinstance(value, tuple | list) else (value,):
      if isinstance(each, core.ClosedJaxpr):
        yield each.jaxpr
      elif isinstance(each, core.Jaxpr):
        yield each
