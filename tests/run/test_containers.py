"""Samples of a run score alike as the run's and from a file of them."""

import numpy as np
import pytest

from gan_jax.data import loading
from gan_jax.datasets import npz
from gan_jax.game import keys
from gan_jax.report import console
from gan_jax.run import command, evaluation, external_samples, sampling, scoring
from gan_jax.run import labels as labels_lib
from gan_jax.run import setup as setup_lib
from tests.bad_input import ROOT
from tests.metrics import same_records

NUM = 150
# Whatever needs no feature net that is trained, and then all that there are.
LIGHT = ('fid', 'intra_fid', 'kid', 'recall', 'density', 'swd', 'vendi')
EVERY = (*LIGHT, 'fd_infinity', 'is', 'precision', 'coverage', 'class_coverage')


@pytest.fixture(scope='module')
def room(tmp_path_factory):
  """(folder, setup) of a conditional G and data of 80 and 20 %."""
  root = tmp_path_factory.mktemp('room')
  rng = np.random.default_rng(0)
  y = np.repeat([0, 1], (80, 20))
  x = rng.integers(0, 256, (100, 8, 8, 1)) // (1 + y[:, None, None, None])
  names = np.array(['often', 'rare'])
  np.savez(root / 'data.npz', x=x.astype(np.uint8), y=y, class_names=names)
  order = rng.permutation(100)
  turned = {'y': 1 - y[order], 'class_names': names[::-1]}
  np.savez(root / 'other.npz', x=x[order].astype(np.uint8), **turned)
  overrides = {
    'data': {'name': 'npz', 'path': str(root / 'data.npz')},
    'conditional': True,
  }
  config = command.load_config(f'{ROOT}/configs/digits.py:tiny', overrides)
  return root, setup_lib.build(config)


def of_the_run(setup, names, protocol):
  look = scoring.make_look(setup, names, protocol=protocol)
  ((_, compute),) = look(0, setup.init().ema, setup.keys, [0])
  return compute()


def write(path, setup, how='data'):
  """The samples that the run is scored by, in another order."""
  key = keys.draw_key(setup.keys[0], 0)
  labels = labels_lib.of_draw(setup, how, key, NUM)
  variables = sampling.take_seed(setup.init().ema, 0)
  options = {'num_classes': 2, 'labels': labels}
  x = sampling.collect(setup.sample, variables, key, NUM, **options)
  order = np.random.default_rng(1).permutation(NUM)
  beside = npz.beside(setup.dataset, labels[order])
  np.savez(path, samples=x[order], **beside)


def of_files(samples, data, names, protocol):
  return external_samples.evaluate(
    str(samples),
    str(data),
    metrics=names,
    protocol=evaluation.chosen_protocol(scoring.EvalProtocol(), protocol),
    progress=console.Counter('samples', main=False),
    data_options={},
    samples_options={},
  )


def check(room, tmp_path, names, space, other):
  root, setup = room
  protocol = scoring.EvalProtocol(space=space, num_samples=NUM)
  wanted = of_the_run(setup, names, protocol)
  write(tmp_path / 'fake.npz', setup)
  places, besides = None, {'step', *same_records.MAKER, 'source'}
  data = root / ('other.npz' if other else 'data.npz')
  if other:
    places = [1, 0]
    besides |= {*same_records.NAMES, 'features_hash'}
  found = of_files(tmp_path / 'fake.npz', data, names, {'space': space})
  drop = lambda made: [
    {k: v for k, v in record.items() if k not in besides} for record in made
  ]
  same_records.check(drop(found), drop(wanted), places=places)


@pytest.mark.parametrize('other', [False, True])
def test_a_run_and_a_file_of_its_samples_score_alike(room, tmp_path, other):
  """Against the run's own data, and against these in another order."""
  check(room, tmp_path, LIGHT, 'pixels', other)


@pytest.mark.slow
@pytest.mark.parametrize('other', [False, True])
def test_so_they_do_by_every_metric(room, tmp_path, other):
  check(room, tmp_path, EVERY, 'classifier', other)


def test_the_file_knows_its_classes(room, tmp_path):
  _, setup = room
  write(tmp_path / 'fake.npz', setup)
  fake = loading.load('npz', path=str(tmp_path / 'fake.npz'))
  assert fake.class_names == ('often', 'rare')
