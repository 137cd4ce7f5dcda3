"""StyleGAN2: noise, styles, truncation, sizes, refusals."""

import jax
import jax.numpy as jnp
import pytest

from gan_jax.models import stylegan2
from gan_jax.types import UserError
from tests.components.compiled import close, image

SMALL = {'channel_base': 1024, 'channel_max': 6, 'mapping_layers': 1}
KEY = jax.random.key(0)


def latents_of(shape, count=2, dim=5):
  prior = stylegan2.make_prior(shape, dim=dim)
  return jax.vmap(prior)(jax.random.split(KEY, count))


@pytest.mark.parametrize(
  'shape, first, styles',
  [
    ((4, 4, 1), (4, 4), 2),
    ((8, 16, 3), (4, 8), 4),
    ((28, 28, 1), (4, 4), 8),
    ((30, 45, 4), (4, 6), 8),
    ((1024, 1024, 3), (4, 4), 18),
  ],
)
def test_images_of_any_size_and_a_picture_of_noise_for_each_layer(
  shape, first, styles
):
  g = stylegan2.Generator(shape=shape, features=4, **SMALL)
  d = stylegan2.Discriminator(**SMALL)
  latent = jax.eval_shape(lambda: latents_of(shape))
  assert len(latent['noise']) == styles - 1
  assert latent['noise'][0].shape == (2, *first)
  x, variables = jax.eval_shape(
    lambda z: g.init_with_output(KEY, z, train=True), latent
  )
  assert x.shape == (2, *shape)
  assert variables['params']['synthesis']['constant'].shape[1:3] == first
  logits, _ = jax.eval_shape(
    lambda x: d.init_with_output(KEY, x, train=True), x
  )
  assert logits.shape == (2,)


@pytest.fixture(scope='module')
def small():
  """(a generator, its variables, latents)."""
  g = stylegan2.Generator(shape=(8, 8, 3), features=4, **SMALL)
  latent = latents_of((8, 8, 3))
  variables = jax.jit(lambda z: g.init(KEY, z, train=False))(latent)
  strong = lambda path, x: (
    x + 1 if path[-1].key == 'noise_strength' else x
  )  # at first it is 0
  params = jax.tree_util.tree_map_with_path(strong, variables['params'])
  return g, {**variables, 'params': params}, latent


def test_noise_is_part_of_the_latent(small):
  g, variables, latent = small
  run = jax.jit(lambda z: g.apply(variables, z, train=False))
  quiet = {**latent, 'noise': jax.tree.map(jnp.zeros_like, latent['noise'])}
  x, still = run(latent), run(quiet)
  close(run(latent), x, 0)
  assert float(jnp.abs(x - still).max()) > 0.01
  close(run(latent['z']), still)


def test_styles_may_differ_between_layers(small):
  g, variables, latent = small
  z, noise = latent['z'], latent['noise']
  call = lambda method, *args: g.apply(
    variables, *args, train=False, method=method
  )
  ws = call('styles', z)
  assert ws.shape == (2, 4, 4)
  x = g.apply(variables, latent, train=False)
  close(call('images', ws, noise), x)
  mixed = jnp.concatenate([ws[:, :2], ws[::-1, 2:]], axis=1)
  assert float(jnp.abs(call('images', mixed, noise) - x).max()) > 1e-3


def test_training_mixes_styles_where_the_latent_says_so(small):
  """From one layer on those of the other z; elsewhere they are never mixed."""
  g, variables, latent = small
  other = jnp.flip(latent['z'], 0)
  at = jnp.array([0.4, 1.0])  # of four layers: from the second + 1 on; never
  mixed = {**latent, 'mixed': {'z': other, 'at': at}}
  call = lambda latent, train: g.apply(
    variables, latent, train=train, mutable='averages'
  )
  ws = g.apply(variables, mixed, method='training_styles')
  styles = lambda z: g.apply(variables, z, method='training_styles')
  one, two = styles(latent['z']), styles(other)
  close(ws[0], jnp.concatenate([one[0, :2], two[0, 2:]]), 0)
  close(ws[1], one[1], 0)
  x, after = call(mixed, True)
  noise = latent['noise']
  close(x, g.apply(variables, ws, noise, train=True, method='images'))
  plain, of_plain = call(latent, True)
  assert float(jnp.abs(x - plain)[0].max()) > 1e-3
  close(x[1], plain[1])
  # The average w is that of the first z; samples know one z alone.
  jax.tree.map(lambda a, b: close(a, b, 0), after, of_plain)
  close(call(mixed, False)[0], call(latent, False)[0], 0)


def test_where_styles_are_mixed():
  """Each of the layers but the first alike, in that share of examples."""
  shape, layers, count = (16, 16, 1), 6, 4000
  each = jax.random.split(KEY, count)
  draw = lambda mixing: jax.jit(
    jax.vmap(stylegan2.make_prior(shape, dim=3, mixing=mixing))
  )(each)
  made, plain = draw(0.75), draw(None)
  at = made['mixed']['at']
  starts = 1 + jnp.floor((layers - 1) * at).astype(int)
  shares = jnp.bincount(starts, length=layers + 1) / count
  close(shares[jnp.array([0, layers])], jnp.array([0, 0.25]), 0.03)
  close(shares[1:layers], jnp.full(5, 0.15), 0.03)
  # A second z draws from a stream of its own.
  assert set(plain) == {'z', 'noise'}
  same = {'z': made['z'], 'noise': made['noise']}
  jax.tree.map(lambda a, b: close(a, b, 0), plain, same)
  both = jnp.corrcoef(made['mixed']['z'][:, 0], made['z'][:, 0])
  assert abs(float(both[0, 1])) < 0.1


@pytest.mark.parametrize('mixing', [-0.1, 1.5, 'often', True])
def test_a_probability_of_mixing_is_one(mixing):
  with pytest.raises(UserError, match=r'latent\.mixing=.*a probability'):
    stylegan2.make_prior((8, 8, 1), mixing=mixing)


def test_the_average_style_moves_in_training_and_truncates_elsewhere(small):
  g, variables, latent = small
  mean = image(4, seed=3)
  variables = {**variables, 'averages': {'average': {'value': mean}}}
  styles = lambda net, train: net.apply(
    variables, latent['z'], train=train, method='styles', mutable='averages'
  )
  ws, after = styles(g, True)
  wanted = 0.998 * mean + 0.002 * ws[:, 0].mean(0)
  close(after['averages']['average']['value'], wanted, 1e-6)
  close(styles(g, False)[0], ws)
  half, after = styles(g.clone(truncation=0.5), False)
  close(half, (ws + mean[None, None]) / 2)
  close(after['averages']['average']['value'], mean, 0)
  close(styles(g.clone(truncation=0.5), True)[0], ws)


def test_styles_depend_on_the_class_and_on_z():
  g = stylegan2.Generator(shape=(4, 4, 1), features=4, num_classes=3, **SMALL)
  latent, label = latents_of((4, 4, 1)), jnp.array([0, 2])
  variables = jax.jit(lambda z: g.init(KEY, z, label, train=False))(latent)
  styles = jax.jit(
    lambda z, label: g.apply(variables, z, label, train=False, method='styles')
  )
  z = latent['z']
  ws = styles(z, label)
  for other in (styles(z, label[::-1]), styles(-z, label)):
    assert (jnp.abs(ws - other) > 1e-3).any((1, 2)).all()


def test_first_images_have_the_power_of_their_layers():
  g = stylegan2.Generator(
    shape=(8, 8, 3), channel_max=32, features=32, mapping_layers=2
  )
  z = image(8, 32)
  x, _ = jax.jit(lambda z: g.init_with_output(KEY, z, train=False))(z)
  assert 0.3 < float(jnp.square(x).mean()) < 10


@pytest.mark.parametrize(
  'net, x, says',
  [
    (
      stylegan2.Generator(shape=(3, 8, 1)),
      jnp.zeros((2, 4)),
      r'samples of shape \(3, 8, 1\).*of 4 pixels or more',
    ),
    (
      stylegan2.Discriminator(channel_base=4),
      jnp.zeros((2, 8, 8, 1)),
      'channel_base=4, channel_max=512: a grid of 8 pixels',
    ),
    (
      stylegan2.Discriminator(architecture='deep'),
      jnp.zeros((2, 8, 8, 1)),
      "architecture 'deep': expected one of resnet, skip, orig",
    ),
  ],
)
def test_refusals(net, x, says):
  with pytest.raises(UserError, match=says):
    jax.eval_shape(lambda x: net.init(KEY, x, train=True), x)
