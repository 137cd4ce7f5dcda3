"""Moving averages of G: half-life, powers, what is averaged, after the fact."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from gan_jax.game import ema, ema_posthoc
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError


def weight_of_the_first(decay, steps):
  """Weight that the start has in the average after some steps."""
  average = {'params': jnp.ones(()), 'vars': {}}
  for step in range(1, steps + 1):
    average = ema.update(average, jnp.zeros(()), {}, decay(step))
  return float(average['params'])


@pytest.mark.parametrize('batch_size', [1, 50, 500, 1000])
def test_half_is_left_after_the_half_life(batch_size):
  decay = ema.make_decay(halflife_kimg=1.0, rampup=0.0, batch_size=batch_size)
  steps = 1000 // batch_size
  if steps > 50:  # one by one it would take long
    assert float(decay(1)) ** steps == pytest.approx(0.5, rel=1e-3)
    return
  assert weight_of_the_first(decay, steps) == pytest.approx(0.5, rel=1e-4)
  assert weight_of_the_first(decay, 2 * steps) == pytest.approx(0.25, rel=1e-4)


@pytest.mark.parametrize('rampup', [0.05, 0.5])
def test_warm_up(rampup):
  batch_size, halflife = 50, 1000
  decay = ema.make_decay(
    halflife_kimg=halflife / 1000, rampup=rampup, batch_size=batch_size
  )
  for step in (1, 2, 10, 39, 40, 400, 401, 10_000):
    least = min(halflife, rampup * batch_size * step)
    want = 0.5 ** (batch_size / least)
    assert float(decay(jnp.int32(step))) == pytest.approx(want, rel=1e-5)
  # A product of 0.5 ** (1 / (rampup * step)): the start is soon forgotten.
  want = 0.5 ** (sum(1 / step for step in range(1, 11)) / rampup)
  assert weight_of_the_first(decay, 10) == pytest.approx(want, rel=1e-3)


@pytest.mark.parametrize('batch_size', [1, 64])
def test_without_averaging_the_average_is_g(batch_size):
  decay = ema.make_decay(halflife_kimg=0.0, batch_size=batch_size)
  for step in (1, 1000):
    assert float(decay(jnp.int32(step))) == 0
  new = {'w': jnp.array([1 / 3])}
  average = {'params': {'w': jnp.array([1e6])}, 'vars': {}}
  found = ema.update(average, new, {}, decay(1))['params']
  assert (found['w'] == new['w']).all()


def test_statistics_are_averaged_and_spectral_vectors_copied():
  def tree(value):
    return {'w': jnp.full(2, value), 'v': {'b': jnp.full((1, 2), value)}}

  average = {
    'params': tree(1.0),
    'vars': {'batch_stats': tree(2.0), 'spectral': tree(3.0)},
  }
  variables = {'batch_stats': tree(20.0), 'spectral': tree(30.0)}
  found = ema.update(average, tree(10.0), variables, 0.75)
  assert jax.tree.structure(found) == jax.tree.structure(average)
  for leaf in jax.tree.leaves(found['params']):
    np.testing.assert_allclose(leaf, 0.75 * 1 + 0.25 * 10, rtol=1e-6)
  for leaf in jax.tree.leaves(found['vars']['batch_stats']):
    np.testing.assert_allclose(leaf, 0.75 * 2 + 0.25 * 20, rtol=1e-6)
  for leaf in jax.tree.leaves(found['vars']['spectral']):
    assert (leaf == 30).all()


def test_an_average_of_the_same_stays_the_same():
  same = {'w': jnp.array([0.1, 1e-20, 3e20])}
  average = {'params': same, 'vars': {}}
  for decay in (0.0, 0.3, 0.999):
    found = ema.update(average, same, {}, decay)['params']
    assert (found['w'] == same['w']).all()


@pytest.mark.parametrize('kwargs', [{'halflife_kimg': -1.0}, {'rampup': -0.1}])
def test_mistakes_are_named(kwargs):
  with pytest.raises(UserError, match=f'{next(iter(kwargs))}=-'):
    ema.make_decay(**kwargs, batch_size=64)


# By a power of time.


@pytest.mark.parametrize('sigma', [0.01, 0.05, 0.1, 0.2, 0.28])
def test_the_exponent_is_the_largest_root(sigma):
  """Also when it is traced; by the width of t^gamma, which is a beta law."""
  gamma = float(jax.jit(ema.exponent)(sigma))
  assert gamma == pytest.approx(ema_posthoc.exponent(sigma), rel=1e-5, abs=1e-5)
  assert scipy.stats.beta(gamma + 1, 1).std() == pytest.approx(sigma, rel=1e-4)


@pytest.mark.parametrize('sigma', [0.05, 0.2])
def test_the_weights_are_a_power_of_time(sigma):
  """Of EDM2's equation: step k of n counts as its share of t^gamma."""
  (decay,) = ema.make_power(sigma=sigma, batch_size=64)
  n = 200
  each = np.float64(jax.vmap(decay)(jnp.arange(1, n + 1)))
  weights = (1 - each) * np.append(np.cumprod(each[::-1])[::-1][1:], 1)
  assert each[0] == 0 and weights.sum() == pytest.approx(1, rel=1e-5)
  # Between two steps, the power is the integral of t^gamma to first order.
  gamma = ema_posthoc.exponent(sigma)
  share = (np.arange(n + 1) / n) ** (gamma + 1)
  np.testing.assert_allclose(np.cumsum(weights)[100:], share[101:], rtol=1e-3)


def test_many_steps_keep_their_digits():
  (decay,) = ema.make_power(sigma=0.05, batch_size=64)
  want = (ema_posthoc.exponent(0.05) + 1) / 1e6
  assert 1 - float(decay(jnp.int32(10**6))) == pytest.approx(want, rel=0.01)


def path(t):
  """What some weight is at a time in [0, 1]."""
  return np.sin(5 * t) + t**2


def kept(widths, steps, every):
  """(Profile, tree) of averages along the path, every so many steps."""
  decays = ema.make_power(sigma=widths[0], more=widths[1:], batch_size=1)
  at = np.arange(1, steps + 1)
  each = [np.float64(jax.vmap(decay)(jnp.asarray(at))) for decay in decays]
  values, found = np.zeros(len(widths)), []
  for step in at:
    new = path(step / steps)
    values = np.array([e[step - 1] for e in each]) * (values - new) + new
    if step % every == 0:
      for width, value in zip(widths, values, strict=True):
        stats = {'m': np.float32([2 * value])}
        own = {'batch_stats': stats, 'spectral': {'u': np.float32([step])}}
        tree = {'params': {'w': np.float32([value])}, 'vars': own}
        found.append((ema_posthoc.Profile(width, step), tree))
  return found[::-1]


@pytest.mark.parametrize(
  'sigma, most', [(0.04, 2e-3), (0.07, 1e-3), (0.15, 4e-3)]
)
def test_an_average_after_the_fact_is_the_one_that_was_not_kept(sigma, most):
  steps = 2000
  there = kept((0.05, 0.1), steps, every=100)
  ((_, own),) = kept((sigma,), steps, every=steps)
  wanted = ema_posthoc.Profile(sigma, steps)
  made, gap = ema_posthoc.averaged(there, wanted)
  found, want = made['params']['w'], own['params']['w']
  assert abs(found - want) < most and gap < 0.1
  np.testing.assert_allclose(made['vars']['batch_stats']['m'], 2 * found, 1e-5)
  assert made['vars']['spectral']['u'] == steps and found.dtype == np.float32
  # Of an earlier step: the same as if the training had ended there.
  early = ema_posthoc.Profile(sigma, 1000)
  made, _ = ema_posthoc.averaged(there, early)
  alone = [p for p in kept((sigma,), steps, every=1000) if p[0].step == 1000]
  assert abs(made['params']['w'] - alone[0][1]['params']['w']) < most


def test_a_kept_average_is_itself():
  there = kept((0.05, 0.1), 50, every=25)
  profiles = [profile for profile, _ in there]
  for i, profile in enumerate(profiles):
    own = ema_posthoc.factors(profiles, profile)
    np.testing.assert_allclose(own, np.eye(len(profiles))[i], atol=1e-8)
    assert ema_posthoc.distance(profiles, profile, own) < 1e-6


def test_overlaps_are_integrals():
  one, other = ema_posthoc.Profile(0.1, 7.0), ema_posthoc.Profile(0.2, 5.0)
  density = lambda p, t: scipy.stats.beta(
    ema_posthoc.exponent(p.sigma) + 1, 1, scale=p.step
  ).pdf(t)
  inside = lambda t: density(one, t) * density(other, t)
  want, _ = scipy.integrate.quad(inside, 0, 5)
  assert ema_posthoc.overlap(one, other) == pytest.approx(want, rel=1e-6)
  assert ema_posthoc.overlap(other, one) == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize(
  'make, words',
  [
    (
      lambda: ema.make_power(sigma=0.0, batch_size=1),
      r'ema\.sigma=0\.0: .*0\.2887',
    ),
    (lambda: ema.make_power(sigma=0.3, batch_size=1), r'ema\.sigma=0\.3'),
    (
      lambda: ema.make_power(more=('wide',), batch_size=1),
      r"ema\.more='wide': expected above 0",
    ),
    (
      lambda: ema.make_power(sigma=0.1, more=(0.1,), batch_size=1),
      'one comes twice',
    ),
    (
      lambda: ema.maker('polyak'),
      "ema.name='polyak': there are halflife, power",
    ),
    (
      lambda: ema_posthoc.factors([], ema_posthoc.Profile(0.1, 3)),
      'the latest that is kept is of step 0',
    ),
    (
      lambda: ema_posthoc.factors([], ema_posthoc.Profile(0.4, 3)),
      'ema=0.4: expected above 0',
    ),
  ],
)
def test_powers_that_there_are_not(make, words):
  with pytest.raises(UserError, match=words):
    make()


def recipe(**changes):
  config = command.load_config('configs/ring8.py:tiny')
  return config | {'health_every': 0} | changes


def test_a_run_keeps_several_averages_and_samples_one():
  own = {'name': 'power', 'sigma': 0.2, 'more': (0.1,)}
  setup = setup_lib.build(recipe(ema=own))
  assert setup.averaged and setup.numbers['ema'] == {'sigma': np.float32(0.2)}
  program = setup_lib.make_program(
    setup, wrapper='jit', devices=jax.devices()[:1]
  )
  data = setup_lib.make_data(setup, program, step=0)
  state, total = program.put(setup.init()), program.put(program.zeros)
  history = []
  for _ in range(3):
    state, total = program.advance(state, total, data(0), 1)
    now = jax.device_get(program.get(state))
    history.append(jax.tree.leaves(now.players['g'].params)[0])
  assert set(now.ema) == {'g', 'g@1'}
  for name, sigma in (('g', 0.2), ('g@1', 0.1)):
    power = ema_posthoc.exponent(sigma) + 1
    value = 0.0
    for step, new in enumerate(history, 1):
      beta = (1 - 1 / step) ** power
      value = beta * value + (1 - beta) * np.float64(new)
    found = jax.tree.leaves(now.ema[name]['params'])[0]
    np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-7)
  assert setup.sample(
    {k: jax.tree.map(lambda x: x[0], v) for k, v in now.ema.items()},
    setup.keys[0], jnp.arange(2),
  ).shape == (2, 2)  # fmt: skip


def test_another_average_by_a_flag():
  """What the recipe says of the half-life goes, see run/config/changes."""
  changes = {'ema.name': 'power', 'ema.sigma': 0.1}
  config = command.load_config('configs/ring8.py:tiny', changes)
  assert config['ema'] == {'name': 'power', 'sigma': 0.1}
