"""A look at one step from outside: how the game goes, without a part in it.

What is measured is health.py's; this file says of which samples. Everything is
measured after the step, on the networks that it left: on the real samples that
D has just learnt from, on fakes that it has not seen, and, where the data set
has some, on real samples that it never learns from.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import keys
from gan_jax.game.gradients import input_gradient
from gan_jax.game.health import measures
from gan_jax.game.step import apply_train, logits_of, make_means
from gan_jax.types import Pair, State

# Streams of random numbers within a step, beside step.D_MOVE and G_MOVE.
LATENTS, HELD_OUT = 2, 3
NAMES = (
  'separation', 'real', 'fake', 'grad_real', 'grad_fake', 'reach', 'diversity',
  'update_ratio', 'nonfinite',
)  # fmt: skip


def metric_names(*, held_out: bool) -> tuple[str, ...]:
  """Names of what is measured, with or without samples that are held out."""
  names = (*NAMES, 'held_out') if held_out else NAMES
  return tuple(f'{measures.PREFIX}{name}' for name in names)


def make_probe(
  net: Pair, *, prior: Callable, axis: str | None = None
) -> Callable:
  """Returns probe(before, after, batch, key, held_out) -> metrics [].

  before and after are the States around a step; batch is what the step was
  given; key is the seed's root key. held_out is {'x': [H, ...], 'label': [H]}
  of real samples in model range, or {}; one is drawn for each example of the
  batch.

  Args:
    net: flax.linen modules.
    prior: key -> z [dim].
    axis: mesh axis over which the batch is split, if it is.
  """
  net = Pair(*(module.clone(axis_name=axis) for module in net))
  mean, gather = make_means(axis)

  def logits(d, x, label):  # as in training
    return logits_of(apply_train(net.d, d.params, d.vars, x, label)[0])

  def slope(d, x, label):  # not so: one's gradient may see no other example
    tree = {'params': d.params, **d.vars}
    critic = lambda x: logits_of(net.d.apply(tree, x, label, train=False))
    return measures.mean_norm(input_gradient(critic, x))

  def generate(g, key, index, label):
    draws = keys.fold_examples(keys.stream(key, LATENTS), index)
    z = jax.vmap(prior)(draws)
    return apply_train(net.g, g.params, g.vars, z, label)[0]

  def samples(g, batch, key, held_out):
    """Real, fake and, if there are any, held-out samples."""
    real = {k: batch[k][-1] for k in ('x', 'label') if k in batch}
    fake = generate(g, key, batch['index'], real.get('label'))
    yield real  # of the step's last batch
    yield {**real, 'x': fake}
    if held_out:
      yield _draw(held_out, keys.stream(key, HELD_OUT), batch['index'])

  def probe(before: State, after: State, batch, key, held_out):
    key = keys.stream(key, keys.STEP, before.step)
    x, label = _stack([*samples(after.g, batch, key, held_out)])
    # Held-out samples are only judged.
    pair = x[:2], None if label is None else label[:2]
    judged = jax.vmap(lambda x, label: logits(after.d, x, label))(x, label)
    slopes = jax.vmap(lambda x, label: slope(after.d, x, label))(*pair)
    real, fake, *unseen = [gather(each) for each in judged]  # [B]
    on_real, on_fake = mean(slopes)
    apart = [
      measures.squared_distances(gather(each)[: measures.MOST])
      for each in pair[0]
    ]
    found = {
      'separation': measures.separation(real, fake),
      'real': real.mean(),
      'fake': fake.mean(),
      **({'held_out': unseen[0].mean()} if unseen else {}),
      'grad_real': on_real,
      'grad_fake': on_fake,
      'reach': measures.reach(
        real, fake, on_fake, measures.spread_of(apart[0])
      ),
      'diversity': measures.diversity(*apart),
      'update_ratio': update_ratio(before, after),
      'nonfinite': measures.count_nonfinite((after.g.params, after.d.params)),
    }
    return mean({f'{measures.PREFIX}{k}': v for k, v in found.items()})

  return probe


def update_ratio(before: State, after: State) -> jax.Array:
  """The share of its weights by which G moved, over that of D, []."""
  change = lambda player: measures.relative_change(
    getattr(before, player).params, getattr(after, player).params
  )
  return change('g') / jnp.maximum(change('d'), 1e-12)


def _stack(batches):
  """(samples [k, b, ...], labels [k, b] or None) of batches with the same."""
  stack = lambda name: jnp.stack([batch[name] for batch in batches])
  return stack('x'), stack('label') if 'label' in batches[0] else None


def _draw(held_out, key, index):
  """A held-out sample for each example [b] of the batch, with replacement."""
  size = len(held_out['x'])
  row = lambda key: jax.random.randint(key, (), 0, size)
  rows = jax.vmap(row)(keys.fold_examples(key, index))  # [b]
  return {k: v[rows] for k, v in held_out.items()}
