"""How many seeds fit into one program."""

import os

import jax
from jax.extend import core

from gan_jax.devices import parallel
from gan_jax.run import one_step
from gan_jax.run.setup import Setup, shapes_of_one

SHARE = 0.8  # of the memory that a program may fill
COPIES = 3  # of the state: before, after, and while it is saved


def seeds_that_fit(setup: Setup, *, most: int, limit: int = 0) -> int:
  """Seeds that may train in one program, at least 1.

  Args:
    setup: of the cell.
    most: seeds wanted.
    limit: bytes; 0: a share of what this process's first device has.
  """
  limit = limit or int(SHARE * available())
  left = limit - setup.dataset.nbytes * setup.structure.resident
  state = COPIES * one_step.nbytes(shapes_of_one(setup))
  step, args = one_step.of_one_seed(setup)
  # The sum over everything that is ever computed is quick to get and far too
  # large; only if it does not fit is the step compiled and measured.
  for work in (lambda: _bound(step, args), lambda: _measured(step, args)):
    seeds = _seeds(left, state, work())
    if seeds >= most:
      return most
  return max(1, seeds)


def available() -> int:
  """Bytes of memory free on the first device, or else on the machine."""
  stats = jax.local_devices()[0].memory_stats()
  if stats and 'bytes_limit' in stats:
    return stats['bytes_limit'] - stats.get('bytes_in_use', 0)
  return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')


def _seeds(left, state, work):
  """Where seeds take turns, only those running at once need working memory."""
  if parallel.choose_layout(convolutions=False).seeds == 'vmap':
    return left // max(state + work, 1)
  return (left - work * jax.local_device_count()) // max(state, 1)


def _bound(step, args):
  return _results(jax.make_jaxpr(step)(*args).jaxpr)


def _results(jaxpr):
  """Bytes of all intermediate results of a program and its inner ones."""
  total = 0
  for equation in jaxpr.eqns:
    inner = list(core.jaxprs_in_params(equation.params))
    total += sum(map(_results, inner)) or sum(
      one_step.size_of(v.aval) for v in equation.outvars
    )
  return total


def _measured(step, args):
  compiled = jax.jit(step).lower(*args).compile()
  analysis = compiled.memory_analysis()
  return analysis.temp_size_in_bytes if analysis else _bound(step, args)
