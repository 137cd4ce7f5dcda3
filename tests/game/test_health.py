"""What is measured of a game's health, against what is known by hand."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import beginning, keys, latents, step
from gan_jax.game.health import measures, probe
from gan_jax.types import Player, State
from tests import tiny

RNG = np.random.default_rng(5)


def test_separation_is_the_area_under_the_roc_curve():
  from sklearn.metrics import roc_auc_score

  real = np.round(RNG.normal(1, 2, 40), 1).astype(np.float32)  # with ties
  fake = np.round(RNG.normal(0, 1, 30), 1).astype(np.float32)
  assert len(set(real) & set(fake)) > 3
  want = roc_auc_score([1] * 40 + [0] * 30, np.concatenate([real, fake]))
  assert float(measures.separation(real, fake)) == pytest.approx(want, abs=1e-6)
  ends = np.float32([3, 4]), np.float32([1, 2])
  assert float(measures.separation(*ends)) == 1
  assert float(measures.separation(*ends[::-1])) == 0
  assert float(measures.separation(ends[0], ends[0])) == 0.5
  # No loss's scale matters.
  assert measures.separation(7 * real - 2, 7 * fake - 2) == measures.separation(
    real, fake
  )
  assert np.isnan(measures.separation(np.append(real, np.nan), fake))


def distances(x):
  x = x.reshape(len(x), -1).astype(np.float64)
  return np.square(x[:, None] - x[None]).sum(-1)


def test_distances():
  x = RNG.normal(100, 1, (9, 2, 3)).astype(np.float32)  # far from the origin
  np.testing.assert_allclose(
    measures.squared_distances(jnp.asarray(x)), distances(x), atol=1e-4
  )
  spread = np.sqrt(distances(x)[~np.eye(9, dtype=bool)].mean())
  found = measures.spread_of(jnp.asarray(distances(x), jnp.float32))
  assert float(found) == pytest.approx(spread, rel=1e-5)


def test_samples_of_several_arrays_are_rows_of_all_their_numbers():
  tree = {'a': jnp.arange(6.0).reshape(2, 3), 'b': jnp.arange(2.0)}
  np.testing.assert_array_equal(
    measures.flat(tree), [[0, 1, 2, 0], [3, 4, 5, 1]]
  )
  assert float(measures.squared_distances(tree)[0, 1]) == pytest.approx(28)


def test_effective_number_is_the_vendi_score_of_order_two():
  """By its definition: the exponential of Renyi's entropy of K / n."""
  x, h = RNG.normal(size=(20, 3)), 0.8
  kernel = np.exp(-distances(x) / (2 * h**2))
  eigenvalues = np.linalg.eigvalsh(kernel / 20)
  want = np.exp(-np.log(np.square(eigenvalues).sum()))
  for unit in (1.0, 1e-4):
    squares = jnp.asarray(unit**2 * distances(x), jnp.float32)
    found = measures.effective_number(squares, unit * h)
    assert float(found) == pytest.approx(want, rel=1e-5)
  assert 1 < want < 20


def test_effective_number_counts():
  """Three groups far apart, of equal size, are three; alone each is itself."""
  groups = np.repeat([[0.0, 0], [50, 0], [0, 50]], 4, axis=0)
  of = lambda x: float(
    measures.effective_number(jnp.asarray(distances(x), jnp.float32), 1.0)
  )
  assert of(groups) == pytest.approx(3, rel=1e-6)
  assert of(groups[:4]) == 1
  assert of(RNG.normal(size=(12, 2)) * 1e4) == pytest.approx(12, rel=1e-4)


def ring(modes, n=256, std=0.01):
  angle = 2 * np.pi * np.arange(8) / 8
  centres = np.stack([np.cos(angle), np.sin(angle)], -1)[:modes]
  x = centres[np.arange(n) % modes] + std * RNG.normal(size=(n, 2))
  return measures.squared_distances(jnp.asarray(x, jnp.float32))


@pytest.mark.parametrize('modes', [1, 2, 4, 8])
def test_diversity_is_the_share_of_the_modes(modes):
  found = float(measures.diversity(ring(8), ring(modes)))
  assert found == pytest.approx(modes / 8, abs=0.02)


def test_diversity_has_no_unit():
  real, fake = ring(8), ring(3)
  once, again = (
    measures.diversity(real, fake),
    measures.diversity(100 * real, 100 * fake),
  )
  assert float(once) == pytest.approx(float(again), rel=1e-4)
  # All reals alike: nothing to compare with, but a number.
  assert float(measures.diversity(0 * real, 0 * fake)) == 1


def test_reach_is_a_distance_where_d_is_linear():
  """D(x) = a x: a fake has to go by the distance of the means, at any a."""
  real, fake = np.float32([4, 6]), np.float32([1, 1])
  for a in (0.5, 20):
    found = measures.reach(a * real, a * fake, jnp.float32(a), jnp.float32(2))
    assert float(found) == pytest.approx(4 / 2)
  # A D that is flat at the fakes: out of reach, but finite.
  flat = measures.reach(real, fake, jnp.float32(0), jnp.float32(2))
  assert 1e6 < float(flat) < np.inf


def test_norms_and_changes():
  before = {'a': jnp.float32([3.0, 0]), 'b': jnp.float32([[4.0]])}
  after = {'a': jnp.float32([3.0, 0.6]), 'b': jnp.float32([[4.8]])}
  assert float(measures.norm(before)) == 5
  change = float(measures.relative_change(before, after))
  assert change == pytest.approx(1.0 / 5)
  assert float(measures.relative_change(before, before)) == 0
  x = jnp.float32([[[3.0, 4.0]], [[0.0, 1.0]]])
  assert float(measures.mean_norm(x)) == pytest.approx(3)


def test_nonfinite_entries_are_counted():
  tree = {'a': np.float32([1, np.nan, np.inf]), 'b': np.float32([[-np.inf]])}
  assert float(measures.count_nonfinite(tree)) == 3
  assert float(measures.count_nonfinite({'a': np.ones(3)})) == 0


# The probe, on a game of which all is known.


class Shift(nn.Module):
  """G: z + w."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, z, label=None, *, train):
    return z + self.param('w', nn.initializers.zeros, (2,))[None]


class Slope(nn.Module):
  """D: a . x + the label."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    a = self.param('a', nn.initializers.ones, (2,))
    return x @ a + (0 if label is None else label)


def around(g, d):
  """States before and after a step in which the weights become g and d."""
  player = lambda **params: Player(params, {}, ())

  def state(at, g, d):
    players = {'g': player(w=jnp.float32(g)), 'd': player(a=jnp.float32(d))}
    return State(jnp.int32(at), players, {}, {})

  return state(6, [3, 4], [1, 0]), state(7, g, d)


def look(g, d, *, held_out=(), label=None):
  prior = latents.make_prior(dim=2)
  found = probe.make_probe(tiny.rules(g=Shift, d=Slope, prior=prior))
  x = RNG.normal(size=(2, 64, 2)).astype(np.float32)
  batch = {'x': jnp.asarray(x), 'index': np.arange(64), 'step': 6}
  if label is not None:
    batch['label'] = jnp.full((2, 64), label)
  key = jax.random.key(3)
  metrics = jax.jit(found)(*around(g, d), batch, key, dict(held_out))
  assert set(metrics) == {*probe.metric_names(held_out=bool(held_out))}
  draws = keys.fold_examples(keys.stream(key, keys.STEP, 6, 2), np.arange(64))
  fake = np.asarray(jax.vmap(prior)(draws)) + np.float32(g)
  found = {k.removeprefix('health_'): float(v) for k, v in metrics.items()}
  return found, x[-1], fake


def test_the_probe_looks_at_what_the_step_has_left():
  found, real, fake = look([3, 5], [0.6, 0.8])
  s = lambda x: x @ np.float32([0.6, 0.8])
  assert found['real'] == pytest.approx(s(real).mean(), abs=1e-5)
  assert found['fake'] == pytest.approx(s(fake).mean(), abs=1e-5)
  above = (s(real)[:, None] > s(fake)[None]).mean()
  assert found['separation'] == pytest.approx(above, abs=1e-6)
  assert found['grad_real'] == found['grad_fake'] == pytest.approx(1)
  # G moved by 1 of 5, D by sqrt(.4^2 + .8^2) of 1.
  assert found['update_ratio'] == pytest.approx(0.2 / np.sqrt(0.8), rel=1e-5)
  spread = np.sqrt(distances(real).sum() / (64 * 63))
  gap = s(real).mean() - s(fake).mean()
  assert found['reach'] == pytest.approx(gap / spread, rel=1e-4)
  assert found['nonfinite'] == 0 and 'held_out' not in found
  h = 0.25 * spread
  number = lambda x: 64**2 / np.exp(-distances(x) / h**2).sum()
  assert found['diversity'] == pytest.approx(
    number(fake) / number(real), rel=1e-4
  )


def test_the_ratio_of_updates_is_finite_where_d_stands_still():
  found, *_ = look([3, 5], [1, 0])
  assert found['update_ratio'] == pytest.approx(0.2e12, rel=1e-5)


def test_the_probe_looks_at_held_out_samples_with_their_labels():
  held_out = {'x': np.full((5, 2), 2.0, np.float32), 'label': np.arange(5) * 0}
  found, real, _ = look([0, 0], [1, 1], held_out=held_out, label=3)
  assert found['held_out'] == pytest.approx(4)
  assert found['real'] == pytest.approx(real.sum(-1).mean() + 3, abs=1e-5)
  held_out['label'] = np.full(5, 7)
  found, *_ = look([0, 0], [1, 1], held_out=held_out, label=3)
  assert found['held_out'] == pytest.approx(11)


def test_held_out_samples_are_drawn_anew_and_from_all():
  """D is the sample's number; the mean of 64 draws of 0 ... 99."""
  x = np.stack([np.arange(100), np.zeros(100)], -1).astype(np.float32)
  found, *_ = look([0, 0], [1, 1], held_out={'x': x})
  assert 35 < found['held_out'] < 65


def test_the_probe_counts_weights_that_are_not_finite():
  found, *_ = look([np.nan, 4], [1, np.inf])
  assert found['nonfinite'] == 2


def test_the_probe_draws_latents_of_its_own():
  """Else D would have learnt from these very fakes."""
  game = latents.make_prior(dim=2)
  key = keys.stream(jax.random.key(3), keys.STEP, 6)
  z = lambda move: np.asarray(
    jax.vmap(game)(keys.fold_examples(keys.stream(key, *move), np.arange(64)))
  )
  _, _, fake = look([0, 0], [1, 1])
  assert np.array_equal(fake, z([keys.LATENTS]))
  for move in ((keys.D_MOVE, 0), (keys.G_MOVE,)):
    assert np.abs(fake - z(move)).max() > 0.1


def test_batch_statistics_of_d_are_those_of_training():
  """D normalises: in training each batch has the mean zero."""

  class Normed(nn.Module):
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x, label=None, *, train):
      x = nn.BatchNorm(use_running_average=not train, momentum=0.5)(x)
      return x.sum(-1)

  game = tiny.rules(d=Normed)
  x = 5 + RNG.normal(size=(1, 16, 2)).astype(np.float32)
  batch = {'x': jnp.asarray(x), 'index': np.arange(16), 'step': 0}
  one = {
    k: v[:1] if k == 'index' else v for k, v in step.take(batch, 0).items()
  }
  key = jax.random.key(0)
  state = jax.jit(functools.partial(beginning.init, game))(key, one)
  found = jax.jit(probe.make_probe(game))(state, state, batch, key, {})
  assert abs(float(found['health_real'])) < 1e-4
  # The slope is that of the running averages, here still 0 and 1.
  slope = np.sqrt(2 / (1 + 1e-5))
  assert float(found['health_grad_real']) == pytest.approx(slope, rel=1e-5)
