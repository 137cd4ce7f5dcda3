"""WaveGAN: published counts, its layers, phase shuffle."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import wavegan
from gan_jax.models.layers import convolutions, phases, waves
from gan_jax.types import UserError
from tests.components.compiled import close
from tests.components.conformance import game_of
from tests.components.shipped import SHIPPED

Z = 100


def nets(length, *, channels=1, g=None, d=None, **common):
  shape = (length, channels)
  return (
    wavegan.Generator(shape=shape, **(g or {}), **common),
    wavegan.Discriminator(**(d or {}), **common),
  )


def shapes(pair, length, channels=1, label=None):
  g, d = pair
  key, x = jax.random.key(0), jnp.ones((2, length, channels))
  return jax.eval_shape(
    lambda: (
      g.init_with_output(key, jnp.ones((2, Z)), label, train=True),
      d.init_with_output(key, x, label, train=True),
    )
  )


def count(variables):
  return sum(a.size for a in jax.tree.leaves(variables['params']))


# Of the authors' code at 16384, and of the same rule with a stage fewer.
GOLDEN = {
  16384: (19_065_345, 17_427_969),
  8192: (5_957_633, 4_319_745),
  4096: (5_130_241, 4_311_553),
}


@pytest.mark.parametrize('length', GOLDEN)
def test_golden_parameter_counts(length):
  (sound, g), (logits, d) = shapes(nets(length), length)
  assert sound.shape == (2, length, 1) and logits.shape == (2,)
  assert (count(g), count(d)) == GOLDEN[length]


@pytest.mark.parametrize('length, channels', [(4, 1), (30, 3), (1000, 2)])
@pytest.mark.parametrize('norm', ['batch', 'spectral', 'none'])
def test_any_length_norm_and_label(length, channels, norm):
  fields = {'norm': norm}
  pair = nets(
    length, channels=channels, g=fields, d={**fields, 'phase_shuffle': 0},
    num_classes=3, dtype=jnp.bfloat16,
  )  # fmt: skip
  (sound, g), (logits, d) = shapes(pair, length, channels, jnp.zeros(2, int))
  assert sound.shape == (2, length, channels) and logits.shape == (2,)
  assert sound.dtype == logits.dtype == jnp.float32
  assert {a.dtype for a in jax.tree.leaves((g, d))} == {np.dtype('float32')}


@pytest.mark.parametrize('padding', ['SAME', 'VALID'])
@pytest.mark.parametrize('taps, stride', [(25, 4), (5, 2), (3, 4)])
def test_one_convolution_and_a_reshape_is_a_transposed_one(
  taps, stride, padding
):
  rng = np.random.default_rng(0)
  x = rng.normal(size=(2, 7, 1, 3)).astype(np.float32)
  kernel = rng.normal(size=(taps, 1, 3, 5)).astype(np.float32)
  given = (x, kernel, (stride, 1), padding)
  lax = jax.lax.conv_transpose(*given, dimension_numbers=phases.LAYOUT)
  close(phases.conv_transpose(*given), lax)
  close(convolutions.conv_transpose(*given), lax)


def test_where_there_is_no_cpu_nothing_is_dilated():
  """https://github.com/jax-ml/jax/issues/23783."""
  x, kernel = np.ones((2, 7, 1, 3)), np.ones((25, 1, 3, 5))
  run = lambda x, k: convolutions.conv_transpose(x, k, (4, 1))
  text = str(jax.make_jaxpr(run)(x, kernel))
  assert 'conv_general_dilated' in text and 'lhs_dilation=(4' not in text


def rolled(x, shift):
  """NumPy's: x [T, C] later by `shift`, mirrored at the edge."""
  padded = np.pad(x, ((2, 2), (0, 0)), 'reflect')
  return padded[2 - shift : 2 - shift + len(x)]


def test_shuffles_as_numpy():
  x = np.random.default_rng(0).normal(size=(5, 9, 2)).astype(np.float32)
  by = np.array([-2, -1, 0, 1, 2])
  moved = waves.shuffle(jnp.asarray(x), jnp.asarray(by), radius=2)
  for k in range(5):
    np.testing.assert_array_equal(moved[k], rolled(x[k], by[k]))


def test_shifts_are_an_examples_own_or_the_batchs():
  keys = jax.random.split(jax.random.key(1), 400)
  at = lambda step: waves.draws({'key': keys, 'step': jnp.int32(step)})
  shift = lambda drawn, layer, by: np.asarray(
    waves.shifts(drawn, layer, radius=2, by=by)
  )
  own = [shift(at(0), layer, 'example') for layer in (0, 1)]
  assert (np.bincount(own[0] + 2, minlength=5) > 50).all()
  assert (own[0] != own[1]).any()
  for layer in (0, 1):
    alike = [set(shift(at(step), layer, 'batch')) for step in range(30)]
    assert all(len(values) == 1 for values in alike)
    assert set.union(*map(set, alike)) == {-2, -1, 0, 1, 2}
  with pytest.raises(UserError, match="shuffle_by='layer': expected one of"):
    shift(at(0), 0, 'layer')


def test_a_shuffled_sound_is_judged_by_its_own_draws():
  _, d = nets(64, d={'widths': (4, 4)})
  x = np.random.default_rng(0).normal(size=(3, 64, 1)).astype(np.float32)
  params = d.init(jax.random.key(0), x, train=False)
  judge = jax.jit(lambda s: d.apply(params, s, train=True))
  drawn = lambda u: jnp.full((3, 2, waves.MOST), u)
  plain = judge(jnp.asarray(x))
  still = np.asarray(judge((jnp.asarray(x), drawn(0.5))))
  np.testing.assert_allclose(plain, still, rtol=1e-5)
  mixed = drawn(0.5).at[1].set(0.0)
  moved = np.asarray(judge((jnp.asarray(x), mixed)))
  assert moved[0] == pytest.approx(still[0], rel=1e-5)
  assert abs(moved[1] - still[1]) > 1e-4


@pytest.mark.parametrize(
  'shape, fields, line',
  [
    ((8, 8, 1), {}, r'shape \(8, 8, 1\); it makes sounds'),
    ((2, 1), {}, r'shape \(2, 1\)'),
    ((64, 1), {'widths': (4,) * 4}, '4 widths for 64 moments; each'),
    ((64, 1), {'phase_shuffle': 16}, 'phase_shuffle=16: expected 0 to 15'),
    ((64, 1), {'phase_shuffle': -1}, 'phase_shuffle=-1: expected 0 to 15'),
  ],
)
def test_what_it_cannot_make(shape, fields, line):
  d = wavegan.Discriminator(**{'widths': (4, 4), **fields})
  with pytest.raises(UserError, match=line):
    jax.eval_shape(
      lambda: d.init(jax.random.key(0), jnp.ones((2, *shape)), train=True)
    )


@pytest.mark.parametrize('name', sorted(SHIPPED['penalties']))
def test_penalties_take_sounds_with_their_draws(name):
  """Shapes only: what is traced is what a run would compile."""
  model = {'name': 'wavegan', 'g': {'widths': (4, 4)}, 'd': {'widths': (4, 4)}}
  game_of((64, 1), num_classes=2, model=model, penalties={name: {}})
