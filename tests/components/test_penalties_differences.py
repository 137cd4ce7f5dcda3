"""Slopes by a difference, the largest slope, and slopes of both in one pass."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.game import forward, gradients, step
from gan_jax.penalties import fd_r1, fd_r2, gradient_penalty, max_gp, r1, r2
from gan_jax.types import UserError
from tests.components import conformance
from tests.components.passes import KEY, batches, keys_of

W = np.float32([3.0, -4.0])
BOTH = {'fd_r1': fd_r1, 'fd_r2': fd_r2}
linear = lambda x, w=W: x @ w


def noise(shape):
  """The directions n by hand, each example's by its key."""
  draw = lambda i: jax.random.normal(jax.random.fold_in(KEY, i), shape[1:])
  return np.stack([draw(i) for i in range(shape[0])])


def at(name, real, fake):
  """Where a penalty looks."""
  return real if name == 'fd_r1' else fake


# By a difference


@pytest.mark.parametrize('epsilon', [1e-3, 1.0, 30.0])
def test_of_a_linear_d_the_mean_is_the_squared_slope(epsilon):
  """E (w . n)^2 = |w|^2 = 25, for every epsilon."""
  real = jnp.zeros((40000, 2))
  each, memo = fd_r1.penalty(
    linear, real, real, (), key=keys_of(40000), gamma=2.0, epsilon=epsilon
  )
  assert memo == () and each.shape == (40000,)
  assert float(each.mean()) == pytest.approx(25, rel=0.03)  # std .7 %


@pytest.mark.parametrize('name', BOTH)
def test_the_formula(name):
  """Of D(x) = sum tanh(x W): by the same directions, in NumPy."""
  real, fake = batches((5, 3, 2))
  weights = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
  critic = lambda x: jnp.tanh(x.reshape(len(x), -1) @ weights).sum(1)
  d = lambda x: np.tanh(x.reshape(5, -1) @ weights).sum(1)
  value, _ = BOTH[name].penalty(
    critic, real, fake, (), key=keys_of(5), gamma=0.6, epsilon=0.5
  )
  x = np.asarray(at(name, real, fake))
  want = 0.3 * ((d(x + 0.5 * noise(x.shape)) - d(x)) / 0.5) ** 2
  np.testing.assert_allclose(value, want, 1e-4)


@pytest.mark.parametrize('name, exact', [('fd_r1', r1), ('fd_r2', r2)])
def test_small_steps_tend_to_the_squared_gradient(name, exact):
  """All examples alike: the mean over directions is the mean over them."""
  shape = 20000, 2
  real, fake = jnp.full(shape, 0.3), jnp.full(shape, -0.8)
  critic = lambda x: jnp.sin(2 * x[:, 0]) + x[:, 1] ** 2
  of = lambda module, **kw: module.penalty(
    critic, real, fake, (), key=keys_of(shape[0]), gamma=1.0, **kw
  )[0].mean()
  errors = [abs(of(BOTH[name], epsilon=e) / of(exact) - 1) for e in (2, 0.01)]
  assert errors[1] < 0.03 < errors[0]


def test_the_gradient_in_d_is_that_of_the_square():
  """d/dw gamma / 2 (w . n)^2 = gamma (w . n) n."""
  real = jnp.zeros((3, 2))

  def total(w):
    critic = functools.partial(linear, w=w)
    own = fd_r1.penalty(critic, real, real, (), key=keys_of(3), gamma=0.5)
    return own[0].sum()

  n = noise((3, 2))
  want = 0.5 * ((n @ W)[:, None] * n).sum(0)
  np.testing.assert_allclose(jax.grad(total)(jnp.asarray(W)), want, 1e-3)


def test_nothing_of_r2_reaches_g():
  real, fake = batches((3, 2))
  critic = lambda x: jnp.square(x).sum(1)
  run = lambda fake: fd_r2.penalty(critic, real, fake, (), key=keys_of(3))
  slope = jax.grad(lambda fake: run(fake)[0].sum())(fake)
  np.testing.assert_array_equal(slope, np.zeros((3, 2)))


@functools.cache
def game():
  """A pass of six examples with labels, whose D is shown noisy samples."""
  made, state, batch = conformance.game_of(
    (2,),
    3,
    conditioning={'name': 'projection'},
    augment={'name': 'tests.pairs.noise'},
    penalties={'fd_r1': {}},
  )
  seen, _ = forward.forward(made.game, state, batch, KEY)
  return made, state, batch, seen


def test_one_in_three_is_judged_as_it_is_among_all():
  """With its own label and its own draw of the augmentation."""
  made, state, batch, seen = game()
  critic = lambda x, **kw: seen.critic(x, **kw)['logits']
  run = lambda n: fd_r1.penalty(
    critic, seen.real, seen.fake, (), key=keys_of(6), epsilon=0.5, one_in=n
  )[0]
  every = np.asarray(run(1))
  assert len(np.unique(every)) == 6
  np.testing.assert_allclose(run(3), np.repeat(every[::3], 3), 1e-5)
  np.testing.assert_allclose(run(2), np.repeat(every[::2], 2), 1e-5)


@pytest.mark.parametrize('one_in', [0, 4])
def test_what_does_not_divide_the_batch_is_refused(one_in):
  made, state, batch, seen = game()
  with pytest.raises(UserError, match=f'fd_r1.one_in={one_in}: .* 6 examples'):
    fd_r1.penalty(linear, *batches((6, 2)), (), key=keys_of(6), one_in=one_in)


# The largest slope


def test_max_gp_is_the_largest_of_the_gradient_penalties():
  real, fake = batches((6, 2))
  critic = lambda x: jnp.square(x).sum(1) / 2  # of slope x
  each, _ = gradient_penalty.penalty(
    critic, real, fake, (), key=keys_of(6), weight=3.0, target=0.0
  )
  value, _ = max_gp.penalty(critic, real, fake, (), key=keys_of(6), weight=3.0)
  assert len(np.unique(each)) == 6
  np.testing.assert_allclose(value, np.full(6, each.max()), 1e-5)
  plain, _ = max_gp.penalty(critic, real, fake, (), key=keys_of(6))
  np.testing.assert_allclose(plain, value / 3 * 10, 1e-5)


def test_max_gp_does_not_reach_g():
  real, fake = batches((3, 2))
  critic = lambda x: jnp.square(x).sum(1)
  run = lambda fake: max_gp.penalty(critic, real, fake, (), key=keys_of(3))
  slope = jax.grad(lambda fake: run(fake)[0].sum())(fake)
  np.testing.assert_array_equal(slope, np.zeros((3, 2)))


# Both in one pass

GAMMAS = {'r1': {'gamma': 0.7}, 'r2': {'gamma': 0.3}}


def of_d(penalties, every=1):
  """(metrics, gradient) of D's terms that are due every so many steps."""
  made, state, batch = conformance.game_of(
    (2,),
    3,
    conditioning={'name': 'projection'},
    augment={'name': 'tests.pairs.noise'},
    penalties=penalties,
  )
  run = jax.jit(step.gradient(made.game, ('d',), every=every))
  grads, change = run(state, batch, KEY)
  return change.metrics, grads['d']


def shared(penalties):
  """Whether R1's and R2's terms look at one pass."""
  made, *_ = conformance.game_of((2,), penalties=penalties)
  each = [made.game.terms['d'][name].value for name in ('r1', 'r2')]
  return ['slope_term' in value.__qualname__ for value in each]


def test_r1_and_r2_share_a_pass_and_are_what_they_are_alone():
  """With labels, and with the same draws of the augmentation."""
  assert shared(GAMMAS) == [True, True]
  both, gradient = of_d(GAMMAS)
  one, of_one = of_d({'r1': GAMMAS['r1']})
  other, of_other = of_d({'r2': GAMMAS['r2']})
  none, of_none = of_d({})
  for name, alone in (('penalty_r1', one), ('penalty_r2', other)):
    np.testing.assert_allclose(both[name], alone[name], 1e-6)
  jax.tree.map(
    lambda all, a, b, c: np.testing.assert_allclose(all, a + b - c, 1e-5, 1e-6),
    *(gradient, of_one, of_other, of_none),
  )


def test_who_is_due_at_other_times_has_a_pass_of_its_own():
  apart = {'r1': {'every': 2}, 'r2': {}}
  assert shared(apart) == [False, False]
  lazy = {name: {'gamma': 1.0, 'every': 2} for name in ('r1', 'r2')}
  assert shared(lazy) == [True, True]
  both, _ = of_d(lazy, every=2)
  one, _ = of_d({'r1': lazy['r1']}, every=2)
  np.testing.assert_allclose(both['penalty_r1'], one['penalty_r1'], 1e-6)


def test_one_pass_is_enough_for_all_who_ask():
  _, _, _, seen = game()
  assert seen.slopes() is seen.slopes()


def test_a_d_that_looks_at_the_batch_compares_no_real_with_a_fake():
  real, fake = batches((4, 2))
  critic = lambda x: (x * x.mean(0)[None]).sum(1)
  both = gradients.both_gradients(critic, real, fake)
  for one, x in zip(both, (real, fake), strict=True):
    alone = gradients.input_gradient(critic, x)
    np.testing.assert_allclose(one, alone, 1e-5, 1e-6)


def test_a_schedule_of_gamma_holds_in_the_shared_pass():
  falling = {
    'name': 'linear_schedule',
    'init_value': 0.7,
    'end_value': 0.0,
    'transition_steps': 10,
  }
  both, _ = of_d({**GAMMAS, 'r1': {'gamma': falling}})
  want, _ = of_d(GAMMAS)
  np.testing.assert_allclose(both['penalty_r1'], want['penalty_r1'], 1e-5)
