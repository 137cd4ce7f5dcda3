"""SpecGAN: statistics, sounds by NumPy, counts, a step."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import specgan
from gan_jax.models.layers import parts, stages
from gan_jax.types import UserError
from tests.components import test_encoder_models
from tests.components.compiled import apply, close
from tests.components.conformance import game_of
from tests.components.shipped import SHIPPED
from tests.components.test_encoder_models import KEY, started
from tests.components.test_spectrograms import SIZES, noise, sound, spectrum

T = 128  # 8 frames of 16 bins
SMALL = {'g': {'widths': (4, 3), **SIZES}, 'd': {'widths': (3, 4)}}


def generator(**fields):
  return specgan.Generator(
    shape=(T, 1), **{'widths': (4, 3), **SIZES, **fields}
  )


def begun(g, z):
  return jax.jit(lambda: g.init(KEY, z, train=False))()


def logs(x):
  """Logarithms of magnitudes [B, frames, bins] of sounds [B, T, 1]."""
  each = [spectrum(one, **SIZES)[:, :-1] for one in x[..., 0]]
  return np.log(np.abs(each) + 1e-6)


def scaled(x, mean, deviation):
  return np.clip((x - mean) / (3 * deviation), -1, 1)


def test_statistics_are_those_of_the_batches_seen():
  g, z = generator(), noise(4, 5)
  x = [noise(4, T, 1, seed=i) * (i + 1) for i in range(3)]
  variables = begun(g, z)
  assert variables['statistics']['scale']['updates'] == 0
  for i in range(3):
    (real, _), new = apply(
      g, variables, z, train=True, real=x[i], mutable=['statistics']
    )
    variables = {**variables, **new}
    seen = np.concatenate([logs(each) for each in x[: i + 1]])
    mean, deviation = seen.mean((0, 1)), seen.std((0, 1))
    close(real, scaled(logs(x[i]), mean, deviation), atol=1e-4)
  kept = variables['statistics']['scale']
  assert kept['updates'] == 3
  close(kept['mean'], mean, atol=1e-5)
  close(kept['square'], (seen**2).mean((0, 1)), atol=1e-5)
  # In evaluation mode they are as they are kept, whatever is shown.
  (real, _), new = apply(
    g, variables, z, train=False, real=9 * x[0], mutable=['statistics']
  )
  close(real, scaled(logs(9 * x[0]), mean, deviation), atol=1e-4)
  assert jax.tree.all(
    jax.tree.map(np.array_equal, new['statistics'], variables['statistics'])
  )


def test_a_step_counts_the_batch_of_g_once():
  """D's batch is not among it; G's is cut in two."""
  made, state, batch = game_of(
    (T, 1), model={'name': 'specgan', **SMALL}, microbatches=2
  )
  x = jnp.stack([batch['x'], batch['x'] / 3])
  after, _ = jax.jit(made.step)(state, {**batch, 'x': x}, KEY)
  kept = after.players['g'].vars['statistics']['scale']
  want = logs(np.asarray(x[1]))
  assert kept['updates'] == 1
  close(kept['mean'], want.mean((0, 1)))
  close(kept['square'], (want**2).mean((0, 1)))
  assert jax.tree.all(
    jax.tree.map(
      np.array_equal, after.ema['g']['vars'], after.players['g'].vars
    )
  )
  for player in 'gd':
    pair = (s.players[player].params for s in (state, after))
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), *pair)
    assert jax.tree.all(moved), moved


def test_a_bin_that_is_always_alike():
  g, z = generator(), noise(2, 5)
  silent = np.zeros((2, T, 1), np.float32)
  (real, _), new = apply(
    g, begun(g, z), z, train=True, real=silent, mutable=['statistics']
  )
  assert np.abs(real).max() < 0.01
  made = apply(g, {**begun(g, z), **new}, z, train=False)
  assert np.abs(made).max() < 1e-4


def test_sounds_are_those_of_its_spectrograms():
  g, z = generator(rounds=2), noise(3, 5)
  variables, x = begun(g, z), noise(3, T, 1)
  rng = np.random.default_rng(0)
  mean, deviation = rng.uniform(-1, 0, 16), rng.uniform(0.2, 0.9, 16)
  variables['statistics']['scale'] |= {
    'mean': jnp.float32(mean),
    'square': jnp.float32(deviation**2 + mean**2),
  }
  variables['params'] = jax.tree.map(lambda a: 3 * a, variables['params'])
  _, drawn = apply(g, variables, z, train=False, real=x)
  assert drawn.shape == (3, 8, 16) and np.abs(drawn).max() > 0.3
  loud = np.exp(3 * np.asarray(drawn) * deviation + mean)
  loud = np.pad(loud, ((0, 0), (0, 0), (0, 1)))
  made = apply(g, variables, z, train=False)
  assert made.shape == (3, T, 1)
  for k in range(3):
    y = sound(loud[k].astype(complex), T, **SIZES)
    for _ in range(2):
      angle = np.angle(spectrum(y, **SIZES))
      y = sound(loud[k] * np.exp(1j * angle), T, **SIZES)
    np.testing.assert_allclose(made[k, :, 0], np.clip(y, -1, 1), 0, 1e-3)


def test_no_sound_is_louder_than_the_window():
  g = generator()
  made = jax.jit(lambda x: g.apply({}, x, method='_sounds'))
  at = lambda value: made(jnp.full((1, 8, 16), value))
  np.testing.assert_array_equal(at(60.0), at(float(np.log(16))))
  assert np.abs(at(60.0)).max() <= 1


# --------------------------------------------------------- counts and shapes

D = 64
WIDTHS = [16 * D, 8 * D, 4 * D, 2 * D, D, 1]
KERNELS = [25 * a * b for a, b in zip(WIDTHS, WIDTHS[1:], strict=False)]
GOLDEN = {  # by hand: dense to 4 x 4 x 16 d, five stages of 5 x 5
  'g': (100 + 1) * 16 * 16 * D + sum(KERNELS) + sum(WIDTHS[1:]),
  'd': sum(KERNELS) + sum(WIDTHS[:-1]) + 16 * 16 * D + 1,
}


def game(nets=SMALL, length=T, **changed):
  return test_encoder_models.game_of(
    'specgan', shape=(length, 1), nets=nets, **changed
  )


def test_golden_parameter_counts():
  made, batch = game({'g': {}, 'd': {}}, 16384, dim=100)
  state = jax.eval_shape(lambda: started(made, batch))
  count = lambda player: sum(a.size for a in jax.tree.leaves(player.params))
  assert {k: count(p) for k, p in state.players.items()} == GOLDEN


@pytest.mark.parametrize('norm', ['batch', 'spectral', 'none'])
@pytest.mark.parametrize(
  'length, window, hop', [(4, 4, 2), (100, 8, 3), (1024, 256, 128)]
)
def test_any_length_norm_and_label(length, window, hop, norm):
  own = {'window': window, 'hop': hop, 'norm': norm, 'dtype': jnp.bfloat16}
  g = specgan.Generator(shape=(length, 1), num_classes=3, **own)
  d = specgan.Discriminator(num_classes=3, norm=norm, dtype=jnp.bfloat16)
  label, z = jnp.zeros(2, int), jnp.ones((2, 5))

  def run():
    x = jnp.ones((2, length, 1))
    pair, g_vars = g.init_with_output(KEY, z, label, train=True, real=x)
    logits, d_vars = d.init_with_output(KEY, pair[1], label, train=True)
    return pair, g.apply(g_vars, z, label, train=False), logits, d_vars

  (real, fake), x, logits, _ = jax.eval_shape(run)
  assert real.shape == fake.shape == (2, -(-length // hop), window // 2)
  assert x.shape == (2, length, 1) and logits.shape == (2,)
  kinds = {a.dtype for a in (real, fake, x, logits)}
  assert kinds == {np.dtype('float32')}


class Grown(nn.Module):
  shape: tuple[int, ...]

  @nn.compact
  def __call__(self, z):
    part = parts.make_parts('none', train=False, dtype=jnp.float32)
    return stages.grown(part, z, shape=self.shape, widths=(3, 2), taps=(5, 5))


def test_the_centre_of_a_grid_is_kept():
  whole, cut = Grown((8, 8, 1)), Grown((5, 7, 1))
  z = noise(2, 3)
  variables = jax.jit(lambda: whole.init(KEY, z))()
  want = apply(whole, variables, z)[:, 1:6, :7]
  np.testing.assert_array_equal(apply(cut, variables, z), want)


@pytest.mark.parametrize(
  'frames, bins, count', [(128, 128, 5), (64, 128, 4), (8, 128, 2), (2, 2, 1)]
)
def test_default_widths(frames, bins, count):
  widths = specgan.default_widths(frames, bins)
  assert widths == (64, 128, 256, 512, 1024)[:count]


@pytest.mark.parametrize(
  'shape, fields, line',
  [
    ((8, 8, 1), {}, r'shape \(8, 8, 1\); it makes sounds \(T, 1\)'),
    ((64, 2), {}, r'shape \(64, 2\); it makes sounds'),
    ((31, 1), {}, 'model.g.window=32: expected 31 at most, the moments'),
    ((64, 1), {'window': 31}, 'window=31: expected an even number, 4 or'),
    ((64, 1), {'window': 2}, 'window=2: expected an even number, 4 or'),
    ((64, 1), {'hop': 17}, 'hop=17: expected 1 to 16, half of a window'),
    ((64, 1), {'hop': 0}, 'hop=0: expected 1 to 16, half of a window'),
    ((64, 1), {'rounds': -1}, 'model.g.rounds=-1: expected 0 or more'),
    ((64, 1), {'widths': (4,) * 5}, '5 widths for 4 frames of 16 bins; give'),
  ],
)
def test_what_it_cannot_make(shape, fields, line):
  g = specgan.Generator(shape=shape, **{'widths': (4, 3), **SIZES, **fields})
  with pytest.raises(UserError, match=line):
    jax.eval_shape(lambda: g.init(KEY, jnp.ones((2, 3)), train=True))


@pytest.mark.parametrize(
  'shape, line',
  [
    ((2, 64, 1), r'judges spectrograms .* not samples \[2, 64, 1\]'),
    ((2, 4, 16), '5 widths for 4 frames of 16 bins; give 1 to 4'),
  ],
)
def test_what_it_cannot_judge(shape, line):
  d = specgan.Discriminator(widths=(4,) * 5)
  with pytest.raises(UserError, match=line):
    jax.eval_shape(lambda: d.init(KEY, jnp.ones(shape), train=True))


@pytest.mark.parametrize('name', sorted(SHIPPED['penalties']))
def test_penalties_take_spectrograms(name):
  """Shapes only: what is traced is what a run would compile."""
  model = {'name': 'specgan', **SMALL}
  game_of((T, 1), num_classes=2, model=model, penalties={name: {}})


def test_pictures_alone_are_mirrored():
  model, augment = {'name': 'specgan', **SMALL}, {'name': 'flip'}
  with pytest.raises(UserError, match='augment.name=flip: expected images'):
    game_of((T, 1), model=model, augment=augment)
