"""What XLA's count leaves out: it counts the body of a loop once.

Networks that go through time scan it, so that a step is counted with one
moment of each scan. What is lacking is counted from the bodies, each compiled
by itself.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend import core

COUNTED = ('flops', 'bytes accessed')  # of what XLA counts


def lacking(function: Callable, *args: Any) -> np.ndarray:
  """[operations, bytes] of all moments but the first, of all scans.

  Args:
    function: of arrays.
    *args: its arguments, as shapes.
  """
  return _lacking(jax.make_jaxpr(function)(*args).jaxpr)


def _lacking(jaxpr: core.Jaxpr) -> np.ndarray:
  made = np.zeros(len(COUNTED))
  for equation in jaxpr.eqns:
    if equation.primitive.name == 'scan':
      made += _of_scan(equation.params['jaxpr'], equation.params['length'])
      continue
    inner = [_lacking(each) for each in _within(equation.params)]
    if equation.primitive.name == 'cond':  # one branch is taken: the dearest
      inner = [max(inner, key=lambda count: count[0])]
    made += sum(inner, start=np.zeros(len(COUNTED)))
  return made


def _of_scan(body: core.ClosedJaxpr, length: int) -> np.ndarray:
  once = _count(body)
  return (length - 1) * once + length * _lacking(body.jaxpr)


def _count(body) -> np.ndarray:
  """By XLA, of a body by itself."""
  args = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in body.in_avals]
  cost = jax.jit(core.jaxpr_as_fun(body)).lower(*args).compile()
  own = cost.cost_analysis() or {}
  return np.array([own.get(name, 0.0) for name in COUNTED])


def _within(params: dict) -> Iterator[core.Jaxpr]:
  """The programs that an equation calls."""
  for value in params.values():
    for each in value if isinstance(value, tuple | list) else (value,):
      if isinstance(each, core.ClosedJaxpr):
        yield each.jaxpr
      elif isinstance(each, core.Jaxpr):
        yield each
