"""StyleGAN2 beside a network of PyTorch with the same weights."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import stylegan2
from tests.components import by_torch
from tests.components.styles_by_torch import (
  CLASSES,
  F,
  drawn,
  grouped,
  kernels,
  leaky,
  linear,
  mapped,
  oihw,
  torch,
)

SHAPE, Z = (8, 11, 3), 5
LABEL = np.array([0, 2, 1, 0])
BATCH = len(LABEL)
SMALL = {'channel_base': 64, 'channel_max': 8, 'mapping_layers': 2}


def smoothed(x, pads, gain=1.0):
  taps = torch.tensor([1.0, 3, 3, 1], dtype=x.dtype) / 8
  kernel = gain * torch.outer(taps, taps)
  kernel = kernel.expand(x.shape[1], 1, 4, 4)
  a, b = pads
  return F.conv2d(F.pad(x, (a, b, a, b)), kernel, groups=x.shape[1])


def doubled(x):
  b, c, h, w = x.shape
  x = torch.stack([x, torch.zeros_like(x)], -1).reshape(b, c, h, 2 * w)
  x = torch.stack([x, torch.zeros_like(x)], -2).reshape(b, c, 2 * h, 2 * w)
  return smoothed(x, (2, 1), 4)


def doubling(kernel, style, x):
  """A grouped transposed convolution, smoothed."""
  b, c, h, w = x.shape
  each = kernels(kernel, style).flip(3, 4).transpose(1, 2)
  flat = each.reshape(b * c, -1, *each.shape[3:])
  y = F.conv_transpose2d(x.reshape(1, -1, h, w), flat, stride=2, groups=b)
  return smoothed(y.reshape(b, -1, *y.shape[2:]), (1, 1), 4)


def styled(p, x, w, noise, up=False):
  style = linear(p['affine'], w)
  plain = lambda *args: grouped(*args, padding=1)
  x = (doubling if up else plain)(p['kernel'], style, x)
  x = x + p['noise_strength'] * noise[:, None]
  return leaky(x + p['bias'][:, None, None])


def to_image(p, x, w):
  style = linear(p['affine'], w) / math.sqrt(x.shape[1])
  x = grouped(p['kernel'], style, x, padding=0, demodulate=False)
  return x + p['bias'][:, None, None]


def g_by_torch(params, latent):
  w = mapped(params['mapping'], LABEL, latent['z'])
  p, noise = params['synthesis'], latent['noise']
  x = p['constant'].permute(0, 3, 1, 2).expand(BATCH, -1, -1, -1)
  x = styled(p['conv_0'], x, w, noise[0])
  image = to_image(p['image_0'], x, w)
  x = styled(p['up_1'], x, w, noise[1], up=True)
  x = styled(p['conv_1'], x, w, noise[2])
  image = doubled(image) + to_image(p['image_1'], x, w)
  return image[..., : SHAPE[1]].permute(0, 2, 3, 1)  # of 12 columns


def conv(p, x, **kw):
  kernel = oihw(p['kernel'])
  gain = 1 / math.sqrt(math.prod(kernel.shape[1:]))
  return F.conv2d(x, gain * kernel, p.get('bias'), **kw)


def with_deviation(x, group):
  groups = x.reshape(-1, group, *x.shape[1:])
  spread = torch.sqrt(groups.var(1, unbiased=False) + 1e-8).mean((1, 2, 3))
  each = spread.repeat_interleave(group)[:, None, None, None]
  return torch.cat([x, each.expand(-1, 1, *x.shape[2:])], 1)


def d_by_torch(p, images, architecture):
  image = images.permute(0, 3, 1, 2)
  residual = architecture == 'resnet'
  x = before = leaky(conv(p['image_0'], image))
  down = p['down_1']
  x = leaky(conv(down['conv_0'], x, padding=1))
  x = leaky(conv(down['conv_1'], smoothed(x, (2, 2)), stride=2))
  if residual:
    short = conv(down['shortcut'], smoothed(before, (1, 1))[..., ::2, ::2])
    x = math.sqrt(0.5) * (x + short)
  if architecture == 'skip':
    image = smoothed(image, (1, 1))[..., ::2, ::2]
    x = x + leaky(conv(p['image_1'], image))
  x = leaky(conv(p['conv'], with_deviation(x, 2), padding=1))
  x = leaky(linear(p['dense'], x.permute(0, 2, 3, 1).reshape(BATCH, -1)))
  out = linear(p['logits'], x)
  return (out * mapped(p['embed'], LABEL)).sum(1) / math.sqrt(out.shape[1])


def test_a_generator_is_pytorchs():
  g = stylegan2.Generator(shape=SHAPE, features=6, num_classes=CLASSES, **SMALL)
  prior = stylegan2.make_prior(SHAPE, dim=Z)
  latent = jax.vmap(prior)(jax.random.split(jax.random.key(1), BATCH))
  latent = jax.tree.map(np.asarray, latent)
  make = lambda key: g.init(key, latent, LABEL, train=True)
  params = drawn(jax.eval_shape(make, jax.random.key(0))['params'])

  def ours(params, latent):
    average = jnp.zeros(6)
    variables = {'params': params, 'averages': {'average': {'value': average}}}
    return g.apply(variables, latent, LABEL, train=True)

  by_torch.compare(ours, g_by_torch, params, latent)


@pytest.mark.parametrize('architecture', stylegan2.ARCHITECTURES)
def test_a_discriminator_is_pytorchs(architecture):
  d = stylegan2.Discriminator(
    architecture=architecture, group=2, num_classes=CLASSES, **SMALL
  )
  images = by_torch.drawn(jnp.zeros((BATCH, *SHAPE)), seed=1, scale=1.0)
  make = lambda key: d.init(key, images, LABEL, train=True)
  params = drawn(jax.eval_shape(make, jax.random.key(0))['params'])
  by_torch.compare(
    lambda params, images: d.apply({'params': params}, images, LABEL, train=1),
    lambda params, images: d_by_torch(params, images, architecture),
    params,
    images,
  )


def test_networks_as_the_benchmarks_train_them_are_ours():
  """Styles scale what is convolved there, not the kernels; no classes."""
  theirs = by_torch.networks('stylegan2')
  weights, shape = by_torch.networks('weights').Weights, (8, 8, 3)
  g = stylegan2.Generator(shape=shape, features=6, **SMALL)
  d = stylegan2.Discriminator(group=2, **SMALL)
  draw = stylegan2.make_prior(shape, dim=Z)
  latent = jax.vmap(draw)(jax.random.split(jax.random.key(1), BATCH))
  latent = jax.tree.map(np.asarray, latent)
  images = by_torch.drawn(jnp.zeros((BATCH, *shape)), seed=1, scale=1.0)
  average = {'averages': {'average': {'value': jnp.zeros(6)}}}
  own = {'shape': shape, 'mapping_layers': 2}
  planes = lambda x: x.permute(0, 3, 1, 2)

  def g_by_torch(params, latent):
    w = weights(params)
    return theirs.generator(w, latent, None, **own).permute(0, 2, 3, 1)

  def d_by_torch(params, images):
    w, x = weights(params), planes(images)
    return theirs.discriminator(w, x, None, None, group=2, **own)

  for net, inputs, more, by in (
    (g, latent, average, g_by_torch),
    (d, images, {}, d_by_torch),
  ):
    begin = lambda key, net=net, x=inputs: net.init(key, x, train=True)
    params = drawn(jax.eval_shape(begin, jax.random.key(0))['params'])
    ours = lambda params, x, net=net, more=more: net.apply(
      {'params': params, **more}, x, train=True
    )
    by_torch.compare(ours, by, params, inputs)
