"""How strong an augmentation is: as much as D overfits.

Karras et al. 2020, Training Generative Adversarial Networks with Limited Data
(https://arxiv.org/abs/2006.06676), Section 3. Of D's logits s(x) of reals, the
heuristic is r_t = E[sign s(x)]; after every so many moves of D

  p <- max(p + sign(r_t - target) n / (1000 kimg), 0)

with r_t over the n samples of these moves, in the global batch. p is not kept
below 1, as in the authors' code; a gate that opens with probability p is open
then. A lazy penalty's own update is not counted.
"""

import jax
import jax.numpy as jnp

from gan_jax.augment.shared import checks
from gan_jax.types import Tree, UserError


def init(*, p: float = 0.0, adaptive: bool = True) -> Tree:
  """The memo: p, and what D has judged since it was changed; () if it is fixed.

  Args:
    p: to begin with.
    adaptive: whether it follows D's logits.
  """
  if not adaptive:
    return ()
  zero = lambda: jnp.zeros((), jnp.float32)
  return {
    'p': zero() + p,
    'signs': zero(),  # sum of the signs of logits
    'samples': zero(),
    'moves': jnp.zeros((), jnp.int32),
  }


def update(
  memo: Tree, real_logits: jax.Array, *, target, interval: int, kimg
) -> Tree:
  """The memo after a move of D.

  Args:
    memo: from init.
    real_logits: of the global batch [B].
    target: of r_t; 1: D takes all reals for real.
    interval: moves of D between two changes.
    kimg: thousands of images in which p may rise from 0 to 1.
  """
  if not memo:
    return memo
  signs = memo['signs'] + jnp.sign(real_logits).sum()
  samples, moves = memo['samples'] + len(real_logits), memo['moves'] + 1
  change = jnp.sign(signs / samples - target) * samples / (1000 * kimg)
  due = moves >= interval
  return {
    'p': jnp.where(due, jnp.maximum(memo['p'] + change, 0), memo['p']),
    'signs': jnp.where(due, 0, signs),
    'samples': jnp.where(due, 0, samples),
    'moves': jnp.where(due, 0, moves),
  }


def p_of(memo: Tree, p) -> jax.Array:
  """The probability now: that of the memo, or the fixed one."""
  return memo['p'] if memo else p


def measured(memo: Tree) -> dict:
  """What a run shows of the memo."""
  return {'p': memo['p']} if memo else {}


USUAL = {'target': 0.6, 'interval': 4, 'kimg': 500.0}


def ignored(options: dict) -> str:
  """The option that has no effect beside the others, or ''."""
  if not options.get('adaptive', True):
    given = [k for k, v in USUAL.items() if options.get(k, v) != v]
    return given[0] if given else ''
  return 'p.name' if isinstance(options.get('p'), dict) else ''


def check(flag: str, options: dict):
  """Refuses what no probability or interval can be; UserError."""
  checks.check_range(flag, options, 1, 'p')
  checks.check_above(flag, options, 'kimg', 'interval')
  target = options.get('target', 0)
  if not -1 <= target <= 1:
    raise UserError(
      f'{flag}.target={target}: expected a mean of signs, from -1 to 1.'
    )
