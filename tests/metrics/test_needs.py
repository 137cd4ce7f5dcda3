"""How many samples a metric needs is known before: the metric agrees."""

import numpy as np
import pytest

from gan_jax.metrics import measures, memorisation, needs, scores
from gan_jax.types import UserError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 2)), RNG.normal(size=(40, 2))
# (real samples, fakes) that are enough, with k = 3.
ENOUGH = {
  'fid': (2, 2),
  'fd_infinity': (2, 4),
  'kid': (2, 2),
  'precision': (4, 4),
  'coverage': (4, 4),
  'authenticity': (2, 1),
  'c_t': (10, 21),
  'vendi': (1, 1),
  'is': (1, 10),
}


def check(name, num_real, num_fake):
  needs.check(
    [name],
    options=measures.OPTIONS | {'k': 3},
    num_real=num_real,
    num_fake=num_fake,
    flag='--num',
    data='own',
  )


@pytest.mark.parametrize('name', ENOUGH)
def test_one_sample_fewer_is_refused(name):
  real, fake = ENOUGH[name]
  check(name, real, fake)
  check(name, None, fake)  # of published statistics nobody knows
  if fake > 1:
    with pytest.raises(UserError, match=f'^--num={fake - 1}: {name} needs'):
      check(name, real, fake - 1)
  if real > 1:
    words = f'{name} needs at least {real} real samples; own has {real - 1}'
    with pytest.raises(UserError, match=words):
      check(name, real - 1, fake)


@pytest.mark.parametrize('name', ['fid', 'fd_infinity', 'kid', 'precision'])
def test_the_metric_itself_draws_the_same_line(name):
  score = lambda real, fake: scores.score(
    [name], Y[:fake], X[:real], kind='point', options={'k': 3}
  )
  real, fake = ENOUGH[name]
  (record,) = score(real, fake)
  assert np.isfinite(record['value'])
  for fewer in ((real - 1, fake), (real, fake - 1)):
    with pytest.raises(UserError):
      score(*fewer)


def test_copying_needs_as_many_as_its_cells():
  assert memorisation.authentic(X[:2], Y[:1]).shape == (1,)
  with pytest.raises(UserError):
    memorisation.c_t(X[:9], X[20:], Y)


def test_every_class_needs_two_of_both_sides():
  of = lambda real, fake: needs.check_classes(
    ['intra_fid'],
    real=np.array(real),
    fake=np.array(fake),
    class_names=('a', 'b'),
    flag='--num',
  )
  of((2, 2), (2, 2))
  with pytest.raises(UserError, match="2 examples of each .* are 1 of 'b'"):
    of((5, 1), (9, 9))
  with pytest.raises(UserError, match="^--num=10: .* 2 samples .* 1 of 'a'"):
    of((5, 5), (1, 9))
  of((0, 7), (0, 9))  # a class that nobody has does not count
  with pytest.raises(UserError, match="2 examples of each .* are 0 of 'a'"):
    of((0, 7), (3, 9))
  with pytest.raises(UserError, match="^--num=9: .* 2 samples .* 0 of 'a'"):
    of((5, 7), (0, 9))
