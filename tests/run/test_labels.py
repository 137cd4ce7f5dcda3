"""Samples are made of the classes that the data have, in their shares."""

import json
import types

import jax
import numpy as np
import pytest

from gan_jax import evaluate, sample
from gan_jax.data import held_out, memory
from gan_jax.game import keys
from gan_jax.metrics import records
from gan_jax.run import command, labels, scoring
from gan_jax.run import setup as setup_lib
from gan_jax.types import UserError
from tests.bad_input import ROOT

KEY = jax.random.key(3)


def setup_of(counts, **fields):
  """What `of_draw` needs of a setup whose data have so many of each class."""
  y = np.repeat(np.arange(len(counts)), counts)
  names = tuple('abcdefghij'[: len(counts)])
  dataset = memory.from_arrays(
    'own', 'point', np.zeros((len(y), 2), np.float32), y, class_names=names
  )
  usual = {'dataset': dataset, 'num_classes': len(names), 'attributes': ()}
  return types.SimpleNamespace(**usual | fields)


@pytest.mark.parametrize(
  'counts', [(950, 50), (1, 2, 3, 4), (500, 0, 500), (7,), (1,) * 10]
)
def test_labels_have_the_shares_of_the_data(counts):
  drawn = labels.of_draw(setup_of(counts), labels.DATA, KEY, 5000)
  found = np.bincount(drawn, minlength=len(counts)) / 5000
  shares = np.array(counts) / sum(counts)
  error = np.sqrt(shares * (1 - shares) / 5000)
  assert (np.abs(found - shares) <= 4 * error).all()
  assert drawn.dtype == np.int32 and len(found) == len(counts)


def test_a_label_follows_from_the_key_and_its_index():
  """So it depends neither on how many there are nor on batches."""
  setup = setup_of((3, 5, 2))
  of = lambda key, num: labels.of_draw(setup, labels.DATA, key, num).tolist()
  drawn = of(KEY, 2500)
  assert of(KEY, 10) == drawn[:10] and of(KEY, 1025) == drawn[:1025]
  assert of(jax.random.key(4), 2500) != drawn
  assert of(keys.draw_key(KEY, 1), 2500) != drawn


def test_balanced_labels_go_through_all_classes():
  made = labels.of_draw(setup_of((90, 9, 1)), labels.BALANCED, KEY, 7)
  assert made.tolist() == [0, 1, 2, 0, 1, 2, 0]
  nobody = setup_of((1, 1), num_classes=0)
  assert labels.of_draw(nobody, labels.DATA, KEY, 7) is None
  with pytest.raises(UserError, match='--labels=even: there are data, balance'):
    labels.check('even')


def test_only_the_examples_that_are_trained_on_count():
  """Of a part, and of data in which some examples have no class."""
  y = np.r_[np.zeros(60), np.ones(20), -np.ones(20)].astype(np.int32)
  whole = memory.from_arrays(
    'own', 'point', np.zeros((100, 2), np.float32), y, class_names=('a', 'b')
  )
  np.testing.assert_allclose(labels.shares(whole), [0.75, 0.25])
  trained, unseen = held_out.part(whole, 0.5)
  for part in (trained, unseen):
    y = part.read(np.arange(part.size))['label']
    want = np.array([(y == 0).sum(), (y == 1).sum()])
    np.testing.assert_allclose(labels.shares(part), want / want.sum())


@pytest.fixture(scope='module')
def uneven(tmp_path_factory):
  """Two kinds of pictures, 90 % and 10 %, and a setup of a conditional G."""
  path = tmp_path_factory.mktemp('uneven') / 'data.npz'
  rng = np.random.default_rng(0)
  y = (np.arange(200) % 10 == 0).astype(int)
  x = rng.integers(0, 256, (200, 8, 8, 1), dtype=np.uint8)
  np.savez(path, x=x, label=y, class_names=['often', 'rare'])
  overrides = {
    'data': {'name': 'npz', 'path': str(path)},
    'conditional': True,
    'features': 'pixels',
    'metrics': ('fid',),
  }
  return command.load_config(f'{ROOT}/configs/digits.py:tiny', overrides)


@pytest.mark.parametrize(
  'how, rare', [('data', (20, 60)), ('balanced', (200,))]
)
def test_scores_are_of_the_classes_in_the_data(uneven, how, rare):
  setup = setup_lib.build(uneven)
  protocol = scoring.EvalProtocol(
    space='pixels', num_samples=400, labels=how, draws=2
  )
  made_of = []

  def sample(averages, key, index, label=None):
    made_of.append(np.asarray(label))
    return setup.sample(averages, key, index, label)

  spied = _Spied(setup, sample)
  look = scoring.make_look(spied, ('fid',), protocol=protocol)
  drawn = look(5, setup.init().ema, setup.keys, (0,))
  (record,) = scoring.gather([(seed, compute()) for seed, compute in drawn])
  assert record['labels'] == how
  counts = [int(np.concatenate(made_of[i : i + 2])[:400].sum()) for i in (0, 2)]
  assert all(min(rare) <= count <= max(rare) for count in counts)
  assert (counts[0] != counts[1]) == (how == 'data')


class _Spied:
  """A setup with another sampler."""

  def __init__(self, setup, sample):
    self._setup, self.sample = setup, sample

  def __getattr__(self, name):
    return getattr(self._setup, name)


def test_scores_of_other_classes_are_of_another_protocol(uneven):
  of = lambda how: {'metric': 'fid', 'value': 1.0, 'labels': how}
  hashes = {records.protocol_hash(of(how)) for how in ('data', 'balanced')}
  assert len(hashes) == 2
  setup = setup_lib.build({**uneven, 'conditional': False})
  maker = scoring._maker(setup, scoring.EvalProtocol(), 5, 0)
  assert 'labels' not in maker


@pytest.mark.slow
def test_the_commands_take_labels_by_name(uneven, tmp_path):
  from gan_jax import train

  train.train(uneven, tmp_path / 'run')
  run = f'--workdir={tmp_path}/run'
  evaluate.main(['evaluate', run, '--labels=balanced', '--num=100'])
  scores = json.loads((tmp_path / 'run' / 'scores.json').read_text())
  assert [r['labels'] for r in scores] == ['data', 'balanced']
  rare = {}
  for how in ('', 'data', 'balanced'):
    out = tmp_path / f'samples_{how}.npz'
    words = [f'--labels={how}'] if how else []
    sample.main(['sample', run, f'--out={out}', '--num=300', *words])
    with np.load(out) as file:
      rare[how] = file['labels'].tolist()
  assert rare[''] == rare['data'] and 10 < sum(rare['data']) < 60
  assert sum(rare['balanced']) == 150
