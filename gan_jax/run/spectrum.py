"""The leading eigenvalues of a trained game, and what they say.

Two Jacobians at a checkpoint, of one fixed batch: that of the flow along all
players' gradients (Mescheder et al. 2017, https://arxiv.org/abs/1705.10461,
Section 3), which knows nothing of optimizers; and that of the run's own steps,
with its dynamics, optimizers and learning rates. Small ones are computed whole,
others are met by Arnoldi's method (ARPACK) in products alone.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.data import kinds
from gan_jax.game import jacobians
from gan_jax.game.step import params_of
from gan_jax.run import sampling
from gan_jax.run.setup import Setup
from gan_jax.types import State, UserError

DENSE = 400  # numbers; up to these, all eigenvalues are computed
ROUNDS = 300  # restarts of Arnoldi's method, at most
SLACK = {True: 1e-6, False: 1e-4}  # what counts as none, dense or not


class Spectrum(NamedTuple):
  """Eigenvalues of one Jacobian, the leading one first."""

  values: np.ndarray  # [K] complex
  size: int  # numbers that move
  dense: bool  # whether the whole matrix was there
  steps: int  # of a cycle; 0: of the flow
  verdict: str
  gradient: float = (
    math.nan
  )  # |v|, of the flow; 0 where the players are at rest

  @property
  def radius(self) -> float:
    """The largest modulus."""
    return float(np.abs(self.values).max())

  @property
  def per_step(self) -> float:
    """By what distances grow in a step, along the leading direction."""
    return self.radius ** (1 / self.steps)

  def as_json(self) -> dict:
    """Plain values."""
    of_steps = {'steps': self.steps, 'radius': self.radius}
    of_flow = {'gradient': self.gradient}
    return {
      'verdict': self.verdict,
      'eigenvalues': [[float(z.real), float(z.imag)] for z in self.values],
      'size': self.size,
      'dense': self.dense,
      **(of_steps if self.steps else of_flow),
    }


def spectra(
  setup: Setup, state: State, *, run_seed: int, count: int, num: int = 0
) -> tuple[Spectrum, Spectrum]:
  """(of the flow, of the run's steps) at a state of the run.

  Args:
    setup: of the run.
    state: [S, ...].
    run_seed: position of a seed.
    count: eigenvalues of each; those of the flow by their real parts, those of
      steps by their moduli.
    num: examples in the batch; 0: as in training.

  Raises:
    UserError: the data are not there, or a Jacobian is not finite.
  """
  one = sampling.take_seed(state, run_seed)
  one = jax.tree.map(jnp.asarray, one)
  batch = batch_of(setup, num or setup.batch_size)
  given = one, batch, setup.keys[run_seed], setup.numbers
  make_rules = setup.functions.make_rules
  made = setup.rules()
  every = [t.every for own in made.game.terms.values() for t in own.values()]
  steps = math.lcm(made.period, *every)

  def flow(given, u, part=0):
    state, batch, key, numbers = given
    game = make_rules(numbers).game
    batch = {**batch, 'step': state.step}
    return jacobians.of_flow(game, state, batch, key, u)[part]

  def moved(given, u):
    state, batch, key, numbers = given
    step = make_rules(numbers).step
    return jacobians.of_steps(step, state, batch, key, u, steps=steps)

  sizes = (
    jacobians.flat(part)[0].size
    for part in (params_of(one, made.game.nets), jacobians.moving(one))
  )
  products = zip((flow, moved), sizes, (0, steps), strict=True)
  both = [
    _spectrum(product, given, size, count, steps=steps)
    for product, size, steps in products
  ]
  v = jax.jit(flow, static_argnums=2)(given, jnp.zeros(both[0].size), 1)
  return both[0]._replace(gradient=float(jnp.linalg.norm(v))), both[1]


def batch_of(setup: Setup, num: int) -> dict:
  """A fixed batch of training examples, for each of the batches of a step.

  Args:
    setup: of the run.
    num: examples.
  """
  rows = np.random.default_rng(0).integers(setup.dataset.size, size=num)
  there = setup.dataset.read(rows)
  wanted = ('x', 'label') if setup.conditional else ('x',)
  raw = {name: jnp.asarray(there[name]) for name in wanted}
  raw['x'] = kinds.in_model_range(setup.dataset, raw['x'])
  many = lambda x: jnp.stack([x] * setup.structure.batches)
  batch = {name: many(x) for name, x in raw.items()}
  frozen = {'frozen': setup.frozen} if setup.frozen else {}
  return {**batch, 'index': jnp.arange(num), **frozen}


def _spectrum(product, given, size, count, *, steps):
  dense = size <= DENSE
  if dense:
    values = np.linalg.eigvals(_whole(product, given, size))
  else:
    values = _arnoldi(product, given, size, count, by='LM' if steps else 'LR')
  by = np.abs(values) if steps else values.real
  # Of a pair, the one that turns to the left comes first.
  order = np.lexsort((-values.imag, -np.round(by, 9)))
  values = values[order][:count]
  judge = judge_steps if steps else judge_flow
  return Spectrum(values, size, dense, steps, judge(values, SLACK[dense]))


def _whole(product, given, size):
  """The matrix [N, N], float64."""
  every = jax.jit(
    lambda given: jax.lax.map(
      lambda u: product(given, u), jnp.eye(size), batch_size=16
    )
  )
  matrix = np.asarray(every(given), np.float64).T
  _check_finite(matrix)
  return matrix


def _arnoldi(product, given, size, count, *, by):
  """The leading eigenvalues, by scipy: those that have converged."""
  from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

  compiled = jax.jit(product)

  def times(u):
    made = compiled(given, jnp.asarray(u.reshape(-1), jnp.float32))
    made = np.asarray(made, np.float64)
    _check_finite(made)
    return made

  operator = LinearOperator((size, size), matvec=times, dtype=np.float64)
  first = np.random.default_rng(0).normal(size=size)
  kept = min(size - 1, max(2 * count + 2, 30))
  how = {'which': by, 'v0': first, 'ncv': kept, 'maxiter': ROUNDS, 'tol': 1e-5}
  try:
    return eigs(operator, k=count, return_eigenvectors=False, **how)
  except ArpackNoConvergence as e:
    if not len(e.eigenvalues):
      raise UserError(
        f'--count={count}: no eigenvalue has converged in {ROUNDS} rounds;'
        ' another count may help.'
      ) from e
    return e.eigenvalues


def _check_finite(values):
  if not np.isfinite(values).all():
    raise UserError(
      '--checkpoint: the Jacobian there is not finite; expected a state at'
      ' which the step has a slope.'
    )


def as_json(flow: Spectrum, steps: Spectrum, *, step: int, seed: int) -> dict:
  """Both as plain values.

  Args:
    flow, steps: from spectra.
    step: of the checkpoint.
    seed: of the run.
  """
  both = {'flow': flow.as_json(), 'steps': steps.as_json()}
  return {'step': step, 'seed': seed, **both}


# ---------------------------------------------------------------- what it says

ATTRACTING, ROTATING = 'attracting', 'rotating'
REPELLING, NEUTRAL = 'repelling', 'neutral'


def judge_flow(values: np.ndarray, slack: float) -> str:
  """What the flow does near by, in a word.

  Args:
    values: [K], of -J.
    slack: what counts as 0, as a part of the largest modulus.
  """
  least = slack * np.abs(values).max()
  return _judge(values, values.real, 0.0, least)


def judge_steps(values: np.ndarray, slack: float) -> str:
  """What steps do near by, in a word.

  Args:
    values: [K], of their Jacobian.
    slack: what counts as 0.
  """
  return _judge(values, np.abs(values), 1.0, slack)


def _judge(values, sizes, bound, slack):
  if sizes.max() > bound + slack:
    return REPELLING
  if sizes.max() < bound - slack:
    return ATTRACTING
  turning = np.abs(values.imag) > max(slack, 1e-12)
  return ROTATING if turning[sizes >= bound - slack].any() else NEUTRAL


def words(spectrum: Spectrum) -> str:
  """A line for people."""
  lead, verdict = spectrum.values[0], spectrum.verdict
  if not spectrum.steps:
    return (
      f'flow: {verdict}; leading eigenvalue {number(lead)}; gradients of all'
      f' players {spectrum.gradient:.3g}'
    )
  cycle = f' of {spectrum.steps} steps' if spectrum.steps > 1 else ''
  line = f'steps: {verdict}; radius{cycle} {spectrum.radius:.7g}'
  if verdict in (ATTRACTING, REPELLING) and spectrum.per_step > 0:
    many = math.log(2) / abs(math.log(spectrum.per_step))
    what = 'halve' if verdict == ATTRACTING else 'double'
    line += f', distances {what} every {many:,.3g} steps'
  if abs(lead.imag) > 1e-9:
    turn = 2 * math.pi / abs(np.angle(lead)) * spectrum.steps
    line += f', a turn takes {turn:,.3g}'
  return line


def number(z: complex) -> str:
  """A complex number for people."""
  sign = '-' if z.imag < 0 else '+'
  return f'{z.real + 0.0:.6g} {sign} {abs(z.imag):.6g}i'


def describe(flow: Spectrum, steps: Spectrum) -> list[str]:
  """Lines for people: verdicts, then eigenvalues."""
  lines = [words(flow), words(steps)]
  for name, own in (('flow', flow), ('steps', steps)):
    how = 'all' if own.dense else 'Arnoldi'
    lines.append(f'{name}, leading {len(own.values)} of {own.size:,} ({how}):')
    lines += [f'  {number(z)}  modulus {abs(z):.6g}' for z in own.values]
  return lines
