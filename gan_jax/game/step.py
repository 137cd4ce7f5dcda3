"""The pure update of a GAN: (state, batch, key) -> (state, metrics).

Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661), Algorithm 1: D moves,
then G. Everything static is closed over by the `make_` functions; what they
return is pure and knows no device. With `axis`, the name of a mesh axis over
which the batch is split, the same function serves `pmap` and `shard_map`.

A batch is {'x': [n, b, ...], 'label': [n, b] or absent, 'index': [b]}: n
batches of real samples in model range, and which examples of the global batch
these b are.
"""

import inspect
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from gan_jax.game import ema, keys
from gan_jax.types import Pair, Player, State

D_MOVE, G_MOVE = range(2)  # streams of random numbers within a step


def logits_of(output) -> jax.Array:
  """D's logits [B] in float32; D may return them in a dict of heads."""
  logits = output['logits'] if isinstance(output, dict) else output
  return logits.astype(jnp.float32)


def apply_train(net, params, variables, x, label):
  """Applies a network in training mode -> (output, new variables)."""
  return net.apply(
    {'params': params, **variables},
    x,
    label,
    train=True,
    mutable=list(variables),
  )


def make_init(
  net: Pair, penalties: dict, tx: Pair, *, prior: Callable
) -> Callable:
  """Returns init(key, label [1] or None) -> State at step 0, for one seed."""

  def player(module, optimizer, key, x, label):
    variables = dict(module.init(key, x, label, train=False))
    params = variables.pop('params')
    return Player(params, variables, optimizer.init(params))

  def init(key, label=None):
    g_key, d_key = jax.random.split(keys.stream(key, keys.INIT))
    z = prior(key)[None]  # [1, dim]: only its shape matters
    g = player(net.g, tx.g, g_key, z, label)
    sample = net.g.apply({'params': g.params, **g.vars}, z, label, train=False)
    d = player(net.d, tx.d, d_key, sample, label)
    # Copied: a buffer may not be donated twice.
    average = jax.tree.map(jnp.copy, {'params': g.params, 'vars': g.vars})
    memo = {name: p.init() for name, p in penalties.items()}
    return State(jnp.int32(0), g, d, average, memo)

  return init


def make_means(axis: str | None) -> tuple[Callable, Callable]:
  """Returns (mean, gather) over the devices that share a batch.

  The mean is applied to the loss inside the differentiated function and to the
  gradients after it: only both together are right under jit, pmap and
  shard_map alike. `gather` gives every device the logits of the global batch,
  so that losses which compare a logit with a batch mean do not depend on the
  number of devices.
  """
  if axis is None:
    return (lambda tree: tree), (lambda x: x)
  return (
    lambda tree: jax.lax.pmean(tree, axis),
    lambda x: jax.lax.all_gather(x, axis, tiled=True),
  )


class Game(NamedTuple):
  """What the updates close over: the players, the rules, the mean."""

  net: Pair  # flax.linen modules
  loss: Any  # .d_loss and .g_loss, both [B], [B] -> [B]
  penalties: dict  # select.Penalty by name
  tx: Pair  # optax optimizers
  prior: Callable  # key -> z [dim]
  decay: Callable  # step -> weight of the old average of G
  mean: Callable  # over the devices that share a batch
  gather: Callable  # the logits of all of them


def make_updates(
  net: Pair,
  loss,
  penalties: dict,
  tx: Pair,
  *,
  prior: Callable,
  decay: Callable,
  axis: str | None = None,
) -> Pair:
  """Returns Pair(g, d) of update(state, batch, key) -> (state, metrics).

  The arguments are those of Game; `axis` is the mesh axis over which the batch
  is split, if it is. The updates take one batch: {'x': [b, ...], 'label': [b],
  'index': [b]}; the metrics are scalars [].
  """
  net = Pair(*(module.clone(axis_name=axis) for module in net))
  penalties = {name: _on_axis(p, axis) for name, p in penalties.items()}
  game = Game(net, loss, penalties, tx, prior, decay, *make_means(axis))
  return Pair(partial(g_update, game), partial(d_update, game))


def _on_axis(penalty, axis):
  """Tells the axis to a penalty that looks at the batch as a whole."""
  function = penalty.penalty
  if (
    function is None
    or 'axis_name' not in inspect.signature(function).parameters
  ):
    return penalty
  return penalty._replace(penalty=partial(function, axis_name=axis))


def generate(game, g, params, batch, key):
  """Fake samples [b, ...], one for each example, and G's new variables."""
  z = jax.vmap(game.prior)(keys.fold_examples(key, batch['index']))
  return apply_train(game.net.g, params, g.vars, z, batch.get('label'))


def judge(game, params, variables, real, fake, label):
  """D's logits [b], [b] of real and fake samples, and D's new variables."""
  real_out, variables = apply_train(game.net.d, params, variables, real, label)
  fake_out, variables = apply_train(game.net.d, params, variables, fake, label)
  return logits_of(real_out), logits_of(fake_out), variables


def penalise(game, critic, memo, real, fake, key, index):
  """The penalties' means by name, and their new memos."""
  values, memo = {}, dict(memo)
  for name, p in game.penalties.items():
    if p.penalty is not None:
      # A stream by name: adding a penalty leaves the others' draws alone.
      own = jax.random.fold_in(key, zlib.crc32(name.encode()) & 0x7FFFFFFF)
      own = keys.fold_examples(own, index)
      value, memo[name] = p.penalty(critic, real, fake, memo[name], key=own)
      values[f'penalty_{name}'] = value.mean()
  return values, memo


def d_update(game, state, batch, key):
  """One update of D on one batch of real samples and as many fakes."""
  d, real, label = state.d, batch['x'], batch.get('label')
  fake, _ = generate(game, state.g, state.g.params, batch, key)
  fake = jax.lax.stop_gradient(fake)

  def objective(params):
    real_logits, fake_logits, variables = judge(
      game, params, d.vars, real, fake, label
    )
    # Not in training mode: an example's gradient may see no other example.
    critic = lambda x: logits_of(
      game.net.d.apply({'params': params, **variables}, x, label, train=False)
    )
    values, memo = penalise(
      game, critic, state.memo, real, fake, key, batch['index']
    )
    loss = game.loss.d_loss(
      game.gather(real_logits), game.gather(fake_logits)
    ).mean()
    metrics = {
      'd_loss': loss,
      'd_real': real_logits.mean(),
      'd_fake': fake_logits.mean(),
      **values,
    }
    total = game.mean(sum(values.values(), loss))
    return total, (variables, memo, metrics)

  grads, aux = jax.grad(objective, has_aux=True)(d.params)
  grads, (variables, memo, metrics) = game.mean((grads, aux))
  d = _move(d, grads, game.tx.d, variables)
  for p in game.penalties.values():
    if p.project is not None:
      d = d._replace(params=p.project(d.params))
  return state._replace(d=d, memo=memo), metrics


def g_update(game, state, batch, key):
  """One update of G, and of its moving average; counts the step."""
  g, d = state.g, state.d

  def objective(params):
    fake, variables = generate(game, g, params, batch, key)
    real_logits, fake_logits, _ = judge(
      game, d.params, d.vars, batch['x'], fake, batch.get('label')
    )
    loss = game.loss.g_loss(
      game.gather(real_logits), game.gather(fake_logits)
    ).mean()
    return game.mean(loss), (variables, {'g_loss': loss})

  grads, aux = jax.grad(objective, has_aux=True)(g.params)
  grads, (variables, metrics) = game.mean((grads, aux))
  g = _move(g, grads, game.tx.g, variables)
  step = state.step + 1
  average = ema.update(state.ema, g.params, g.vars, game.decay(step))
  return state._replace(step=step, g=g, ema=average), metrics


def _move(player, grads, optimizer, variables):
  updates, opt = optimizer.update(grads, player.opt, player.params)
  return Player(optax.apply_updates(player.params, updates), variables, opt)


def metric_names(penalties: dict) -> tuple[str, ...]:
  """Names of what a step measures, whichever way its moves are composed.

  Args:
    penalties: select.Penalty by name.
  """
  values = [f'penalty_{k}' for k, p in penalties.items() if p.penalty]
  return ('d_loss', 'd_real', 'd_fake', *values, 'g_loss')


def _select(batch, i):
  """The i-th of the n batches; they share the examples' indices."""
  return {k: v if k == 'index' else v[i] for k, v in batch.items()}


def alternating(update: Pair, *, d_steps: int = 1) -> Callable:
  """D moves d_steps times, each on its own batch; then G on the last one.

  The batch holds d_steps batches, or one more if G is to meet real samples
  that D has not just met (relativistic losses; Jolicoeur-Martineau 2018,
  https://arxiv.org/abs/1807.00734). The D moves are not a loop of XLA: on CPU
  a convolution within one is many times slower, and they are few.
  """

  def step(state, batch, key):
    key = keys.stream(key, keys.STEP, state.step)
    for i in range(d_steps):
      move = keys.stream(key, D_MOVE, i)
      state, d_metrics = update.d(state, _select(batch, i), move)
    move = keys.stream(key, G_MOVE)
    state, g_metrics = update.g(state, _select(batch, -1), move)
    return state, {**d_metrics, **g_metrics}

  return step


def simultaneous(update: Pair) -> Callable:
  """Both players move from the same state (Mescheder et al. 2017,
  https://arxiv.org/abs/1705.10461, Section 2)."""

  def step(state, batch, key):
    key = keys.stream(key, keys.STEP, state.step)
    first = _select(batch, 0)
    moved_d, d_metrics = update.d(state, first, keys.stream(key, D_MOVE, 0))
    moved_g, g_metrics = update.g(
      state, _select(batch, -1), keys.stream(key, G_MOVE)
    )
    state = moved_g._replace(d=moved_d.d, memo=moved_d.memo)
    return state, {**d_metrics, **g_metrics}

  return step
