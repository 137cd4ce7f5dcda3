"""python -m gan_jax.spectrum, on games whose eigenvalues are known; on nets."""

import json

import numpy as np
import pytest
from PIL import Image

import gan_jax
from gan_jax import api
from gan_jax import spectrum as door
from gan_jax.run import command, spectrum
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests.bad_input import refused

WIDE = {'data.dim': 3, 'model.d.matrix': 'normal', 'model.d.matrix_seed': 4}


def of(recipe, *, count=6, scale=None, seeds=None, **changes):
  """(Spectrum of the flow, of the steps) of a recipe's first state."""
  setup = setup_lib.build(command.load_config(recipe, changes))
  state = setup.init()
  if scale is not None:
    state = state._replace(
      players={
        k: p._replace(params={n: scale * x for n, x in p.params.items()})
        for k, p in state.players.items()
      }
    )
  return spectrum.spectra(setup, state, run_seed=0, count=count)


def own(name, **options):
  return {'dynamics': {'name': name, **options}}


def rates(eta):
  return {f'optim.{player}.learning_rate': eta for player in 'gd'}


# By closed forms


ROWS = {
  'simultaneous': (0.3, {}, np.sqrt(1.09), 'repelling'),
  'alternating': (0.3, {}, 1.0, 'rotating'),
  'extragradient': (2**-0.5, {}, np.sqrt(0.75), 'attracting'),
  'proximal': (0.3, {'iterations': 20}, 1 / np.sqrt(1.09), 'attracting'),
  'optimistic': (0.5, {}, np.sqrt(0.5), 'attracting'),
  'consensus': (0.3, {'gamma': 0.5}, np.hypot(0.85, 0.3), 'attracting'),
  'symplectic': (0.3, {'weight': 0.5}, np.hypot(0.85, 0.3), 'attracting'),
  'unrolled': (0.3, {'unroll': 1}, np.sqrt(0.91), 'attracting'),
  'negative_momentum': (0.5, {}, 0.96254, 'attracting'),
  'lookahead': (0.5, {}, 0.30258, 'attracting'),
}


@pytest.mark.parametrize('name', ROWS)
def test_steps_on_the_bilinear_game(name):
  eta, options, radius, verdict = ROWS[name]
  changes = own(name, **options) | rates(eta) | {'data.dim': 1}
  flow, steps = of('bilinear:tiny', **changes)
  places = 1e-5 if name in ('negative_momentum', 'lookahead') else 1e-6
  assert steps.radius == pytest.approx(radius, abs=places)
  assert steps.verdict == verdict
  assert steps.steps == (5 if name == 'lookahead' else 1)
  # The flow knows nothing of dynamics.
  assert flow.verdict == 'rotating'
  np.testing.assert_allclose(flow.values, [1j, -1j], atol=1e-6)


@pytest.mark.parametrize('dense', [True, False])
def test_singular_values_by_both_methods(dense, monkeypatch):
  """The flow turns at their rates; the steps drift by the largest."""
  if not dense:
    monkeypatch.setattr(spectrum, 'DENSE', 0)
  changes = own('simultaneous') | WIDE | {'data.dim': 8}
  flow, steps = of('bilinear:tiny', count=4, **changes)
  a = np.random.default_rng(4).normal(size=(8, 8)) / np.sqrt(8)
  singular = np.linalg.svd(a)[1]
  assert flow.dense is steps.dense is dense
  assert len(steps.values) == 4 and steps.size == flow.size == 16
  first = 1 + 0.1j * np.repeat(singular[:2], 2) * [1, -1, 1, -1]
  np.testing.assert_allclose(steps.values, first, atol=1e-4)
  if dense:
    assert np.abs(flow.values.real).max() < 1e-6


DIRAC = [
  ({}, 0.5j, 'rotating'),
  ({'r1': 0.3}, -0.15 + 0.4769696j, 'attracting'),
  ({'r1': 1.0}, -0.5, 'attracting'),
  ({'r1': 0.3, 'r2': 0.3}, -0.3 + 0.4j, 'attracting'),
]


@pytest.mark.parametrize('gammas, leading, verdict', DIRAC)
def test_the_flow_of_the_dirac_gan(gammas, leading, verdict):
  penalties = {name: {'gamma': gamma} for name, gamma in gammas.items()}
  loss = {'loss.name': 'rpgan'} if len(gammas) > 1 else {}
  changes = own('simultaneous') | rates(0.5) | loss | {'penalties': penalties}
  flow, steps = of('dirac:tiny', scale=0.0, **changes)
  np.testing.assert_allclose(flow.values[0], leading, atol=1e-6)
  np.testing.assert_allclose(steps.values[0], 1 + 0.5 * leading, atol=1e-6)
  assert flow.verdict == verdict and flow.gradient == 0


def test_a_quadratic_game_that_drives_away():
  flow, steps = of('quadratic:tiny', **{'model.d.g_curvature': -0.1})
  assert flow.verdict == steps.verdict == 'repelling'


def test_a_lazy_term_makes_a_cycle():
  """R1 once in three steps, three times as strong, in a step of its own."""
  penalties = {'r1': {'gamma': 0.2, 'every': 3}}
  _, steps = of('dirac:tiny', scale=0.0, penalties=penalties)

  def move(keep):  # of (theta, psi): D moves, is shrunk, G answers
    psi = keep * np.array([-0.05, 1])
    return np.stack([np.array([1, 0]) + 0.05 * psi, psi])

  cycle = move(1.0) @ move(1.0) @ move(1 - 0.1 * 3 * 0.2)
  assert steps.steps == 3 and steps.verdict == 'attracting'
  lead = np.linalg.eigvals(cycle)
  assert steps.radius == pytest.approx(np.abs(lead).max(), abs=1e-6)


# Networks, optimizers with moments


def test_networks_with_adam_by_both_methods(monkeypatch):
  changes = {f'model.{player}.hidden': (3,) for player in 'gd'}
  changes |= {'batch_size': 16}
  dense = of('ring8:tiny', count=3, **changes)
  monkeypatch.setattr(spectrum, 'DENSE', 0)
  sparse = of('ring8:tiny', count=3, **changes)
  for whole, part in zip(dense, sparse, strict=True):
    assert whole.size == part.size and np.isfinite(whole.values).all()
    lead = lambda s: np.abs(s.values[0].real)
    assert lead(part) == pytest.approx(lead(whole), rel=1e-2)
  flow, steps = dense
  assert steps.size == 3 * flow.size  # two moments of each


def test_what_is_not_finite_is_refused():
  with pytest.raises(UserError, match='the Jacobian there is not finite'):
    of('dirac:tiny', scale=np.float32('nan'))


# In words


@pytest.mark.parametrize(
  'values, flow, steps',
  [
    ([-0.5, -1 + 1j], 'attracting', 'repelling'),
    ([1e-9 + 1j, 1e-9 - 1j, -1], 'rotating', 'rotating'),
    ([0, 0, -0.5], 'neutral', 'attracting'),
    ([0.1, -1], 'repelling', 'neutral'),
  ],
)
def test_verdicts(values, flow, steps):
  values = np.array(values, complex)
  assert spectrum.judge_flow(values, 1e-6) == flow
  assert spectrum.judge_steps(values, 1e-6) == steps


def test_words():
  made = spectrum.Spectrum(np.array([0.5 + 0j]), 2, True, 1, 'attracting')
  assert spectrum.words(made) == (
    'steps: attracting; radius 0.5, distances halve every 1 steps'
  )
  turning = made._replace(
    values=np.array([1j, -1j]), verdict='rotating', steps=2
  )
  assert spectrum.words(turning) == (
    'steps: rotating; radius of 2 steps 1, a turn takes 8'
  )
  growing = made._replace(values=np.array([2**0.1 + 0j]), verdict='repelling')
  assert spectrum.words(growing).endswith('distances double every 10 steps')


# The command


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  folder = tmp_path_factory.mktemp('spectrum') / 'run'
  config = gan_jax.recipes.load('bilinear:tiny', **{'num_seeds': 2})
  config.dynamics = {'name': 'lookahead', 'k': 2}
  gan_jax.train(config, folder)
  return folder


def test_the_command_says_it_and_draws_it(workdir, tmp_path, capsys):
  out = tmp_path / 'spectrum.png'
  door.main(['', f'--workdir={workdir}', f'--out={out}', '--count=2'])
  lines = capsys.readouterr().out.splitlines()
  assert lines[0] == 'step 8, seed 0'
  assert lines[1].startswith('flow: rotating; leading eigenvalue 0 + 1i')
  assert lines[2].startswith('steps: attracting; radius of 2 steps 0.99')
  assert sum(line.startswith('  ') for line in lines) == 4
  with Image.open(out) as picture:
    assert picture.size == (960, 480) and len(picture.getcolors(10**6)) > 10


def test_the_command_and_python_say_the_same(workdir, capsys):
  door.main(['', f'--workdir={workdir}', '--json', '--run_seed=all'])
  said = json.loads(capsys.readouterr().out)
  assert said == gan_jax.spectrum(workdir) == api.spectrum(str(workdir))
  assert [one['seed'] for one in said] == [0, 1]
  assert said[0]['steps']['verdict'] == 'attracting'
  assert len(gan_jax.spectrum(workdir, checkpoint=4, count=1)) == 2


@pytest.mark.parametrize(
  'words, expected',
  [
    (['--count=0'], '--count=0'),
    (['--num=-1'], '--num=-1'),
    (['--out=here.gif'], '--out=here.gif: expected a name ending in .png'),
    (['--out=nowhere/here.png'], 'there is no folder nowhere'),
    (['--checkpoint=9'], '9'),
    (['--run_seed=7'], '--run_seed=7'),
    (['--out={}/a.png', '--run_seed=all'], 'a picture is of one seed'),
  ],
)
def test_mistakes(words, expected, workdir, capfd, tmp_path):
  words = [word.format(tmp_path) for word in words]
  argv = [f'--workdir={workdir}', *words]
  refused(capfd, door.main, argv, expected, root=tmp_path)


def test_no_run(tmp_path, capfd):
  argv = [f'--workdir={tmp_path}']
  refused(capfd, door.main, argv, 'no run here', root=tmp_path)


def test_help(capsys):
  with pytest.raises(SystemExit, match='0'):
    command.run(door.main, ['', '--help'])
  assert len(capsys.readouterr().out.splitlines()) <= 3
