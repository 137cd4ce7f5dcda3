"""The same GANs in plain Flax: linen's own layers, one jitted step a call."""

import functools
import math
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

INIT = nn.initializers.normal(0.02)
LEAKY = functools.partial(nn.leaky_relu, negative_slope=0.2)
CONV = {
  'kernel_size': (4, 4),
  'strides': (2, 2),
  'padding': 'SAME',
  'kernel_init': INIT,
}


class MLP(nn.Module):
  """[B, ...] -> [B, sizes[-1]]."""

  sizes: tuple[int, ...]

  @nn.compact
  def __call__(self, x):
    for size in self.sizes[:-1]:
      x = nn.relu(nn.Dense(size)(x))
    return nn.Dense(self.sizes[-1])(x)


class Generator(nn.Module):
  """DCGAN's: [B, Z] -> [B, H, H, C] in [-1, 1]."""

  shape: tuple[int, ...]
  widths: tuple[int, ...]

  @nn.compact
  def __call__(self, z):
    base = self.shape[0] // 2 ** len(self.widths)
    size = base**2 * self.widths[0]
    x = nn.Dense(size, use_bias=False, kernel_init=INIT)(z)
    x = x.reshape(-1, base, base, self.widths[0])
    for i, width in enumerate((*self.widths[1:], self.shape[-1])):
      x = nn.relu(nn.BatchNorm(use_running_average=False, momentum=0.9)(x))
      last = i == len(self.widths) - 1
      x = nn.ConvTranspose(width, use_bias=last, **CONV)(x)
    return jnp.tanh(x)


class Discriminator(nn.Module):
  """DCGAN's: [B, H, H, C] -> [B, 1]."""

  widths: tuple[int, ...]
  norm: str

  @nn.compact
  def __call__(self, x):
    for i, width in enumerate(self.widths):
      has_norm = i > 0 and self.norm == 'batch'
      x = nn.Conv(width, use_bias=not has_norm, **CONV)(x)
      if has_norm:
        x = nn.BatchNorm(use_running_average=False, momentum=0.9)(x)
      x = LEAKY(x)
    return nn.Dense(1, kernel_init=INIT)(x.reshape(len(x), -1))


def networks(config: dict, shape: tuple) -> tuple[nn.Module, nn.Module]:
  """G and D of a config and the shape of a sample."""
  g, d = config['model']['g'], config['model']['d']
  if config['model']['name'] == 'mlp':
    assert g['activation'] == d['activation'] == 'relu'
    return MLP((*g['hidden'], math.prod(shape))), MLP((*d['hidden'], 1))
  return Generator(shape, g['widths']), Discriminator(d['widths'], d['norm'])


LOSSES = {  # name -> (D's loss, G's loss)
  'cross_entropy': (
    lambda real, fake: nn.softplus(-real).mean() + nn.softplus(fake).mean(),
    lambda fake: nn.softplus(-fake).mean(),
  ),
  'wasserstein': (
    lambda real, fake: fake.mean() - real.mean(),
    lambda fake: -fake.mean(),
  ),
}


class Train(NamedTuple):
  """What is trained: params, batch statistics, optimizer states, average."""

  step: jax.Array
  params: tuple  # of G and of D
  stats: tuple
  opt: tuple
  average: Any  # of G's params and statistics


def make_step(config: dict, nets: tuple, tx: tuple):
  """Returns step(train, real, key) -> (train, losses [2])."""
  (g, d), (tx_g, tx_d) = nets, tx
  d_loss, g_loss = LOSSES[config['loss']['name']]
  batch, dim = config['batch_size'], config['latent']['dim']

  def apply(net, params, stats, x):
    variables = {'params': params, **stats}
    return net.apply(variables, x, mutable=['batch_stats'])

  def squared_slope(params, stats, x):
    grad = jax.grad(lambda x: apply(d, params, stats, x)[0].sum())(x)
    return jnp.square(grad).reshape(batch, -1).sum(1)

  def gradient_penalty(params, stats, real, fake, key):
    shape = (batch,) + (1,) * (real.ndim - 1)
    x = real + jax.random.uniform(key, shape) * (fake - real)
    norm = jnp.sqrt(squared_slope(params, stats, x) + 1e-12)
    return 10 * jnp.square(norm - 1).mean()

  def d_objective(params, train, real, key):
    z_key, alpha_key = jax.random.split(key)
    z = jax.random.normal(z_key, (batch, dim))
    fake, _ = apply(g, train.params[0], train.stats[0], z)
    on_real, stats = apply(d, params, train.stats[1], real)
    on_fake, stats = apply(d, params, stats, fake)
    loss = total = d_loss(on_real, on_fake)
    if 'r1' in config['penalties']:
      gamma = config['penalties']['r1']['gamma']
      total += gamma / 2 * squared_slope(params, stats, real).mean()
    if 'gradient_penalty' in config['penalties']:
      total += gradient_penalty(params, stats, real, fake, alpha_key)
    return total, (loss, stats)

  def g_objective(params, d_params, train, key):
    fake, stats = apply(
      g, params, train.stats[0], jax.random.normal(key, (batch, dim))
    )
    on_fake, _ = apply(d, d_params, train.stats[1], fake)
    return g_loss(on_fake), stats

  def move(tx, grads, opt, params):
    updates, opt = tx.update(grads, opt, params)
    return optax.apply_updates(params, updates), opt

  def step(train, real, key):
    d_key, g_key = jax.random.split(key)
    g_params, d_params = train.params
    grads, (loss_d, d_stats) = jax.grad(d_objective, has_aux=True)(
      d_params, train, real, d_key
    )
    d_params, opt_d = move(tx_d, grads, train.opt[1], d_params)
    (loss_g, g_stats), grads = jax.value_and_grad(g_objective, has_aux=True)(
      g_params, d_params, train, g_key
    )
    g_params, opt_g = move(tx_g, grads, train.opt[0], g_params)
    halflife = jnp.minimum(
      1000 * config['ema']['halflife_kimg'],
      config['ema']['rampup'] * batch * (train.step + 1),
    )
    average = optax.incremental_update(
      (g_params, g_stats), train.average, 1 - 0.5 ** (batch / halflife)
    )
    new = Train(
      train.step + 1,
      (g_params, d_params),
      (g_stats, d_stats),
      (opt_g, opt_d),
      average,
    )
    return new, jnp.stack([loss_d, loss_g])

  return step


class Trainer:
  """A GAN and its data in memory, fed a batch at a time."""

  def __init__(self, config: dict, x):
    """x: the data in model range [N, H, W, C] or [N, D], a NumPy array."""
    self.x, self.batch_size = x, config['batch_size']
    nets = networks(config, x.shape[1:])
    tx = tuple(
      optax.adam(o['learning_rate'], b1=o['b1'])
      for o in (config['optim']['g'], config['optim']['d'])
    )
    key = jax.random.key(0)
    z = jnp.zeros((1, config['latent']['dim']))
    variables = [
      dict(jax.jit(net.init)(key, s))
      for net, s in zip(nets, (z, x[:1]), strict=True)
    ]
    params = tuple(v.pop('params') for v in variables)
    opt = tuple(t.init(p) for t, p in zip(tx, params, strict=True))
    average = jax.tree.map(jnp.copy, (params[0], variables[0]))
    self.train = Train(jnp.int32(0), params, tuple(variables), opt, average)
    self.key, self.rng, self.order = key, np.random.default_rng(0), iter(())
    self.step = jax.jit(make_step(config, nets, tx), donate_argnums=0)

  def batch(self):
    """The next batch of an epoch in random order; a short last one is left."""
    index = next(self.order, None)
    if index is None:
      number = len(self.x) // self.batch_size
      order = self.rng.permutation(len(self.x))[: number * self.batch_size]
      self.order = iter(order.reshape(number, self.batch_size))
      index = next(self.order)
    return self.x[index]

  def advance(self, n: int):
    """Takes n steps, sums up the losses, and waits for all that."""
    total = jnp.zeros(2)
    for _ in range(n):
      self.key, key = jax.random.split(self.key)
      self.train, losses = self.step(self.train, self.batch(), key)
      total += losses
    return jax.device_get(total)

  def num_params(self) -> tuple[int, int]:
    """Of G and of D."""
    return tuple(
      sum(p.size for p in jax.tree.leaves(tree)) for tree in self.train.params
    )
