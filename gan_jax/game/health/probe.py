"""Probes one step: measures how the game is going without influencing it.

measures.py defines the measures, this file the samples. Everything is measured
after the step, on the networks that it produced: on the real samples that D has
just trained on, on fakes that it has not seen, and, where the data set holds
some out, on real samples that it never trains on.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gan_jax.game import keys as keys_lib
from gan_jax.game.forward import Game, Networks, heads_of, with_key
from gan_jax.game.gradients import input_gradient
from gan_jax.game.health import measures
from gan_jax.types import D, G, State

NAMES = (
  'separation', 'real', 'fake', 'grad_real', 'grad_fake', 'reach', 'diversity',
  'update_ratio', 'nonfinite',
)  # fmt: skip


def metric_names(*, held_out: bool) -> tuple[str, ...]:
  """Names of the measures, with or without held-out samples."""
  names = (*NAMES, 'held_out') if held_out else NAMES
  return tuple(f'{measures.PREFIX}{name}' for name in names)


def make_probe(game: Game) -> Callable:
  """Returns probe(before, after, batch, key, held_out) -> metrics [].

  before and after are the States around a step; batch is the step's batch; key
  is the seed's root key. held_out is {'x': [H, ...], 'label': [H]} of real
  samples in model range, or {}; one is drawn for each example of the batch.
  """
  mean, gather = game.mean, game.gather

  def logits(networks, x, label):  # as in training
    return heads_of(networks.run(D, x, label))['logits']

  def slope(networks, x, label):  # evaluation mode: samples do not mix
    critic = lambda x: heads_of(networks.net(D, x, label))['logits']
    return measures.mean_norm(input_gradient(critic, x))

  def probe(before: State, after: State, batch, key, held_out):
    key = keys_lib.stream(key, keys_lib.STEP, before.step)
    x, label = _stack([*_shown(game, after, batch, key, held_out)])
    pair = _pair(x), _pair(label)  # held-out samples only get logits
    # New Networks for each call: none sees variables that another has updated.
    fresh = lambda: Networks(game, after)
    judged = jax.vmap(lambda x, label: logits(fresh(), x, label))(x, label)
    slopes = jax.vmap(lambda x, label: slope(fresh(), x, label))(*pair)
    real, fake, *unseen = [gather(each) for each in judged]  # [B]
    on_real, on_fake = mean(slopes)
    apart = [
      measures.squared_distances(gather(each)[: measures.MOST])
      for each in jax.vmap(measures.flat)(pair[0])
    ]
    params = {name: p.params for name, p in after.players.items()}
    spread = measures.spread_of(apart[0])
    measured = {
      'separation': measures.separation(real, fake),
      'real': real.mean(),
      'fake': fake.mean(),
      **({'held_out': unseen[0].mean()} if unseen else {}),
      'grad_real': on_real,
      'grad_fake': on_fake,
      'reach': measures.reach(real, fake, on_fake, spread),
      'diversity': measures.diversity(*apart),
      'update_ratio': update_ratio(before, after),
      'nonfinite': measures.count_nonfinite(params),
    }
    return mean({f'{measures.PREFIX}{k}': v for k, v in measured.items()})

  return probe


def _shown(game, state, batch, key, held_out):
  """What D sees of the step's last batch: real, fake, and held out if any."""
  latent_keys = keys_lib.fold_examples(
    keys_lib.stream(key, keys_lib.LATENTS), batch['index']
  )
  latent = jax.vmap(game.prior)(latent_keys)
  last = jax.tree.map(lambda v: v[-1], {k: batch[k] for k in _own(batch)})

  def play(examples):
    networks = Networks(game, state)
    whole = with_key({**batch, **examples}, latent_keys)
    return game.play(networks.run, networks.net, whole, latent)[:2]

  real, fake = play(last)
  yield {**last, 'x': real}
  yield {**last, 'x': fake}
  if held_out:
    unseen = _draw(
      held_out, keys_lib.stream(key, keys_lib.HELD_OUT), batch['index']
    )
    yield {**unseen, 'x': play(unseen)[0]}


def _own(batch):
  """Names of the batch's entries with a leading axis n."""
  return [name for name in ('x', 'label') if name in batch]


def _pair(tree):
  """The first two entries: of the real and of the fake samples."""
  return jax.tree.map(lambda x: x[:2], tree)


def update_ratio(before: State, after: State) -> jax.Array:
  """G's relative change of its weights over D's, []."""
  change = lambda player: measures.relative_change(
    before.players[player].params, after.players[player].params
  )
  return change(G) / jnp.maximum(change(D), 1e-12)


def _stack(batches):
  """(samples [k, b, ...], labels [k, b] or None) of k batches."""
  stack = lambda name: jax.tree.map(
    lambda *leaves: jnp.stack(leaves), *(batch[name] for batch in batches)
  )
  return stack('x'), stack('label') if 'label' in batches[0] else None


def _draw(held_out, key, index):
  """A held-out sample for each example [b] of the batch, with replacement."""
  size = len(held_out['x'])
  row = lambda key: jax.random.randint(key, (), 0, size)
  rows = jax.vmap(row)(keys_lib.fold_examples(key, index))  # [b]
  return {k: v[rows] for k, v in held_out.items()}
