"""Samples that a run's own discriminator chooses, and scores of them."""

import json
import shutil

import jax
import numpy as np
import pytest

import gan_jax
from gan_jax import evaluate
from gan_jax.game import keys as keys_lib
from gan_jax.game.sampling import calibration, rejection
from gan_jax.run import draws
from gan_jax.run.samplers import correcting, drawing, making, settling
from gan_jax.run.samplers.way import Way
from gan_jax.run.sampling import keys_of, take_seed
from gan_jax.types import UserError
from tests.bad_input import finished_run, refused
from tests.run import sampled


@pytest.fixture(autouse=True)
def small(monkeypatch):
  """Few samples at once."""
  monkeypatch.setattr(correcting, 'BATCH', 16)
  monkeypatch.setattr(correcting, 'BURN_IN', 64)
  monkeypatch.setattr(correcting, 'HELD_OUT', 48)


def corrected(num, which='POINTS', key=0, labels=None, **way):
  """(samples, the way, D's variables among those of the seed)."""
  _, setup, state = sampled.run(which)
  way = settling.settled(Way(**way), setup)
  own = take_seed(drawing.variables(state, way), 0)
  key = draws.key_of(key)
  made = drawing.collect(setup, way, own, key, num, labels=labels)
  return made, making.parts(setup, way), own, key


def test_rejected_samples_are_those_that_d_accepts():
  made, parts, own, key = corrected(20, rejection='drs')
  first = parts.sample(
    own, keys_lib.stream(key, correcting.FIRST), np.arange(64), None
  )
  most = parts.judge(own, first, None).max()
  for i in (0, 9, 17):
    slot = keys_of(key, np.array([i]))[0]
    tries = keys_lib.fold_examples(slot, np.arange(512))
    x = parts.samples(own, parts.latents(tries), None)
    chance = jax.nn.sigmoid(rejection.merits(parts.judge(own, x, None), most))
    decide = keys_lib.fold_each(tries, 2**31 - 2)
    accepted = jax.vmap(jax.random.uniform)(decide) < chance
    assert accepted.any()
    np.testing.assert_allclose(made[i], x[accepted.argmax()], atol=1e-5)


@pytest.mark.parametrize('rejection', ['drs', 'mh', 'ddls'])
def test_a_sample_does_not_depend_on_how_many_there_are(rejection):
  way = {'rejection': rejection}
  if rejection != 'drs':
    way['rejection_steps'] = 5
  many, parts, own, key = corrected(20, **way)
  few, *_ = corrected(3, **way)
  np.testing.assert_allclose(few, many[:3], atol=1e-5)
  plain = parts.sample(own, key, np.arange(20), None)
  assert np.isfinite(many).all() and many.shape == plain.shape
  assert np.abs(many - plain).max() > 1e-3
  # D thinks better of them.
  logits = lambda x: float(parts.judge(own, x, None).mean())
  assert logits(many) > logits(plain)


def test_calibrated_logits_are_a_fit_of_held_out_samples(monkeypatch):
  _, setup, _ = sampled.run('HINGE')
  seen = []

  def fit(real, fake):
    seen.append((real, fake))
    return 0.5, 0.25

  monkeypatch.setattr(calibration, 'fit', fit)
  _, parts, own, key = corrected(
    3, 'HINGE', rejection='mh', rejection_steps=2, calibrate=True
  )
  ((real, fake),) = seen
  x = setup.held_out()['x'][:48]
  np.testing.assert_allclose(real, parts.judge(own, x, None), atol=1e-5)
  assert len(fake) == len(real)
  monkeypatch.setattr(calibration, 'fit', lambda real, fake: (-1.0, 0.0))
  with pytest.raises(UserError, match='calibrate: D calls held-out samples no'):
    corrected(3, 'HINGE', rejection='drs', calibrate=True)


def test_without_held_out_samples_there_is_no_calibration():
  _, setup, _ = sampled.run('POINTS')
  none = setup._replace(held_out=dict)
  with pytest.raises(UserError, match='calibrate: this run holds no samples'):
    correcting.held_out(none, Way(rejection='drs', calibrate=True))
  x, label = correcting.held_out(none, Way(rejection='mh'))
  assert x.shape == (48, 2) and label is None  # of the training, then


def test_a_sample_that_d_never_accepts_is_told(monkeypatch):
  monkeypatch.setattr(
    correcting.rejection, 'merits', lambda logits, *_: 0 * logits - 100
  )
  with pytest.raises(UserError, match='rejection=drs: .* never accepted'):
    corrected(2, rejection='drs', rejection_steps=3)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """A copy of a tiny run of points."""
  copy = tmp_path_factory.mktemp('runs') / 'run'
  shutil.copytree(finished_run(), copy)
  return copy


def test_scores_are_of_another_protocol(run):
  own = ['--metrics=modes', '--num=64']
  flags = (
    ['--truncation=.5', '--truncation_mode=scale'],
    ['--rejection=ddls', '--rejection_steps=3'],
    [],
  )
  for more in flags:
    evaluate.main(['', f'--workdir={run}', *own, *more])
  gan_jax.evaluate(
    run, metrics='modes', num_samples=64, truncation=0.25,
    truncation_mode='scale',
  )  # fmt: skip
  made = json.loads((run / 'scores.json').read_text())
  drawn = {(r['truncation'], r.get('rejection')) for r in made}
  assert drawn == {
    (None, None), ('scale 0.5', None), ('scale 0.25', None),
    (None, 'ddls, 3 steps'),
  }  # fmt: skip
  usual = [r for r in made if r['metric'] == 'modes' and 'rejection' not in r]
  assert len([r for r in usual if r['truncation'] is None]) == 1
  for flag, words in (
    ('--truncation=.5', 'truncation=0.5: the generator of model mlp'),
    ('--rejection=none', 'rejection=none: there are drs, mh, ddls'),
    ('--calibrate', 'calibrate=True: it goes with rejection'),
    ('--truncation=a', 'truncation=a: expected a number'),
  ):
    with pytest.raises(UserError, match=words):
      evaluate.main(['', f'--workdir={run}', *own, flag])


def test_a_mistake_writes_nothing(run, capfd):
  argv = [f'--workdir={run}', '--rejection=drs', '--truncation=.5']
  refused(capfd, evaluate.main, argv, 'rejection=drs does not go', root=run)
  other = ['--samples=x', '--data=y', '--truncation=.5']
  refused(capfd, evaluate.main, other, '--truncation', root=run)


def test_from_python_it_is_the_same(run):
  gan = gan_jax.load(run)
  way = {'truncation': 0.5, 'truncation_mode': 'scale'}
  made = gan.sample(4, seed=2, **way)
  np.testing.assert_array_equal(gan_jax.sample(run, 4, seed=2, **way), made)
  np.testing.assert_allclose(
    made, gan.generate(0.5 * gan.latents(4, seed=2)), atol=1e-5
  )
  with pytest.raises(UserError, match='truncation=0.5: the generator of'):
    gan.sample(4, truncation=0.5)
  with pytest.raises(UserError, match='trunc: no such option'):
    gan_jax.evaluate(run, trunc=0.5)
