"""Files of samples are whole or not there, and can be scored."""

import errno
import json
import pathlib
import types

import numpy as np
import pytest

from gan_jax import evaluate, sample
from gan_jax.data import kinds, loading, memory
from gan_jax.run import sample_encoded
from tests.bad_input import refused

X = np.zeros((3, 4, 4, 1), np.float32)
SETUP = types.SimpleNamespace(
  dataset=memory.from_arrays('mine', 'image', X), num_classes=0
)
WRITE = {
  'drawn': lambda out: sample.write(out, X, SETUP),
  'encoded': lambda out: sample_encoded.write(out, SETUP, X, X[:, None]),
}


@pytest.mark.parametrize('which', WRITE)
def test_a_disk_that_is_full_leaves_what_was_there(
  which, tmp_path, monkeypatch
):
  out = tmp_path / 'x.npz'
  WRITE[which](out)
  before = out.read_bytes()
  with np.load(out) as arrays:
    np.testing.assert_array_equal(arrays['samples'], X)

  def half(file, **arrays):
    pathlib.Path(file).write_bytes(before[:99])
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr(np, 'savez_compressed', half)
  with pytest.raises(OSError, match='No space') as caught:
    WRITE[which](out)
  assert caught.value.filename == str(out)
  assert [p.name for p in tmp_path.iterdir()] == ['x.npz']
  assert out.read_bytes() == before


@pytest.fixture
def lines(tmp_path):
  """What a generator of lines might make of noise, as x.npz and x.txt."""
  data = loading.load('grammar', size=40, data_seed=3)
  real = np.asarray(kinds.in_model_range(data, loading.arrays(data)['x']))
  noise = np.random.default_rng(0).uniform(size=real.shape)
  made = np.where(noise[:, :1, :1] < 0.5, 0, real) + 0.5 * noise
  setup = types.SimpleNamespace(dataset=data, num_classes=0)
  for name in ('x.npz', 'x.txt'):
    sample.write(tmp_path / name, made.astype(np.float32), setup)
  return tmp_path


def test_arrays_of_texts_are_scored_as_their_lines_are(lines, capsys):
  found = []
  for name in ('x.npz', 'x.txt'):
    argv = [f'--samples={lines}/{name}', '--data=grammar', '--data.size=200']
    argv += ['--metrics=js_4,grammatical', f'--out={lines}/{name}.json']
    evaluate.main(['evaluate', *argv])
    rows = json.loads((lines / f'{name}.json').read_text())
    found.append({row['metric']: row['value'] for row in rows})
  assert found[0] == found[1] and 0 < found[0]['grammatical'] < 1
  capsys.readouterr()


@pytest.mark.parametrize(
  'flags, words',
  [
    (['--data=ring8'], 'x.npz: it holds text; ring8 is none'),
    (['--data=grammar', '--samples.image_size=8'], 'takes no options'),
  ],
)
def test_texts_beside_what_is_none(flags, words, lines, capfd):
  argv = [f'--samples={lines}/x.npz', *flags, '--metrics=precision']
  refused(capfd, evaluate.main, argv, words, root=lines)


def test_arrays_beside_texts_need_an_alphabet(lines, capfd):
  np.savez(lines / 'y.npz', samples=np.zeros((3, 32, 5), np.float32))
  argv = [f'--samples={lines}/y.npz', '--data=grammar']
  words = '--samples=', 'y.npz: for texts, expected an array `alphabet`'
  refused(capfd, evaluate.main, argv, *words, root=lines)
