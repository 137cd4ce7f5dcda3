"""What a run leaves, and what a study answers, alike of every kind of data."""

import html
import json

import jax
import numpy as np
import pytest

import gan_jax
from gan_jax import ablate, sample, select
from gan_jax.data import kinds
from gan_jax.report import text
from gan_jax.run import setup as setup_lib
from gan_jax.storage import files
from gan_jax.study import results
from tests import tiny
from tests.components import conformance
from tests.components.shipped import SMALL, THIN
from tests.pairs.bases import BASES, config_of

pytestmark = pytest.mark.slow


def test_every_kind_has_a_base():
  seen = {setup_lib.build(config_of(base)).dataset.kind for base in BASES}
  assert seen == set(select.available('kinds'))


@pytest.fixture(scope='module', params=BASES)
def run(request, tmp_path_factory):
  """(config, a workdir of it)."""
  config = config_of(request.param, num_seeds=2)
  workdir = tmp_path_factory.mktemp('runs') / request.param
  gan_jax.train(config, workdir)
  return config, workdir


def test_it_is_scored_and_judged(run):
  config, workdir = run
  records = json.loads((workdir / 'scores.json').read_text())
  assert {r['seed'] for r in records} == {0, 1}
  assert np.isfinite([r['value'] for r in records]).all()
  rows = files.read_rows(workdir / 'metrics.jsonl')
  seen = [row for row in rows if 'health_separation' in row]
  assert seen and not any(np.any(row['health_nonfinite']) for row in seen)
  page = (workdir / 'report.html').read_text()
  titles = {html.escape(text.title(r['metric'])) for r in records}
  assert all(title in page for title in titles), titles


def test_its_samples_are_written_in_every_way(run, tmp_path):
  config, workdir = run
  kind = kinds.of(setup_lib.build(config).dataset)
  for suffix in ('.npz', *kind.SUFFIXES):
    folder = tmp_path / suffix[1:]
    folder.mkdir()
    out = f'--out={folder}/a{suffix}'
    sample.main(['', f'--workdir={workdir}', out, '--num=4'])
    assert all(p.stat().st_size for p in folder.iterdir())
    assert len(list(folder.iterdir())) >= 1


# Of models that no base has: {model: (a base of its kind, what else)}.
PLAIN = {'latent': {'name': 'normal', 'dim': 4}}
BY_CODES = {'latent': {'name': 'normal', 'dim': 16}}
MODELS = {
  **{
    name: ('image', {'latent': {'name': 'normal', 'dim': 8}})
    for name in SMALL
    if name not in ('dcgan', 'mlp')
  },
  **dict.fromkeys(('bilinear', 'dirac', 'quadratic'), ('point', PLAIN)),
  'ali': ('image', BY_CODES),
  'aae': ('image', BY_CODES | {'penalties': {'reconstruction': {}}}),
  'gru_gan': ('series', PLAIN),
  'gumbel_lstm': ('text', PLAIN),
  'quantgan': ('series', PLAIN),
  'specgan': ('audio', {}),
  'vae_gan': ('image', BY_CODES | {'penalties': {'kl': {'weight': 0.01}}}),
  'timegan': (
    'series',
    PLAIN
    | {
      'dynamics': {'name': 'timegan', 'embed': 1, 'supervise': 0},
      'penalties': {name: {} for name in ('reconstruction', 'supervised')},
    },
  ),
}


def test_every_model_is_among_them():
  bases = {config_of(base)['model']['name'] for base in BASES}
  assert bases | set(MODELS) == set(select.available('models'))


@pytest.mark.parametrize('model', MODELS)
def test_devices_agree_on_a_model(model):
  """Their health is looked at in what each kind's base trains."""
  base, others = MODELS[model]
  small = (SMALL | THIN).get(model, {})
  own = {'penalties': {}, 'model': {**small, 'name': model}} | others
  assert_devices_agree(config_of(base, **own, health_every=0))


@pytest.mark.parametrize('base', BASES)
def test_devices_agree(base):
  assert_devices_agree(config_of(base))


def assert_devices_agree(config):
  """SGD: Adam would hide a wrong scale of a gradient."""
  config = {**config, 'num_seeds': 1}
  config['optim'] = {k: dict(v) for k, v in config['optim'].items()}
  for player in config['optim']:
    config['optim'][player] = {'name': 'sgd', 'learning_rate': 1e-2}
  setup = setup_lib.build(config)
  first = conformance.drawn(jax.eval_shape(setup.first))
  one = _after_one(setup, first, 'jit', 1)
  other = _after_one(setup, first, 'shard_map', 4)
  # Of one step: a second one makes more of how sums are rounded.
  assert tiny.distance(one.players, other.players) < 1e-5
  assert tiny.distance(one.players, first.players) > 1e-5


def _after_one(setup, first, wrapper, devices):
  program = setup_lib.make_program(
    setup, wrapper=wrapper, devices=jax.devices()[:devices]
  )
  state, total = program.put(first), program.put(program.zeros)
  data = setup_lib.make_data(setup, program, step=0)
  state, total = program.advance(state, total, data(0), 1)
  return jax.device_get(program.get(state))


@pytest.mark.parametrize('base', BASES)
def test_a_study_of_two_losses(base, tmp_path):
  levels = ('cross_entropy', 'hinge')
  study = {
    'question': 'Does the loss matter?',
    'base': BASES[base].file,
    'factors': {'loss.name': levels},
    'num_seeds': 2,
    'overrides': BASES[base].changes | {'steps': 4},
  }
  file = tmp_path / 'study.py'
  file.write_text(f'def get_study():\n  return {study!r}\n')
  ablate.ablate(file, tmp_path / 'work')
  rows = results.read(tmp_path / 'work' / 'results.jsonl')
  assert [(r['cell'], r['seed']) for r in rows] == [
    (level, seed) for level in levels for seed in (0, 1)
  ]
  assert {r['status'] for r in rows} == {'finished'}
  assert all('verdict' in r['health'] for r in rows)
  assert (tmp_path / 'work' / 'report.html').stat().st_size
