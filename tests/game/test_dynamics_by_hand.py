"""Dynamics against loops in NumPy, on games whose gradients are one line."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.dynamics import symplectic
from gan_jax.models import quadratic
from tests.game import toys

RATE, STEPS = 0.05, 30
ADAM = {'learning_rate': RATE, 'b1': 0.5, 'b2': 0.9, 'eps': 1e-8}


def own(name, **options):
  return {'dynamics': {'name': name, **options}}


def optimizers(name, **kw):
  each = {'name': name, 'schedule': {}, 'clip_norm': 0.0, **kw}
  return {'optim': {player: dict(each) for player in 'gd'}}


def path(toy, steps=STEPS, start=None):
  """Points (x, y) of all steps, [steps + 1, 2, N]."""
  state = toy.start() if start is None else start
  flat = lambda s: np.stack(
    [jax.tree.leaves(s.players[k].params)[0] for k in 'gd']
  )
  step, found = jax.jit(toy.step), [flat(state)]
  for _ in range(steps):
    state = step(toy.numbers, state)
    found.append(flat(state))
  return np.array(found, np.float64)


def turning(point):
  """The gradients of x y of the player that minimises, and of the other."""
  x, y = point
  return np.stack([y, -x])


class Adam:
  """Kingma and Ba 2015, Algorithm 1: update(gradient)."""

  def __init__(self, rate, b1, b2, eps):
    self.rate, self.b1, self.b2, self.eps = rate, b1, b2, eps
    self.m = self.v = self.t = 0

  def update(self, g):
    self.t += 1
    self.m = self.b1 * self.m + (1 - self.b1) * g
    self.v = self.b2 * self.v + (1 - self.b2) * g**2
    m = self.m / (1 - self.b1**self.t)
    v = self.v / (1 - self.b2**self.t)
    return -self.rate * m / (np.sqrt(v) + self.eps)


def test_extra_adam():
  """Gidel et al. 2019, Algorithm 4: moments and count, twice in a step."""
  toy = toys.Toy(
    'bilinear', **own('extragradient'), **optimizers('adam', **ADAM)
  )
  found = path(toy)
  adam, point = Adam(*ADAM.values()), found[0]
  for seen in found[1:]:
    ahead = point + adam.update(turning(point))
    point = point + adam.update(turning(ahead))
    np.testing.assert_allclose(seen, point, atol=2e-5)
  assert adam.t == 2 * STEPS


def test_optimistic_adam():
  """Daskalakis et al. 2018, Algorithm 1."""
  toy = toys.Toy('bilinear', **own('optimistic'), **optimizers('adam', **ADAM))
  found = path(toy)
  adam, point, last = Adam(*ADAM.values()), found[0], 0
  for seen in found[1:]:
    now = adam.update(turning(point))
    point = point + 2 * now - last
    last = now
    np.testing.assert_allclose(seen, point, atol=2e-5)


def test_a_part_of_optimism():
  toy = toys.Toy('bilinear', **own('optimistic', strength=0.25))
  found = path(toy)
  point, last = found[0], 0
  for seen in found[1:]:
    now = -0.1 * turning(point)
    point, last = point + 1.25 * now - 0.25 * last, now
    np.testing.assert_allclose(seen, point, atol=1e-5)


def test_negative_momentum_with_adam_and_two_steps_of_d():
  toy = toys.Toy(
    'bilinear', **own('negative_momentum', beta=-0.3), **{'d_steps': 2},
    **optimizers('adam', **ADAM),
  )  # fmt: skip
  toy.batch['x'] = jnp.zeros((2, toys.BATCH, 1))
  found = path(toy, 10)
  (x, y), p, q = found[0], 0, 0
  of_x, of_y = Adam(*ADAM.values()), Adam(*ADAM.values())
  for seen in found[1:]:
    for _ in range(2):
      q = of_y.update(-x) - 0.3 * q
      y = y + q
    p = of_x.update(y) - 0.3 * p
    x = x + p
    np.testing.assert_allclose(seen, [x, y], atol=2e-5)


@pytest.mark.parametrize('beta', [-0.5, 0.5])
def test_negative_momentum_is_that_of_the_optimizer(beta):
  one = toys.Toy('bilinear', **own('negative_momentum', beta=beta))
  sgd = optimizers('sgd', learning_rate=0.1, momentum=beta)
  other = toys.Toy('bilinear', **own('alternating'), **sgd)
  np.testing.assert_allclose(path(one), path(other), atol=2e-5)


def test_projections_follow_the_momentum():
  limit = {'weight_clip': {'limit': 0.2}}
  toy = toys.Toy('dirac', penalties=limit, **own('negative_momentum', beta=0.9))
  slopes = path(toy)[1:, 1]
  assert np.abs(slopes).max() == pytest.approx(0.2)


# Lookahead


def lookahead_by_hand(start, *, k, alpha, super_k=0, base=None, steps=STEPS):
  """Of alternating moves by sgd at .1."""
  fast, slow, very = start, start, start
  for t in range(1, steps + 1):
    x, y = fast
    y = y + 0.1 * x
    fast = np.stack([x - 0.1 * y, y])
    if t % k == 0:
      fast = slow = slow + alpha * (fast - slow)
    if super_k and t % super_k == 0:
      fast = slow = very = very + alpha * (fast - very)
    yield fast


@pytest.mark.parametrize('nested', [{}, {'super_k': 6}])
def test_lookahead(nested):
  options = {'k': 3, 'alpha': 0.4, **nested}
  found = path(toys.Toy('bilinear', **own('lookahead', **options)))
  want = list(lookahead_by_hand(found[0], **options))
  np.testing.assert_allclose(found[1:], want, atol=2e-5)


def test_lookahead_begins_with_the_weights_that_a_run_begins_with():
  """Those of another run, by init_from: no memory of others pulls back."""
  toy = toys.Toy('bilinear', **own('lookahead', k=3))
  state = toy.start()
  moved = toy.start(scale=5.0)
  other = path(toy, start=state._replace(players=moved.players))
  want = list(lookahead_by_hand(other[0], k=3, alpha=0.5))
  np.testing.assert_allclose(other[1:], want, atol=1e-4)


def test_the_average_follows_the_players_after_the_pull():
  changes = {'ema.halflife_kimg': 0.004, 'ema.rampup': 0.0}
  toy = toys.Toy('bilinear', **own('lookahead', k=2), **changes)
  state, step = toy.start(), jax.jit(toy.step)
  for _ in range(2):
    before, state = state.ema['g'], step(toy.numbers, state)
  decay = 0.5 ** (toys.BATCH / 4)
  got, old, new = (
    jax.tree.leaves(x)[0]
    for x in (state.ema['g'], before, state.players['g'].params)
  )
  np.testing.assert_allclose(got, decay * old + (1 - decay) * new, rtol=1e-5)


def test_lookahead_keeps_what_the_other_dynamics_remembers():
  """Optimistic moves: of which the memory is not pulled back."""
  options = {'base': 'optimistic', 'of_base': {'strength': 0.5}, 'k': 2}
  found = path(toys.Toy('bilinear', **own('lookahead', **options)))
  point, last, slow = found[0], 0, found[0]
  for t, seen in enumerate(found[1:], 1):
    now = -0.1 * turning(point)
    point, last = point + 1.5 * now - 0.5 * last, now
    if t % 2 == 0:
      point = slow = slow + 0.5 * (point - slow)
    np.testing.assert_allclose(seen, point, atol=1e-5)


# Through the field, on quadratic games, whose Jacobian is known


def quadratic_toy(dynamics, sign=1.0):
  changes = {
    'data.dim': 3,
    'model.d.g_curvature': 0.4 * sign,
    'model.d.d_curvature': 0.2 * sign,
    'model.d.coupling': 0.7,
    'model.d.matrix_seed': 5,
  }
  p, q, a = map(np.float64, quadratic.matrices(3, 5))
  jacobian = np.block([[0.4 * sign * p, 0.7 * a], [-0.7 * a.T, 0.2 * sign * q]])
  return toys.Toy('quadratic', dim=3, **changes, **dynamics), jacobian


def check_path(toy, field, tolerance=2e-5):
  found = path(toy, 10)
  point = found[0].reshape(-1)
  for seen in found[1:]:
    point = point - 0.1 * field(point)
    np.testing.assert_allclose(seen.reshape(-1), point, atol=tolerance)


def test_the_field_of_a_quadratic_game():
  toy, j = quadratic_toy(own('simultaneous'))
  check_path(toy, lambda w: j @ w)


def test_consensus_on_a_quadratic_game():
  toy, j = quadratic_toy(own('consensus', gamma=0.6))
  check_path(toy, lambda w: j @ w + 0.6 * j.T @ (j @ w))


@pytest.mark.parametrize('sign', [1.0, -3.0])
def test_symplectic_adjustment_on_a_quadratic_game(sign):
  """Aligned: towards what attracts, away from what does not."""
  toy, j = quadratic_toy(own('symplectic', weight=0.5), sign)
  signs = []

  def field(w):
    v = j @ w
    down, adjusted = j.T @ v, (j.T @ v - j @ v) / 2
    signs.append(np.sign((v @ down) * (adjusted @ down) / len(w) + 0.1))
    return v + 0.5 * signs[-1] * adjusted

  check_path(toy, field, 1e-4)
  assert set(signs) == {np.sign(sign)}


def test_the_sign_of_an_adjustment():
  tree = lambda *x: {'g': jnp.float32(x[:1]), 'd': jnp.float32(x[1:])}
  v, down = tree(1.0, 2.0, 0.0), tree(3.0, -4.0, 1.0)  # <v, down> = -5
  sign = lambda a: float(symplectic.alignment(v, down, a))
  assert sign(tree(2.0, 0.0, 0.0)) == -1.0  # -5 * 6 / 3 + .1
  assert sign(tree(0.0, 2.0, 0.0)) == 1.0
  assert sign(tree(0.0, 0.0, 0.05)) == 1.0  # -5 * .05 / 3 + .1
  assert sign(tree(0.0, 0.0, 0.07)) == -1.0
  toy, j = quadratic_toy(own('symplectic', weight=0.5, align=False), -1.0)
  check_path(toy, lambda w: j @ w + 0.25 * (j.T - j) @ (j @ w))


# Unrolled, on the Dirac-GAN


def softplus(x):
  return np.logaddexp(0, x)


def unrolled_loss(theta, psi, rate, unroll):
  """G's loss against the D of so many updates ahead."""
  for _ in range(unroll):
    # D pays softplus(-psi 0) + softplus(psi theta).
    psi = psi - rate * theta / (1 + np.exp(-psi * theta))
  return softplus(-psi * theta)


@pytest.mark.parametrize(
  'options, rate', [({}, 0.1), ({'plain': True, 'rate': 0.4}, 0.4)]
)
def test_unrolled(options, rate):
  toy = toys.Toy('dirac', **own('unrolled', unroll=3, **options))
  found = path(toy, 10)[:, :, 0]
  theta, psi = found[0]
  for seen in found[1:]:
    loss = lambda t, psi=psi: unrolled_loss(t, psi, rate, 3)
    slope = (loss(theta + 1e-5) - loss(theta - 1e-5)) / 2e-5
    psi_slope = theta / (1 + np.exp(-psi * theta))
    theta, psi = theta - 0.1 * slope, psi - 0.1 * psi_slope
    np.testing.assert_allclose(seen, [theta, psi], atol=1e-5)


def test_unrolled_is_simultaneous_without_updates():
  one = path(toys.Toy('dirac', **own('unrolled', unroll=0)))
  other = path(toys.Toy('dirac', **own('simultaneous')))
  np.testing.assert_array_equal(one, other)
