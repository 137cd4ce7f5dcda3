"""ADA's gates against their chances, its draws against the published laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.augment import ada
from gan_jax.augment.shared import color, corruption, geometry, wavelets
from gan_jax.augment.shared.draws import Draws, Numbers

KEYS = jax.random.split(jax.random.key(3), 4)
RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(9, 12, 3)).astype(np.float32)  # [H, W, C]
GRAY = IMAGE[..., :1]
TAPS = np.array(wavelets.SYM6) / np.sqrt(2)


def frozen(**values):
  """Draws that are these values, and neutral otherwise."""

  def draw(name, sampler, neutral):
    like = sampler(Numbers(jnp.zeros(2), jnp.zeros(2)))
    value = jnp.asarray(values.get(name, neutral), jnp.float32)
    return jnp.broadcast_to(value, like.shape)

  return draw


# Gates and draws.

ALL = tuple(ada.GROUPS)
STRENGTHS = dict.fromkeys(ada._TRANSFORMS, 1.0)


def test_the_two_turns_leave_an_image_alone_with_probability_1_minus_p():
  chances = ada.chances_of(0.3, STRENGTHS | {'rotate': 0.5})
  alone = np.prod([1 - chances[name] for name in geometry.ROTATIONS])
  assert alone == pytest.approx(1 - 0.15, rel=1e-6)
  assert {chances[name] for name in corruption.FILTERS} == {0.3}
  beyond = ada.chances_of(2.0, STRENGTHS)
  assert all(beyond[name] >= 1 for name in beyond)
  assert len(beyond) == 15 - 2 + 2 + 4


@pytest.fixture(scope='module')
def drawn():
  """What many samples draw, {transform: values [N, 2]}; NaN: a closed gate."""
  chances = ada.chances_of(0.4, STRENGTHS)
  both = lambda n: jnp.stack([n.uniform[0], n.normal[0]])

  @jax.jit
  @jax.vmap
  def run(key):
    draw = Draws(key, chances)
    return {name: draw(name, both, jnp.nan) for name in chances}

  return chances, jax.device_get(run(jax.random.split(jax.random.key(7), 4000)))


def test_gates_are_open_as_often_as_they_should(drawn):
  """Four standard deviations of a binomial distribution."""
  chances, values = drawn
  for name, chance in chances.items():
    share = np.isfinite(values[name][:, 0]).mean()
    bound = 4 * np.sqrt(chance * (1 - chance) / 4000)
    assert abs(share - chance) < bound, name


def test_gates_and_draws_of_transforms_are_independent(drawn):
  _, values = drawn
  gates = np.stack([np.isfinite(v[:, 0]) for v in values.values()]).astype(
    float
  )
  apart = np.corrcoef(gates) - np.eye(len(gates))
  assert np.abs(apart).max() < 4.5 / np.sqrt(4000)
  for name, drawn_values in values.items():
    uniform, normal = drawn_values[np.isfinite(drawn_values[:, 0])].T
    assert abs(uniform.mean() - 0.5) < 4 / np.sqrt(12 * len(uniform)), name
    assert abs(normal.mean()) < 4 / np.sqrt(len(normal)), name
    assert abs(normal.std() - 1) < 4 / np.sqrt(2 * len(normal)), name


RANGES = {  # name: (draw of, mean, standard deviation) of an open gate
  'xflip': (0.5, 0.5),
  'rotate90': (1.5, np.sqrt(1.25)),
  'xint': (0.0, 0.25 / np.sqrt(12)),
  'rotate_before': (0.0, 2 * np.pi / np.sqrt(12)),
  'xfrac': (0.0, 0.125),
  'brightness': (0.0, 0.2),
  'lumaflip': (0.5, 0.5),
  'hue': (0.0, 2 * np.pi / np.sqrt(12)),
  'noise': (0.0, 0.1),
  'cutout': (0.5, 1 / np.sqrt(12)),
}
LOGS = {'scale': 0.2, 'aniso': 0.2, 'contrast': 0.5, 'saturation': 1.0}
LOGS['imgfilter_2'] = 1.0


def test_transforms_draw_from_the_published_distributions():
  """Means and spreads of what is drawn where all gates are open."""
  chances = dict.fromkeys(ada.chances_of(1.0, STRENGTHS), 1.0)

  @jax.jit
  @jax.vmap
  def run(key):
    seen, own = {}, Draws(key, chances)

    def draw(name, sampler, neutral):
      seen[name] = own(name, sampler, neutral)
      return seen[name]

    for group in (geometry.blit, geometry.geom):
      group(draw, 8, 8)
    color.matrix(draw, channels=3)
    corruption.taps(draw)
    corruption.noisy(jnp.zeros((1, 1, 1)), draw, key)
    corruption.cut(jnp.zeros((1, 1, 1)), draw)
    return {k: v.reshape(-1)[0] for k, v in seen.items()}

  n = 3000
  values = run(jax.random.split(jax.random.key(1), n))
  assert set(values) == set(chances)
  wanted = RANGES | {k: (0.0, std) for k, std in LOGS.items()}
  for name, (mean, std) in wanted.items():
    x = np.log2(values[name]) if name in LOGS else np.asarray(values[name])
    assert abs(x.mean() - mean) < 4.5 * std / np.sqrt(n), name
    assert x.std() == pytest.approx(std, rel=0.08), name
  whole = np.unique(values['rotate90'])
  np.testing.assert_array_equal(whole, [0, 1, 2, 3])


# The whole pipeline.


def shown(x, p, **options):
  run = lambda x, p: ada.apply(x, (), key=KEYS, p=p, **options)
  return np.asarray(jax.jit(run)(x, p))


def test_it_is_the_groups_in_their_order():
  """Each group alone, one after another, with the draws of the whole."""
  x = jnp.asarray(RNG.normal(size=(4, 9, 12, 3)), jnp.float32)
  whole = shown(x, 0.8, groups=ALL)
  chances = ada.chances_of(0.8, STRENGTHS)
  for i, key in enumerate(KEYS):
    of_gates, of_noise = jax.random.split(key)
    draw = Draws(of_gates, chances)
    maps = geometry.blit(draw, 9, 12) @ geometry.geom(draw, 9, 12)
    y = color.change(geometry.warp(x[i], maps), color.matrix(draw, channels=3))
    y = corruption.filtered(y, corruption.taps(draw))
    y = corruption.cut(corruption.noisy(y, draw, of_noise), draw)
    np.testing.assert_allclose(whole[i], y, atol=1e-4)
  assert np.abs(whole - x).max() > 0.1


def test_nothing_happens_at_0_and_groups_that_are_left_out_do_not():
  x = jnp.asarray(RNG.normal(size=(4, 8, 8, 1)), jnp.float32)
  np.testing.assert_allclose(shown(x, 0.0), x, atol=1e-5)
  cut = shown(x, 1.0, groups='cutout')
  assert ((cut == x) | (cut == 0)).all() and (cut == 0).any()
