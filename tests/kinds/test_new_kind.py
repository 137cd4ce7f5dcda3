"""A kind of one's own: one new file, and a data set that names it.

Words of six letters: on disk the numbers of their letters [N, 6], for the
networks one-hot [N, 6, 4], shown as lines of text, exported as .txt.
"""

import json
import re

import jax
import numpy as np
import PIL.Image
import pytest

from gan_jax import evaluate, sample, train
from gan_jax.data import kinds, loading
from gan_jax.run import command
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from gan_jax.types import UserError

WORDS = '''
"""Words [N, T]: one-hot [N, T, letters] in the networks."""

import pathlib

import jax
import numpy as np

SHOWN, MAX_REAL = 20, 1000
RANGE = None
BACKDROP = False
SUFFIXES = ('.txt',)
FEATURES = ()
MEASURED = ()
mirror = neighbours = as_images = None


def to_model_range(x, *, dataset=None):
  return jax.nn.one_hot(x, dataset.shape[-1])


to_metrics = to_model_range


def from_model_range(samples, *, dataset=None):
  return samples.argmax(-1).astype(np.uint8)


def usual_metrics(there):
  return ('precision', 'recall')


def lines(samples, *, dataset=None, labels=None):
  codes = from_model_range(np.nan_to_num(samples))
  return [''.join(dataset.about[c] for c in word) for word in codes]


def fragment(samples, *, dataset=None, real=None, labels=None):
  pairs = zip(lines(samples, dataset=dataset), lines(real, dataset=dataset))
  return ''.join(f'<p>{made} beside {real}</p>' for made, real in pairs)


def picture(samples, *, dataset=None, real=None, labels=None):
  from PIL import Image, ImageDraw

  sheet = Image.new('RGB', (120, 12 * len(samples)))
  words = lines(samples, dataset=dataset)
  ImageDraw.Draw(sheet).text((0, 0), '\\n'.join(words))
  return sheet


def export(path, samples, *, dataset=None, real=None):
  pathlib.Path(path).write_text('\\n'.join(lines(samples, dataset=dataset)))
'''

DATA = """
import numpy as np
from gan_jax.data import memory


def load(*, size=200):
  x = np.random.default_rng(0).integers(4, size=(size, 6), dtype=np.uint8)
  return memory.from_arrays(
    'words', 'own_words.kind', x, shape=(6, 4), about='abcd'
  )
"""


@pytest.fixture(scope='module')
def config(tmp_path_factory):
  folder = tmp_path_factory.mktemp('package')
  (folder / 'own_words').mkdir()
  (folder / 'own_words' / 'kind.py').write_text(WORDS)
  (folder / 'own_words' / 'data.py').write_text(DATA)
  config = command.load_config('configs/ring8.py:tiny')
  config |= {'data': {'name': 'own_words.data'}, 'metrics': ()}
  config |= {'report_every': 1, 'save_every': 1, 'eval_every': 2}
  config |= {'penalties': {}}  # costly to compile
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(folder)
    yield config


@pytest.fixture(scope='module')
def run(config, tmp_path_factory):
  """A run of two steps, resumed for two more."""
  workdir = tmp_path_factory.mktemp('runs') / 'words'
  for steps in (2, 4):
    train.train({**config, 'steps': steps}, workdir)
  return workdir


def test_trains_and_resumes(config, run, tmp_path):
  train.train({**config, 'steps': 4}, tmp_path)
  _, setup, whole, step = contents.open_run(tmp_path)
  _, _, state, _ = contents.open_run(run)
  assert step == 4 and setup.dataset.shape == (6, 4)
  jax.tree.map(np.testing.assert_array_equal, whole, state)
  rows = files.read_rows(run / 'metrics.jsonl')
  assert {1, 2, 3, 4} <= {row['step'] for row in rows}


def test_is_shown_and_scored(run):
  names = [f'step_{k:08d}.png' for k in range(5)] + ['real.png']
  for name in names:
    with PIL.Image.open(run / 'samples' / name) as picture:
      assert picture.size == (120, 240)
  assert not (run / 'samples' / 'neighbours.png').exists()
  records = json.loads((run / 'scores.json').read_text())
  assert {r['metric'] for r in records} == {'precision', 'recall'}
  assert all(r['features'] == 'pixels' for r in records)
  before = {(r['metric'], r['seed']): r['value'] for r in records}
  again = evaluate.evaluate(run)
  assert before == {(r['metric'], r['seed']): r['value'] for r in again}


def test_its_page_shows_more_than_a_picture_can(run):
  more = (run / 'samples' / 'more.html').read_text()
  words = re.findall(r'<p>([a-d]{6}) beside ([a-d]{6})</p>', more)
  assert len(words) == 20 and more in (run / 'report.html').read_text()


def test_a_terminal_shows_lines(run, capsys):
  sample.main(['', f'--workdir={run}', '--out=-', '--num=7'])
  lines = capsys.readouterr().out.splitlines()
  assert len(lines) == 7 and all(re.fullmatch('[a-d]{6}', x) for x in lines)


def test_real_words_are_as_precise_as_real_words_can_be(config):
  """Both sides of a score are in model range."""
  dataset = loading.load('own_words.data')
  kind = kinds.of(dataset)
  raw = loading.arrays(dataset)['x']
  x = np.asarray(kinds.in_model_range(dataset, raw))
  np.testing.assert_array_equal(kind.from_model_range(x), raw)
  np.testing.assert_array_equal(kind.to_metrics(raw, dataset=dataset), x)


def test_is_exported(run, tmp_path):
  out = tmp_path / 'out.txt'
  sample.main(['', f'--workdir={run}', f'--out={out}', '--num=7'])
  words = out.read_text().splitlines()
  assert len(words) == 7 and {*''.join(words)} <= {*'abcd'}
  assert {len(word) for word in words} == {6}
  with pytest.raises(UserError, match='x.png.*.txt .npz'):
    sample.main(['', f'--workdir={run}', f'--out={tmp_path / "x.png"}'])


@pytest.mark.parametrize('flip', [False, True])
def test_streams_from_disk_and_cannot_be_flipped(config, flip, tmp_path):
  data = {**config['data'], 'memory_mb': 0, 'flip': flip}
  config = {**config, 'data': data, 'steps': 2, 'health_every': 0}
  if flip:
    with pytest.raises(UserError, match='data.flip.*words'):
      train.train(config, tmp_path)
    return
  train.train(config, tmp_path / 'run')
  assert (tmp_path / 'run' / 'scores.json').exists()
