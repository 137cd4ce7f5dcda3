"""Combinations that break a training without a word: one table.

A row is refused before a run begins; `--force` trains it all the same, and the
manifest and every score of the run then name the row. Some rows are only told.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp

from gan_jax import select
from gan_jax.game.rules import Given, Rules
from gan_jax.types import D, Loss, State, UserError


class Seen(NamedTuple):
  """What a row may look at."""

  config: dict
  given: Given
  rules: Rules
  loss: Loss
  state: State  # shapes of one seed's

  def collections(self, player: str = D) -> set[str]:
    """Of a player's variables: 'batch_stats', 'spectral', ..."""
    return set(self.state.players[player].vars)


class Row(NamedTuple):
  """One combination."""

  name: str  # as a record names it
  clash: Callable  # Seen -> the flags that clash; '' if none does
  why: str
  source: str
  refused: bool = True  # or only told


class Clash(NamedTuple):
  """A row that holds of a config."""

  name: str
  line: str
  refused: bool


def clashes(seen: Seen) -> tuple[Clash, ...]:
  """All rows that hold."""
  held = ((row, row.clash(seen)) for row in ROWS)
  return tuple(
    Clash(row.name, f'{flags}: {row.why} ({row.source})', row.refused)
    for row, flags in held
    if flags
  )


def check(own: tuple[Clash, ...], *, force: bool):
  """Refuses what would break silently.

  Args:
    own: of a run that begins.
    force: whether it is to be trained all the same.

  Raises:
    UserError: the first of those that are refused.
  """
  refused = [clash for clash in own if clash.refused]
  if refused and not force:
    raise UserError(f'{refused[0].line}; --force trains it all the same.')


def lines(own: tuple[Clash, ...]) -> list[str]:
  """What people are told when a run begins."""
  return [f'{"forced: " * c.refused}{c.line}' for c in own]


def names(own: tuple[Clash, ...]) -> list[str]:
  """Of the rows that a run of these was forced against."""
  return [clash.name for clash in own if clash.refused]


# ----------------------------------------------------------------- the table


def _batch_norm(seen):
  """A gradient for each example, where a logit depends on all of them."""
  if 'batch_stats' not in seen.collections():
    return ''
  slopes = [k for k, p in seen.rules.penalties.items() if p.per_example]
  return f'penalties.{slopes[0]} with batch norm in D' if slopes else ''


def _lazy(seen):
  """Those of R1 and R2 that are not paid at every step."""
  own = {k: p.every for k, p in seen.rules.penalties.items() if k in SLOPES}
  return [f'penalties.{k}.every={n}' for k, n in own.items() if n > 1]


SLOPES = 'r1', 'r2', 'fd_r1', 'fd_r2'


def _lazy_both(seen):
  lazy = _lazy(seen)
  if len(lazy) < 2 or not is_relativistic(seen.loss):
    return ''
  return f'{" and ".join(lazy)} with loss.name={seen.config["loss"]["name"]}'


def _lazy_one(seen):
  lazy = _lazy(seen)
  if len(lazy) != 1 or not is_relativistic(seen.loss):
    return ''
  return f'{lazy[0]} with loss.name={seen.config["loss"]["name"]}'


def _clipped_spectral(seen):
  clips = [k for k, p in seen.rules.penalties.items() if p.project]
  if not clips or 'spectral' not in seen.collections():
    return ''
  return f'penalties.{clips[0]} with spectral norm in D'


def _lonely_classes(seen):
  name = seen.config['conditioning'].get('name')
  classes, batch = seen.given.num_classes, seen.given.batch_size
  if name not in CONTRASTIVE or classes <= batch:
    return ''
  return f'conditioning.name={name}: {classes} classes in a batch of {batch}'


CONTRASTIVE = 'contrastive', 'd2d_ce'


def _unbounded(seen):
  """A loss that is linear in D's logits, and nothing that bounds D's slope."""
  if seen.rules.penalties or 'spectral' in seen.collections():
    return ''
  if not is_linear(seen.loss):
    return ''
  return f'loss.name={seen.config["loss"]["name"]} without a penalty on D'


def _adaptive(seen):
  """An augmentation that follows D's logits, whose zero means nothing."""
  own, flag = seen.config['augment'], 'augment'
  while own:
    takes = select.options_of('augment', own['name'], flag=f'{flag}.name')
    if 'adaptive' in takes and own.get('adaptive', True):
      break
    own, flag = own.get('then', {}), f'{flag}.then'
  if not own or not is_shifted_freely(seen.loss):
    return ''
  loss = seen.config['loss']['name']
  return f'{flag}.name={own["name"]} with loss.name={loss}'


ROWS = (
  Row(
    'gradient_batch_norm',
    _batch_norm,
    'it is a gradient for each example, but there a logit depends on the whole'
    " batch; set model.d.norm to 'none' or 'spectral'",
    'Gulrajani et al. 2017, section 4',
  ),
  Row(
    'lazy_r1_r2_relativistic',
    _lazy_both,
    'paid only now and then they fail completely; set every=1',
    'Huang et al. 2024, appendix E',
  ),
  Row(
    'lazy_r1_relativistic',
    _lazy_one,
    'a penalty that is paid only now and then may not hold such a game; every=1'
    ' is the safe way',
    'Huang et al. 2024, appendix E',
    refused=False,
  ),
  Row(
    'weight_clip_spectral_norm',
    _clipped_spectral,
    'the norm undoes the scale that clipping sets: only which weights are equal'
    ' is left of it',
    'Miyato et al. 2018, section 2',
  ),
  Row(
    'contrastive_many_classes',
    _lonely_classes,
    'most examples meet no other one of their class, and only proxies are left'
    ' of the loss; raise batch_size, or choose projection',
    'Kang and Park 2020, section 3',
  ),
  Row(
    'adaptive_relativistic',
    _adaptive,
    "its p follows the signs of D's logits of reals, but such a loss is of"
    ' differences alone and leaves their zero free; set adaptive=False and p',
    'Karras et al. 2020, section 3.1',
  ),
  Row(
    'linear_loss_unbounded',
    _unbounded,
    'it is a distance only if D is Lipschitz; add gradient_penalty or'
    ' weight_clip, or spectral norm',
    'Arjovsky et al. 2017, section 3',
    refused=False,
  ),
)


# ------------------------------------------------------- what losses are like

# Logits at which a loss is looked at; losses are functions, not names, so that
# one's own are seen as well.
_REAL, _FAKE = (0.3, -1.2, 2.0, 0.7), (0.9, 0.1, -0.4, 1.1)
CLOSE = 1e-4


def is_relativistic(loss: Any) -> bool:
  """Whether D's loss is of differences of logits, and not linear in them."""
  return is_shifted_freely(loss) and not is_linear(loss)


def is_shifted_freely(loss: Any) -> bool:
  """Whether all logits may be larger by the same number."""
  return not _differs(loss, lambda s: s + 1.0, lambda value: value)


def is_linear(loss: Any) -> bool:
  """Whether doubled logits double D's loss."""
  return not _differs(loss, lambda s: 2 * s, lambda value: 2 * value)


def _differs(loss, change, expected):
  """Whether the loss of changed logits is another one than is expected."""
  real, fake = jnp.array(_REAL), jnp.array(_FAKE)
  after = loss.d_loss(change(real), change(fake)).mean()
  return bool(abs(after - expected(loss.d_loss(real, fake).mean())) > CLOSE)
