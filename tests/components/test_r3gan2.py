"""R3GAN2's layers keep the variance; its recipe's rate and its noise."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.game import objectives, optim, schedules
from gan_jax.models import r3gan2
from gan_jax.models.layers import magnitude, resampling
from gan_jax.types import UserError
from tests.components import compiled
from tests.components.compiled import apply, close, image

KEY = jax.random.key(0)
LENGTHS = {magnitude.scaled: 50, magnitude.unit: 1}
WIDE = {'widths': (32, 64), 'group': 16, 'depth': 2}


def init(net, *inputs):
  """First variables by their laws: to initialise is a program of its own."""
  own = {'train': True} if hasattr(net, 'widths') else {}
  shapes = jax.eval_shape(functools.partial(net.init, **own), KEY, *inputs)
  laws, rng = {'part': np.zeros, 'gain': np.ones}, np.random.default_rng(1)

  def draw(path, x):
    of = laws.get(path[-1].key, lambda shape: rng.normal(size=shape))
    return jnp.asarray(of(x.shape), jnp.float32)

  return jax.tree_util.tree_map_with_path(draw, shapes)


def judge(net, *args):
  """What a network makes of variables and inputs."""
  return jax.jit(functools.partial(net.apply, train=True))(*args)


def opened(params):
  """Parameters of which every block adds its part, and noise is strong."""

  def of(path, x):
    return jnp.ones(x.shape) if path[-1].key == 'part' else x

  return jax.tree_util.tree_map_with_path(of, params)


def test_a_leaky_relu_of_normal_numbers_has_variance_1():
  y = np.asarray(magnitude.leaky_relu(image(1_000_000)))
  assert y.var() == pytest.approx(1, rel=5e-3)
  assert y.mean() > 0.3  # which centred weights take away


@pytest.mark.parametrize('shape', [(9, 4), (3, 3, 5, 6), (1, 4)])
def test_weights_are_centred_and_of_length_1(shape):
  weight = 3 + 5 * image(*shape)
  inputs = tuple(range(len(shape) - 1))
  own = magnitude.unit(weight)
  close(jnp.square(own).sum(inputs), jnp.ones(shape[-1]), atol=1e-3)
  if shape[0] > 1:
    close(own.mean(inputs), jnp.zeros(shape[-1]), atol=1e-6)
    close(own, magnitude.unit(magnitude.scaled(weight)), atol=1e-3)
  plain = magnitude.unit(weight, centred=False)
  ratio = plain / weight
  close(ratio, jnp.broadcast_to(ratio.mean(inputs), shape), atol=1e-6)


def test_a_weight_is_as_if_it_had_another_size_and_mean():
  run = lambda w: apply(
    magnitude.Linear(6), {'params': {'weight': w}}, image(2, 5), 1.0
  )
  weight = image(6, 6)
  close(run(7 * weight + 2), run(weight), atol=1e-3)
  slope = jax.grad(lambda w: jnp.square(run(w)).sum())(jnp.zeros((6, 6)))
  assert np.isfinite(slope).all()


def test_what_a_network_forces_back_changes_nothing_but_lengths():
  d = r3gan2.Discriminator(**WIDE)
  x = image(2, 16, 16, 3)
  variables = init(d, x)
  twice = jax.tree.map(lambda w: 2 * w, variables['params'])
  forced = r3gan2.project(twice)
  close(judge(d, {'params': forced}, x), judge(d, variables, x), atol=2e-3)
  layer = forced['block_0_0']['layer']['widen']['weight']
  close(jnp.square(layer).mean(0), jnp.ones(64), atol=1e-3)
  assert (forced['logits']['kernel'] == twice['logits']['kernel']).all()


def test_activations_have_variance_1():
  """At the start, and where each block adds to what comes in."""
  g = r3gan2.Generator(shape=(16, 16, 3), **WIDE)
  latent = jax.vmap(r3gan2.make_prior(dim=16))(jax.random.split(KEY, 32))
  first = init(g, latent)['params']
  run = jax.jit(
    functools.partial(
      g.apply, train=True, capture_intermediates=True, mutable=['intermediates']
    )
  )
  for opens, params in enumerate((first, opened(first))):
    x, seen = run({'params': params}, latent)
    for i, k in itertools.product(range(2), range(2)):
      y, variance = seen['intermediates'][f'block_{i}_{k}']['__call__'][0]
      least = 1 + (k + 1) * np.tanh(1) ** 2 * opens
      close(variance, least * jnp.ones(len(variance)))
      ratio = np.var(np.asarray(y), (0, 1, 2)) / least
      assert ratio.mean() == pytest.approx(1, abs=0.25), (opens, i, k)
    assert np.var(np.asarray(x)) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize('noisy', [False, True])
def test_a_bias_and_noise_are_inputs_beside_the_others(noisy):
  """Of a single pixel the convolution sees its own place alone."""
  net = magnitude.FeedForward(group=4, expansion=2, noisy=noisy)
  x, noise = image(3, 1, 1, 2), image(3, 1, 1, 1, seed=1)
  variables = init(net, x, noise)
  own = {
    name: magnitude.unit(layer[magnitude.WEIGHT])
    for name, layer in variables['params'].items()
  }
  beside = [jnp.ones_like(noise), noise][: 1 + noisy]
  y = jnp.concatenate([x, *beside], -1) @ own['widen']
  y = magnitude.leaky_relu(y) @ own['grouped'][1, 1]
  want = magnitude.leaky_relu(y) @ own['narrow']
  close(apply(net, variables, x, noise), want)


def test_a_block_begins_as_the_identity():
  d = r3gan2.Discriminator(**WIDE)
  block = r3gan2.block(d, jnp.float32, None, noisy=False)
  x, variance = image(2, 4, 4, 32), 2 * jnp.ones(32)
  variables = compiled.init(block, x, variance)
  y, after = apply(block, variables, x, variance)
  close(y, x)
  close(after, variance)


def test_a_grid_from_one_place_is_a_group_s_linear_map():
  layer = magnitude.Spread(group=3, grid=(2, 5))
  x = image(2, 6)
  variables = init(layer, x)
  y = apply(layer, variables, x)
  assert y.shape == (2, 2, 5, 6)
  moved = apply(layer, variables, x.at[:, :3].add(1))
  close(moved[..., 3:], y[..., 3:])
  weight = magnitude.unit(variables['params']['weight'])
  weight = weight.reshape(3, 2, 5, 2, 3)
  want = jnp.stack([x[:, :3], x[:, 3:]], 1)
  close(y, jnp.einsum('bni,ihwno->bhwno', want, weight).reshape(y.shape))


def test_both_players_are_set_back_after_an_update_and_d_is_clipped_last():
  model = select.model('r3gan2', shape=(8, 8, 1))
  clip = select.penalty('weight_clip')
  assert objectives.projections_of({'weight_clip': clip}, model) == {
    'g': [r3gan2.project], 'd': [r3gan2.project, clip.project],
  }  # fmt: skip
  plain = select.model('dcgan', shape=(8, 8, 1))
  assert objectives.projections_of({}, plain) == {'d': []}


@pytest.mark.parametrize('channels, features', [(4, 4), (4, 2), (2, 4), (6, 3)])
def test_channels_are_spread_over_squares_and_gathered(channels, features):
  x = image(2, 3, 5, channels)
  y = resampling.spread(x, features)
  assert y.shape == (2, 6, 10, features)
  close(jnp.var(y), jnp.var(x))  # each number is repeated as often
  close(resampling.gathered(y, channels), x)
  if features == channels:
    close(y, resampling.doubled(x))
    close(resampling.gathered(y, features), resampling.halved(y))


def test_widths_that_no_square_holds_are_refused():
  with pytest.raises(UserError, match='12 pixels .* by 5 channels'):
    resampling.spread(image(1, 2, 2, 5), 3)
  d = r3gan2.Discriminator(widths=(6, 6), group=5)
  with pytest.raises(UserError, match='group=5: a block of 12 channels'):
    d.init(KEY, image(1, 8, 8, 3), train=True)


def test_noise_is_an_examples_own():
  g = r3gan2.Generator(shape=(8, 8, 1), widths=(4, 4), group=2, depth=1)
  z = image(2, 3)
  keys = jnp.array([[1, 2], [1, 3]], jnp.uint32)
  params = opened(init(g, {'z': z, 'noise': keys})['params'])
  run = lambda **latent: judge(g, {'params': params}, latent)
  both = run(z=z, noise=keys)
  close(run(z=z[1:], noise=keys[1:]), both[1:])
  again = run(z=z, noise=keys.at[1, 1].set(2))
  close(again[0], both[0])
  assert np.abs(again[1] - both[1]).max() > 1e-3
  assert np.abs(run(z=z) - both).max() > 1e-3  # without noise


def test_classes_begin_alike_and_of_any_length():
  embed = {norm: r3gan2.layers(norm).embed(3, 50) for norm in LENGTHS}
  for norm, layer in embed.items():
    table = r3gan2.alike(KEY, (3, 50))
    variables = {'params': {'embedding': table}}
    vectors = apply(layer, variables, jnp.arange(3))
    close(vectors[0], vectors[2])
    close(jnp.square(vectors).sum(1), LENGTHS[norm] * jnp.ones(3), atol=1e-3)


def test_grey_is_seen():
  d = r3gan2.Discriminator(**WIDE)
  variables = init(d, image(1, 16, 16, 3))
  grey = jnp.ones((1, 16, 16, 3)) * image(1, 16, 16, 1)
  one, other = (judge(d, variables, x) for x in (grey, 0 * grey))
  assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize('shape', [(8, 8, 1), (24, 9, 2), (30, 50, 4)])
def test_images_of_any_size_in_half_precision(shape):
  small = {'widths': (8, 4), 'group': 4, 'depth': 1, 'dtype': jnp.bfloat16}
  g = r3gan2.Generator(shape=shape, **small)
  d = r3gan2.Discriminator(**small)
  run = lambda key: (
    g.init_with_output(key, jnp.ones((2, 4)), train=True)[0],
    d.init_with_output(key, jnp.ones((2, *shape)), train=True)[0],
  )
  images, logits = jax.eval_shape(run, KEY)
  assert images.shape == (2, *shape) and logits.shape == (2,)
  assert images.dtype == logits.dtype == jnp.float32


def test_the_rate_falls_with_the_root():
  rate = schedules.root_decay(2.0, steps=100, warmup=200)
  want = {0: 0.0, 50: 0.5, 100: 1.0, 200: 2 / 2**0.5, 400: 1.0, 10_000: 0.2}
  for step, value in want.items():
    assert rate(step) == pytest.approx(value)
  rate = schedules.root_decay(2.0, steps=100, alpha=0.1)
  want = {0: 2.0, 50: 1.1, 100: 0.2, 400: 0.1}
  for step, value in want.items():
    assert rate(step) == pytest.approx(value)
  schedule = {'name': 'gan_jax.game.schedules.root_decay', 'steps': 4}
  tx = optim.make_optimizer('sgd', learning_rate=0.5, schedule=schedule)
  moved, _ = tx.update({'w': jnp.ones(1)}, tx.init({'w': jnp.ones(1)}))
  assert moved['w'] == pytest.approx(-0.5)
