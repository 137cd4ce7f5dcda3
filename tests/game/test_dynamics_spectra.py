"""Every dynamics on the bilinear game: its spectral radius, and what follows.

The radii are those of update matrices, by hand; the product's are those of the
Jacobian of its own step.
"""

import numpy as np
import pytest

from tests.game import toys

RATES = (0.1, 0.3, 0.45)
SIMULTANEOUS = {'dynamics.name': 'simultaneous'}


def own(name, **options):
  return {'dynamics': {'name': name, **options}}


def sgd(**kw):
  return {f'optim.{player}.{k}': v for player in 'gd' for k, v in kw.items()}


def plane(eta, beta=0.0, *, alternating=False):
  """Heavy ball on x y: of (x, y, last way of x, of y); D moves first."""
  x, y, p, q = np.eye(4)
  q = eta * x + beta * q
  seen = y + q if alternating else y
  p = -eta * seen + beta * p
  return np.stack([x + p, y + q, p, q])


def radius(matrix):
  return np.abs(np.linalg.eigvals(matrix)).max()


def unrolled(k):
  return lambda e: radius(np.array([[1 - 2 * k * e**2, -e], [e, 1]]))


def optimistic(eta):
  root = np.emath.sqrt(1 - 4 * eta**2)
  return max(
    abs((1 + s * 2j * eta + r * root) / 2) for s in (1, -1) for r in (1, -1)
  )


def repeated(times):
  """Of going there so many times: the first terms of 1 / (1 + i eta)."""
  return lambda e: abs(sum((1j * e) ** k for k in range(times + 1)))


def looking(k, alpha, base):
  """Lookahead of a base's eigenvalues."""
  return lambda e: max(
    abs(1 - alpha + alpha * z**k) for z in np.linalg.eigvals(base(e))
  )


ALTERNATING = lambda e: np.array([[1 - e**2, -e], [e, 1]])
# What is changed of the recipe, steps of a cycle, radius of a cycle.
ROWS = {
  'simultaneous': (own('simultaneous'), 1, lambda e: np.sqrt(1 + e**2)),
  'alternating': (own('alternating'), 1, lambda e: 1.0),
  'extragradient': (
    own('extragradient'), 1, lambda e: np.sqrt(1 - e**2 + e**4),
  ),
  'proximal': (
    own('proximal', iterations=40), 1, lambda e: 1 / np.sqrt(1 + e**2),
  ),
  'usual proximal': (own('proximal'), 1, repeated(5)),
  'proximal, three times': (own('proximal', iterations=3), 1, repeated(3)),
  'optimistic': (own('optimistic'), 1, optimistic),
  'consensus': (
    own('consensus', gamma=0.3), 1,
    lambda e: np.sqrt((1 - 0.3 * e) ** 2 + e**2),
  ),
  'symplectic': (
    own('symplectic', weight=0.4), 1,
    lambda e: np.sqrt((1 - 0.4 * e) ** 2 + e**2),
  ),
  'symplectic, not aligned': (
    own('symplectic', weight=0.7, align=False), 1,
    lambda e: np.sqrt((1 - 0.7 * e) ** 2 + e**2),
  ),
  'unrolled 1': (own('unrolled', unroll=1), 1, lambda e: np.sqrt(1 - e**2)),
  'unrolled 5': (own('unrolled', unroll=5), 1, unrolled(5)),
  'momentum, simultaneous': (
    own('simultaneous') | sgd(momentum=-0.3), 1,
    lambda e: radius(plane(e, -0.3)),
  ),
  'momentum': (
    own('alternating') | sgd(momentum=-0.5), 1,
    lambda e: radius(plane(e, -0.5, alternating=True)),
  ),
  'negative_momentum': (
    own('negative_momentum', beta=-0.5), 1,
    lambda e: radius(plane(e, -0.5, alternating=True)),
  ),
  'positive momentum': (
    own('negative_momentum', beta=0.5), 1,
    lambda e: radius(plane(e, 0.5, alternating=True)),
  ),
  'lookahead': (
    own('lookahead', k=5), 5, looking(5, 0.5, ALTERNATING),
  ),
  'lookahead, simultaneous': (
    own('lookahead', k=3, alpha=0.4, base='simultaneous'), 3,
    looking(3, 0.4, lambda e: plane(e)[:2, :2]),
  ),
}  # fmt: skip


def predicted(row, rates):
  return np.array([ROWS[row][2](e) for e in rates])


@pytest.fixture(scope='module', params=ROWS)
def row(request):
  changes, steps, _ = ROWS[request.param]
  return request.param, toys.Toy('bilinear', **changes), steps


def test_the_radius_is_that_of_the_closed_form(row):
  name, toy, steps = row
  found = toys.radii(toy, RATES, steps=steps)
  np.testing.assert_allclose(found, predicted(name, RATES), rtol=0, atol=1e-6)


def test_two_thousand_steps_do_what_the_radius_says(row):
  name, toy, steps = row
  first, last = toys.norms(toy, RATES)
  says = 2000 / steps * np.log(predicted(name, RATES))
  with np.errstate(divide='ignore'):
    grown = np.log(last / first)
  for expected, actual in zip(says, grown, strict=True):
    if abs(expected) < 40:  # of what float32 holds, squared
      assert abs(actual - expected) < 1.0
    else:  # infinity, or none any more
      assert not actual * np.sign(expected) < 30


KNOWN = {  # of published tables, to the digits that they have
  'extragradient': (own('extragradient'), 1, {2**-0.5: 0.8660}),
  'optimistic': (own('optimistic'), 1, {0.5: 0.7071}),
  'unrolled 5': (own('unrolled', unroll=5), 1, {0.5: 1.396}),
  'momentum': (
    own('negative_momentum'), 1, {0.1: 0.99852, 0.3: 0.98661, 0.5: 0.96254},
  ),
  'positive momentum': (
    own('negative_momentum', beta=0.5), 1, {0.1: 1.032, 0.3: 1.153, 0.5: 1.269},
  ),
  'lookahead 5': (
    own('lookahead', base='simultaneous'), 5, {0.3: 0.83959},
  ),
  'lookahead 20': (
    own('lookahead', k=20, base='simultaneous'), 20, {0.3: 1.64768},
  ),
  'lookahead, alternating': (own('lookahead'), 5, {0.5: 0.30258}),
}  # fmt: skip


@pytest.mark.parametrize('name', KNOWN)
def test_the_radius_is_the_published_one(name):
  changes, steps, known = KNOWN[name]
  toy = toys.Toy('bilinear', **changes)
  found = toys.radii(toy, tuple(known), steps=steps)
  for radius, digits in zip(found, known.values(), strict=True):
    places = len(str(digits).partition('.')[2])
    assert abs(radius - digits) <= 0.51 * 10**-places


def test_the_turn_of_alternating_moves():
  """Of determinant 1, by the angle whose cosine is 1 - eta^2 / 2."""
  found = toys.eigenvalues(toys.Toy('bilinear'), RATES)
  for eta, pair in zip(RATES, found, strict=True):
    assert pair.prod() == pytest.approx(1, abs=1e-6)
    assert np.cos(np.angle(pair)) == pytest.approx(1 - eta**2 / 2, abs=1e-6)


def test_with_a_matrix_each_singular_value_is_a_game_of_its_own():
  matrix = {'model.d.matrix': 'normal', 'model.d.matrix_seed': 3}
  changes = matrix | {'data.dim': 4} | own('extragradient')
  toy = toys.Toy('bilinear', dim=4, **changes)
  a = np.random.default_rng(3).normal(size=(4, 4)) / 2
  found = toys.eigenvalues(toy, [0.2])[0]
  eta = 0.2 * np.linalg.svd(a)[1]
  want = np.concatenate([1 - eta**2 + s * 1j * eta for s in (1, -1)])
  for z in want:
    assert np.abs(found - z).min() < 1e-6


def test_nested_lookahead_pulls_the_slow_players_too():
  """k = 2, twice in super_k = 4: 1 - a + a (1 - a + a z^2)^2."""
  changes = own('lookahead', base='simultaneous', k=2, super_k=4, alpha=0.3)
  found = toys.radii(toys.Toy('bilinear', **changes), RATES, steps=4)
  for eta, radius in zip(RATES, found, strict=True):
    slow = 0.7 + 0.3 * (1 + 1j * eta) ** 2
    assert radius == pytest.approx(abs(0.7 + 0.3 * slow**2), abs=1e-6)


# The Dirac-GAN: forward Euler with step h has eigenvalues 1 + h z, where z are
# those of the flow at the origin.

HALF = 0.5j
DIRAC = {
  'gan': ({'loss.name': 'minimax'}, {}, (HALF, -HALF)),
  'nonsaturating': ({}, {}, (HALF, -HALF)),
  'r1': ({}, {'r1': 0.3}, (-0.15 + 0.476969601j, -0.15 - 0.476969601j)),
  'r1, critical': ({}, {'r1': 1.0}, (-0.5, -0.5)),
  'r1, beyond': ({}, {'r1': 1.25}, (-0.25, -1.0)),
  'rpgan r1 r2': (
    {'loss.name': 'rpgan'}, {'r1': 0.3, 'r2': 0.3}, (-0.3 + 0.4j, -0.3 - 0.4j),
  ),
  'rpgan r1 r2, critical': (
    {'loss.name': 'rpgan'}, {'r1': 0.5, 'r2': 0.5}, (-0.5, -0.5),
  ),
}  # fmt: skip


@pytest.mark.parametrize('case', DIRAC)
def test_dirac_gan(case):
  changes, gammas, flow = DIRAC[case]
  penalties = {name: {'gamma': gamma} for name, gamma in gammas.items()}
  toy = toys.Toy('dirac', penalties=penalties, **SIMULTANEOUS, **changes)
  rates = (0.125, 0.5, 1.0)
  found = toys.eigenvalues(toy, rates)
  for h, pair in zip(rates, found, strict=True):
    for z in flow:
      assert np.abs((pair - 1) / h - z).min() < 1e-6


def test_dirac_gan_alternating_keeps_its_distance():
  found = toys.radii(toys.Toy('dirac'), (0.5, 1.0, 3.0))
  np.testing.assert_allclose(found, 1, rtol=0, atol=1e-6)


def test_dirac_gan_under_consensus():
  """-gamma / 4 +- i / 2."""
  toy = toys.Toy('dirac', **own('consensus', gamma=0.3))
  for h, pair in zip(RATES, toys.eigenvalues(toy, RATES), strict=True):
    assert np.abs((pair - 1) / h - (-0.075 + 0.5j)).min() < 1e-6


def test_dirac_gan_under_instance_noise():
  """Mescheder et al. 2018: -sigma^2 / 4 +- sqrt(sigma^4 / 16 - 1 / 4).

  Of a batch: with the mean square of its own draws for sigma^2.
  """
  sigma = 1.2
  noisy = {'augment': {'name': 'instance_noise', 'sigma': sigma}}
  toy = toys.Toy('dirac', batch=20_000, **SIMULTANEOUS, **noisy)
  (pair,) = toys.eigenvalues(toy, [0.5])
  want = -(sigma**2) / 4 + np.emath.sqrt(sigma**4 / 16 - 1 / 4)
  assert np.abs((pair - 1) / 0.5 - want).min() < 0.02
  # Per example: D's slope of -log sigmoid at 0 is 1/4 x^2, for both halves.
  assert ((pair - 1) / 0.5).sum() == pytest.approx(-(sigma**2) / 2, abs=0.03)


@pytest.mark.parametrize('case', ['clipped', 'penalised'])
def test_dirac_wgan_goes_round_and_does_not_arrive(case):
  """Mescheder et al. 2018, Section 3: |psi| comes near its bound, no nearer."""
  of = {
    'clipped': {'weight_clip': {'limit': 0.5}},
    'penalised': {'gradient_penalty': {'weight': 5.0, 'target': 0.5}},
  }
  changes = {'loss.name': 'wasserstein', **SIMULTANEOUS}
  toy = toys.Toy('dirac', penalties=of[case], **changes)
  ((first,), (last,)) = toys.norms(toy, [0.05], scale=0.3)
  assert last > 0.3 and last < 20 * first


@pytest.mark.parametrize('case', ['nonsaturating', 'r1'])
def test_dirac_gan_arrives_with_a_penalty_only(case):
  _, gammas, flow = DIRAC[case]
  penalties = {name: {'gamma': gamma} for name, gamma in gammas.items()}
  toy = toys.Toy('dirac', penalties=penalties, **SIMULTANEOUS)
  ((first,), (last,)) = toys.norms(toy, [0.1], scale=0.01)
  says = 2000 * np.log(np.abs(1 + 0.1 * flow[0]))
  assert np.log(last / first) == pytest.approx(says, abs=1)
