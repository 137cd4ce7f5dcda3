"""What a step costs: operations, bytes, memory by part.

Of the step itself, as `train` compiles it, without what looks at it. Nothing is
trained: the step is compiled for this machine.
"""

import math
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.run import one_step
from gan_jax.run.planning import loops
from gan_jax.run.setup import Setup, shapes_of_one
from gan_jax.storage import memory
from gan_jax.types import State

SIDE, REPEATS = 1024, 4  # of the products by which this machine is judged
LONGEST = 60.0  # seconds that a step to be measured may take


class Step(NamedTuple):
  """The step of one seed, compiled for this machine.

  flops: operations, by XLA's count; of a condition, the dearest branch; of a
    scan, all of its moments.
  accessed: bytes that the operations read and write, by the same count.
  temporary: bytes of all that lives within the step: activations, gradients.
  args: its arguments as shapes.
  """

  flops: float
  accessed: float
  temporary: int
  args: tuple


def compile_step(setup: Setup) -> Step:
  """The step of one seed, compiled."""
  step, args = one_step.of_one_seed(setup)
  compiled = jax.jit(step, donate_argnums=0).lower(*args).compile()
  cost = compiled.cost_analysis() or {}
  sizes = compiled.memory_analysis()
  flops, accessed = loops.lacking(step, *args).tolist()
  return Step(
    flops=cost.get('flops', 0.0) + flops,
    accessed=cost.get('bytes accessed', 0.0) + accessed,
    temporary=sizes.temp_size_in_bytes if sizes else 0,
    args=args,
  )


# ------------------------------------------------------------- of the networks


def parameters(setup: Setup) -> dict[str, int]:
  """The number of parameters of each player's network."""
  state = shapes_of_one(setup)
  return {name: _count(own.params) for name, own in state.players.items()}


def stages(setup: Setup) -> dict[str, dict[str, int]]:
  """The same of each module at the top of a network."""
  state = shapes_of_one(setup)
  return {
    name: {stage: _count(tree) for stage, tree in own.params.items()}
    for name, own in state.players.items()
  }


def _of_all(dataset) -> int:
  """Of all examples; their labels lie beside them, used or not."""
  numbers = len(dataset.attributes) or bool(dataset.class_names)
  return dataset.nbytes + 4 * numbers * dataset.size


def _count(tree) -> int:
  return sum(x.size for x in jax.tree.leaves(tree))


def by_part(setup: Setup, step: Step, *, aside: int = 0) -> dict[str, int]:
  """Bytes of memory of all seeds at once, by what they hold, and in total.

  `data` is the data set where it lies on the device, else a step's batch; with
  it what the probe keeps, once for all seeds.

  Args:
    setup: of the run.
    step: compiled.
    aside: examples that the probe keeps, see stand_in.kept_aside.
  """
  state: State = shapes_of_one(setup)
  players, seeds = state.players.values(), len(setup.keys)
  sizes = {
    'parameters': [own.params for own in players],
    'variables': [own.vars for own in players],
    'optimizer': [own.opt for own in players],
    'average': state.ema,
    'memo': state.memo,
  }
  made = {part: seeds * one_step.nbytes(tree) for part, tree in sizes.items()}
  made['activations'] = seeds * step.temporary
  batch = one_step.nbytes(step.args[1])
  resident = setup.structure.resident
  made['data'] = _of_all(setup.dataset) if resident else seeds * batch
  made['data'] += 4 * aside * math.prod(setup.dataset.shape)  # in model range
  return made | {'total': sum(made.values())}


# ------------------------------------------------- whether it can be timed here


def machine_rate() -> float:
  """Operations a second of products of matrices in float32, on this machine."""
  x = jnp.ones((SIDE, SIDE))
  product = jax.jit(lambda x: x @ x / SIDE)
  product(x).block_until_ready()
  begin = time.perf_counter()
  for _ in range(REPEATS):
    x = product(x)
  x.block_until_ready()
  return 2 * SIDE**3 * REPEATS / (time.perf_counter() - begin)


def too_much(setup: Setup, step: Step) -> str:
  """Why a run is not tried on this machine; '' if it can be.

  Args:
    setup: of the run.
    step: compiled.
  """
  needed = step.temporary + 2 * one_step.nbytes(step.args[:2])
  if needed > memory.memory():
    return f'a step needs {needed / 2**30:,.1f} GiB'
  expected = len(setup.keys) * step.flops / machine_rate()
  return f'a step takes {expected:,.0f} s or longer' * (expected > LONGEST)
