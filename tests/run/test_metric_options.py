"""Options of metrics: of a run by its config, of evaluate by flags."""

import pytest

from gan_jax import evaluate
from gan_jax.metrics import measures, metric_options
from gan_jax.run import command, scoring
from gan_jax.run import setup as setup_lib
from gan_jax.run.workdir import contents
from gan_jax.types import UserError
from tests.bad_input import ROOT, finished_run

DIGITS = f'{ROOT}/configs/digits.py:tiny'


@pytest.mark.parametrize(
  'groups, chosen',
  [
    ({}, {}),
    ({'prdc': {'k': 3}}, {'k': 3}),
    ({'coverage': {'k': 2, 'closed': True}}, {'k': 2, 'closed': True}),
    ({'is': {'splits': 5}, 'swd': {'projections': 9}}, None),
    ({'inception_score': {'order': 'given'}}, {'order': 'given'}),
    ({'modes': {'threshold': 4}}, {'threshold': 4}),
  ],
)
def test_options_by_metric_or_file(groups, chosen):
  found = metric_options.chosen(groups)
  assert found == (chosen or {'splits': 5, 'projections': 9} if groups else {})
  for name, own in groups.items():
    output = measures.outputs(name)[0]
    assert metric_options.of(output, found).items() >= own.items()


@pytest.mark.parametrize(
  'groups, words',
  [
    ({'prdc': {'q': 3}}, r'metric_options.prdc.q: unknown; .* takes closed, k'),
    ({'fid': {'k': 3}}, 'metric_options.fid: no such options; prdc, incept'),
    ({'nothing': {'k': 3}}, 'metric_options.nothing: no such options'),
    ({'prdc': {'k': 0}}, 'metric_options.prdc.k=0: expected a number above 0'),
    ({'prdc': {'k': 2.5}}, 'metric_options.prdc.k=2.5: expected a whole'),
    ({'prdc': {'closed': 3}}, 'closed=3: expected True or False'),
    ({'is': {'order': 'sorted'}}, "order='sorted': there are drawn, given"),
    ({'is': 5}, 'metric_options.is=5: expected a group'),
  ],
)
def test_a_wrong_option_is_refused(groups, words):
  with pytest.raises(UserError, match=words):
    metric_options.chosen(groups)


def test_a_run_is_scored_by_the_options_of_its_config():
  overrides = {
    'metric_options': {'prdc': {'k': 2}, 'swd': {'projections': 7}},
    'features': 'pixels',
  }
  config = command.load_config(DIGITS, overrides)
  setup = setup_lib.build(config)
  protocol = contents.eval_protocol(config)
  names = scoring.metric_names(setup, ('density', 'swd'), protocol=protocol)
  look = scoring.make_look(setup, names, protocol=protocol)
  drawn = look(3, setup.init().ema, setup.keys, (0,))
  density, swd = scoring.gather([(seed, compute()) for seed, compute in drawn])
  assert density['k'] == 2 and swd['projections'] == 7
  fits = scoring.fitting(setup, protocol)
  assert fits(density) and not fits({**density, 'k': 5})


def test_evaluate_takes_them_as_flags(capsys):
  run = f'--workdir={finished_run()}'
  for flag, words in (
    ('--metric_options.prdc.q=1', 'metric_options.prdc.q: unknown'),
    ('--metric_options.k=1', r'--metric_options.k=1: expected --metric_option'),
    ('--metric_options.modes.threshold=0', 'threshold=0: expected a number'),
  ):
    with pytest.raises(UserError, match=words):
      evaluate.main(['evaluate', run, flag])
  unused = '--metrics=modes', '--metric_options.prdc.k=3'
  with pytest.raises(UserError, match=r'^--metric_options.prdc.k does nothing'):
    evaluate.main(['evaluate', run, *unused])


@pytest.mark.parametrize(
  'groups, metrics, word',
  [
    ({'prdc': {'k': 3}}, ('fid',), 'prdc.k'),
    ({'is': {'splits': 3}}, ('fid', 'kid'), 'is.splits'),
    ({'prdc': {'k': 3}, 'is': {'splits': 2}}, ('prdc',), 'is.splits'),
    ({'prdc': {'k': 3}}, ('coverage', 'fid'), ''),
    ({'prdc': {'k': 3}}, (), ''),  # those of the run, whatever they are
  ],
)
def test_options_of_metrics_that_are_not_asked_for(groups, metrics, word):
  assert metric_options.unused(groups, metrics) == word
