"""What the scores need is known before the first step: nothing is written."""

import numpy as np
import pytest

from gan_jax.metrics import measures, needs, records
from gan_jax.metrics.features import spaces
from gan_jax.run import command, score_trial, scoring, training
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests.run.hooks_room import recipe

USUAL = {'options': measures.OPTIONS, 'flag': 'eval_samples', 'data': 'digits'}


@pytest.mark.parametrize(
  'name, num, least',
  [
    ('fid', 1, 2),
    ('kid', 1, 2),
    ('fd_infinity', 3, 4),
    ('coverage', 5, 6),
    ('density', 2, 6),
    ('c_t', 20, 21),
    ('classifier_accuracy', 1, 2),
  ],
)
def test_too_few_samples(name, num, least):
  with pytest.raises(UserError) as caught:
    needs.check(('swd', name), num_real=90, num_fake=num, **USUAL)
  assert str(caught.value) == (
    f'eval_samples={num}: {name} needs at least {least} samples.'
  )
  needs.check(('swd', name), num_real=90, num_fake=least, **USUAL)


@pytest.mark.parametrize(
  'name, least',
  [('fid', 2), ('recall', 6), ('kid', 2), ('c_t', 10), ('authenticity', 2)],
)
def test_too_few_real_samples(name, least):
  with pytest.raises(UserError, match=f'{name} needs at least {least} real'):
    needs.check((name,), num_real=least - 1, num_fake=99, **USUAL)
  needs.check((name,), num_real=least, num_fake=99, **USUAL)
  needs.check((name,), num_real=None, num_fake=99, **USUAL)  # statistics


def test_options_decide_too():
  given = USUAL | {'options': measures.OPTIONS | {'k': 9}}
  with pytest.raises(UserError, match='precision needs at least 10 samples'):
    needs.check(('precision',), num_real=90, num_fake=9, **given)


@pytest.mark.parametrize(
  'real, fake, words',
  [
    ([5, 1, 9], [4, 4, 4], "2 examples of each class; there are 1 of 'cat'"),
    ([0, 5, 9], [4, 4, 4], "2 examples of each class; there are 0 of 'ant'"),
    ([5, 5, 9], [2, 2, 1], '=5: intra_fid needs at least 2 samples of each'),
  ],
)
def test_too_few_in_a_class(real, fake, words):
  with pytest.raises(UserError) as caught:
    needs.check_classes(
      ('fid', 'intra_fid'),
      real=np.array(real),
      fake=np.array(fake),
      class_names=('ant', 'cat', 'dog'),
      flag='eval_samples',
    )
  assert words in str(caught.value)


def digits(**overrides):
  usual = {'features': 'pixels'} | overrides
  return command.load_config('digits:tiny', usual)


@pytest.mark.parametrize(
  'config, words',
  [
    ({'metrics': ('prdc',), 'eval_samples': 4}, 'eval_samples=4: precision'),
    (
      {'metrics': ('intra_fid',), 'eval_samples': 17, 'conditional': True},
      'intra_fid needs at least 2 samples of each class',
    ),
    ({'metrics': ('kid',), 'eval_samples': 1}, 'eval_samples=1: kid'),
  ],
)
def test_a_run_is_refused_before_anything_is_written(config, words, tmp_path):
  with pytest.raises(UserError) as caught:
    training.train(digits(**config), tmp_path / 'run')
  assert words in str(caught.value) and '\n' not in str(caught.value)
  assert not (tmp_path / 'run').exists()


def broken(error):
  def compute(real, fake, known):
    raise error

  return measures.Metric(('mine',), compute, ('features',), ('features',))


@pytest.fixture(scope='module')
def setup():
  return setup_lib.build(recipe())


def trial(setup, *names):
  score_trial._tried.clear()
  protocol = scoring.EvalProtocol(num_samples=50)
  score_trial.run(setup, names, protocol=protocol, say=print)


def test_every_metric_of_points_passes(setup):
  names = measures.available_names(frozenset({'features', 'modes'}))
  trial(setup, *names)
  assert len(names) > 10 and len(score_trial._tried) == 1


@pytest.mark.parametrize(
  'error', [ZeroDivisionError('no modes'), KeyError('k'), TypeError('no float')]
)
def test_a_metric_of_ones_own_with_an_error(error, setup, monkeypatch):
  monkeypatch.setitem(measures._own, 'mine', broken(error))
  with pytest.raises(UserError) as caught:
    trial(setup, 'fid', 'mine')
  said = str(caught.value)
  assert 'before the first step' in said and type(error).__name__ in said
  assert 'test_score_trial.py, line' in said and '\n' not in said
  assert not score_trial._tried
  refuses = broken(UserError('mine: at least 500 samples needed'))
  monkeypatch.setitem(measures._own, 'mine', refuses)
  trial(setup, 'fid', 'mine')  # so few cannot tell


@pytest.mark.parametrize(
  'module, name, error',
  [
    (records, 'versions', LookupError('gan_jax')),
    (spaces, 'load', ImportError('No module named sklearn')),
    (spaces, 'load', OSError(30, 'Read-only file system', '/cache')),
  ],
)
def test_what_scoring_needs_is_missing(
  module, name, error, monkeypatch, tmp_path
):
  def fails(*args, **kwargs):
    raise error

  monkeypatch.setattr(module, name, fails)
  score_trial._tried.clear()
  config = recipe(metrics=('fid',))
  with pytest.raises(UserError, match=type(error).__name__):
    training.train(config, tmp_path / 'run')
  assert not (tmp_path / 'run').exists()
