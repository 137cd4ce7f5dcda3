"""Truncated samples of small generators, and what a run cannot do."""

import jax
import numpy as np
import pytest

from gan_jax.game import keys as keys_lib
from gan_jax.run import draws
from gan_jax.run.samplers import codes, making, settling, ways
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.samplers.way import Way
from gan_jax.types import UserError
from tests.run import sampled


def draw(which, num=3, **way):
  _, setup, state = sampled.run(which)
  return draws.draw(setup, state, num, way=ways.given(way, setup))


def test_at_psi_0_there_is_the_mean_image():
  """Of the average style; what is left is each sample's noise."""
  _, setup, _ = sampled.run('STYLED')
  net, own = setup.rules().game.nets['g'], sampled.averages('STYLED')['g']
  tree = {'params': own['params'], **own['vars']}
  found = draw('STYLED', truncation=0.0)
  latents = draws.latents(setup.rules().game.prior, 3, seed=0)
  ws = np.full((3, net.bind({}).synthesis.styles, 6), 0.5, np.float32)
  want = net.apply(tree, ws, latents['noise'], train=False, method='images')
  np.testing.assert_allclose(found, want, atol=1e-5)
  still = net.apply(tree, ws[:1], None, train=False, method='images')
  assert np.abs(found.mean(0) - still[0]).max() < np.abs(found - still).max()


def test_psi_lies_between_and_1_changes_nothing():
  plain, whole = draw('STYLED'), draw('STYLED', truncation=1.0)
  np.testing.assert_allclose(whole, plain, atol=1e-5)
  _, setup, _ = sampled.run('STYLED')
  net, own = setup.rules().game.nets['g'], sampled.averages('STYLED')['g']
  tree = {'params': own['params'], **own['vars']}
  latents = draws.latents(setup.rules().game.prior, 3, seed=0)
  # The model has an option that does the same.
  want = net.clone(truncation=0.4).apply(tree, latents, train=False)
  np.testing.assert_allclose(draw('STYLED', truncation=0.4), want, atol=1e-5)
  assert np.abs(draw('STYLED', truncation=0.4) - plain).max() > 1e-3


def test_only_the_first_layers_are_moved():
  count = settling.styles_of(sampled.run('STYLED')[1])
  some = draw('STYLED', truncation=0.0, truncation_layers=1)
  every = draw('STYLED', truncation=0.0, truncation_layers=count)
  np.testing.assert_allclose(every, draw('STYLED', truncation=0.0), atol=1e-6)
  assert np.abs(some - every).max() > 1e-3
  assert np.abs(some - draw('STYLED')).max() > 1e-4


@pytest.mark.parametrize('mode, amount', [('resample', 0.3), ('scale', 0.5)])
def test_latents_are_truncated_where_there_are_no_styles(mode, amount):
  _, setup, _ = sampled.run('POINTS')
  way = ways.given({'truncation': amount, 'truncation_mode': mode}, setup)
  parts = making.parts(setup, way)
  z = making.latents(parts, draws.key_of(0), 40)
  plain = draws.latents(setup.rules().game.prior, 40, seed=0)
  if mode == 'scale':
    np.testing.assert_allclose(z, amount * plain, rtol=1e-6)
  else:
    assert np.abs(z).max() <= amount < np.abs(plain).max()
    within = np.abs(plain) <= amount
    np.testing.assert_array_equal(z[within], plain[within])
  variables = sampled.averages('POINTS')
  made = draw('POINTS', 40, truncation=amount, truncation_mode=mode)
  want = parts.samples(variables, z, None)
  np.testing.assert_allclose(made, want, atol=1e-5)


def test_a_models_own_mode_is_the_usual_one():
  _, setup, _ = sampled.run('STYLED')
  assert settling.settled(Way(0.7), setup).truncation_mode == 'style'
  from gan_jax import select

  module = lambda name: select.module('models', name, flag='')
  assert module('biggan').TRUNCATION == module('biggan_deep').TRUNCATION
  assert module('biggan').TRUNCATION == 'resample'
  assert module('r3gan').TRUNCATION == module('r3gan2').TRUNCATION == 'scale'


def test_codes_are_set_and_all_else_stays():
  _, setup, _ = sampled.run('CODED')
  assert settling.codes_of(setup) == [(4, 3), (7, 0), (8, 0)]
  code, walk = codes.parse('c0=2,c2=-0.5', setup)
  assert walk is None
  parts = making.parts(setup, Way(code=code))
  z = making.latents(parts, draws.key_of(0), 6)
  plain = np.asarray(draws.latents(setup.rules().game.prior, 6, seed=0))
  np.testing.assert_array_equal(z[:, 4:7], np.tile([0, 0, 1], (6, 1)))
  np.testing.assert_allclose(z[:, 8], -0.5)
  np.testing.assert_array_equal(z[:, [*range(4), 7]], plain[:, [*range(4), 7]])
  way = ways.given(
    {'truncation': 0.5, 'truncation_mode': 'scale', 'code': 'c0=2'}, setup
  )
  z = making.latents(making.parts(setup, way), draws.key_of(0), 6)
  np.testing.assert_allclose(z[:, :4], plain[:, :4] / 2)
  np.testing.assert_array_equal(z[:, 4:7], np.tile([0, 0, 1], (6, 1)))
  np.testing.assert_array_equal(z[:, 7:], plain[:, 7:])


def test_walks_of_codes():
  _, setup, _ = sampled.run('CODED')
  _, (place, values) = codes.parse('c0=0..2', setup)
  assert place == 4
  np.testing.assert_array_equal(values, np.eye(3))
  fixed, (place, values) = codes.parse('c1=1..-1,c0=1', setup)
  assert place == 7 and fixed == ((4, (0.0, 1.0, 0.0)),)
  np.testing.assert_allclose(values[:, 0], np.linspace(1, -1, codes.STEPS))
  _, (_, back) = codes.parse('c0=2..0', setup)
  np.testing.assert_array_equal(back, np.eye(3)[::-1])


REFUSED = {
  'truncation=inf: expected a finite': ('STYLED', {'truncation': np.inf}),
  'truncation=0.7: the generator of model mlp has no styles.*resample': (
    'POINTS', {'truncation': 0.7},
  ),
  'truncation=0.7: truncation_mode=style: .*model mlp has no styles': (
    'POINTS', {'truncation': 0.7, 'truncation_mode': 'style'},
  ),
  'truncation_mode=none: there are style, resample, scale': (
    'STYLED', {'truncation': 0.7, 'truncation_mode': 'none'},
  ),
  'truncation_mode=style: it goes with truncation': (
    'STYLED', {'truncation_mode': 'style'},
  ),
  'truncation_layers=99: this generator has': (
    'STYLED', {'truncation': 0.7, 'truncation_layers': 99},
  ),
  'truncation_layers=2: it goes with truncation_mode=style': (
    'POINTS',
    {'truncation': 0.7, 'truncation_mode': 'scale', 'truncation_layers': 2},
  ),
  'truncation=0: truncation_mode=resample: expected above 0': (
    'POINTS', {'truncation': 0.0, 'truncation_mode': 'resample'},
  ),
  'truncation=-1: truncation_mode=scale: expected at least 0': (
    'POINTS', {'truncation': -1.0, 'truncation_mode': 'scale'},
  ),
  'resample: it is for latent.name=normal, this run has uniform': (
    'CODED', {'truncation': 1.0, 'truncation_mode': 'resample'},
  ),
  'rejection=all: there are drs, mh, ddls': ('POINTS', {'rejection': 'all'}),
  'rejection=drs does not go with truncation=0.7': (
    'POINTS', {'rejection': 'drs', 'truncation': 0.7},
  ),
  'rejection=mh: under loss.name=hinge .*calibrate': (
    'HINGE', {'rejection': 'mh'},
  ),
  'rejection=ddls: it moves latents of latent.name=normal': (
    'CODED', {'rejection': 'ddls'},
  ),
  'rejection_percentile=80: it goes with rejection=drs': (
    'POINTS', {'rejection': 'mh', 'rejection_percentile': 80},
  ),
  'rejection_percentile=100: expected below 100': (
    'POINTS', {'rejection': 'drs', 'rejection_percentile': 100},
  ),
  'calibrate=True: it goes with rejection': ('POINTS', {'calibrate': True}),
  "truncate: no such option; did you mean 'truncation'": (
    'POINTS', {'truncate': 0.5},
  ),
  "truncation='half': expected": ('POINTS', {'truncation': 'half'}),
  'code=.c0=1.*: the latent of this run has no codes': (
    'POINTS', {'code': 'c0=1'},
  ),
  "no code 'c3'; .* c0 to c2": ('CODED', {'code': 'c3=1'}),
  "c0 has the values 0 to 2, not '3'": ('CODED', {'code': 'c0=3'}),
  "c1 is a number, .* not 'a'": ('CODED', {'code': 'c1=a'}),
  'expected one walk': ('CODED', {'code': 'c1=0..1,c0=0..2'}),
  'expected values, no walk': ('CODED', {'code': 'c1=0..1'}),
}  # fmt: skip


@pytest.mark.parametrize('words', REFUSED)
def test_what_a_run_cannot_do_is_a_line(words):
  which, way = REFUSED[words]
  with pytest.raises(UserError, match=words.replace('code=.c0', 'code=c0')):
    ways.given(way, sampled.run(which)[1])


def test_a_judge_of_more_than_samples_and_a_smooth_loss_are_refused():
  _, setup, _ = sampled.run('POINTS')
  smooth = setup._replace(numbers={**setup.numbers, 'loss': {'smoothing': 0.1}})
  with pytest.raises(UserError, match=r'loss.smoothing=0.1 a logit of D is no'):
    settling.settled(Way(rejection='drs'), smooth)
  settling.settled(Way(rejection='drs', calibrate=True), smooth)
  settling.settled(Way(rejection='mh', calibrate=True), sampled.run('HINGE')[1])


@pytest.mark.parametrize(
  'way, truncation, rejection',
  [
    (Way(), None, None),
    (Way(0.7, 'style'), 'style 0.7', None),
    (Way(0.7, 'style', 4), 'style 0.7, first 4 layers', None),
    (Way(rejection='drs'), None, 'drs'),
    (
      Way(rejection='drs', rejection_percentile=80, calibrate=True),
      None,
      'drs, gamma of percentile 80, calibrated',
    ),
    (Way(rejection='mh'), None, 'mh, 640 steps'),
    (Way(rejection='ddls', rejection_steps=9), None, 'ddls, 9 steps'),
  ],
)
def test_what_a_record_says(way, truncation, rejection):
  names = way_lib.names(way)
  assert names['truncation'] == truncation
  assert names.get('rejection') == rejection
  assert ('rejection' in names) == (rejection is not None)


def test_samples_of_the_usual_way_are_those_of_the_training():
  _, setup, state = sampled.run('POINTS')
  own = jax.tree.map(lambda x: x[0], state.ema)
  key = draws.key_of(3)
  made = making.parts(setup, Way()).sample(own, key, np.arange(5), None)
  want = draws.draw(setup, state, 5, seed=3)
  np.testing.assert_allclose(made, want, atol=1e-6)
  keys = keys_lib.fold_examples(
    keys_lib.stream(key, keys_lib.SAMPLE), np.arange(5)
  )
  latents = making.parts(setup, Way()).latents(keys)
  np.testing.assert_array_equal(
    latents, draws.latents(setup.rules().game.prior, 5, seed=3)
  )
