"""A mistake with samples of others is one line, and nothing is written."""

import numpy as np
import pytest

from gan_jax import evaluate
from gan_jax.run import sources
from gan_jax.types import UserError
from tests import tiny_data
from tests.run.test_commands import complaint, contents
from tests.run.test_external_samples import PIXELS, ranged


@pytest.fixture(scope='module')
def broken(tmp_path_factory):
  """Files and folders that are not what they should be, and some that are."""
  root = tmp_path_factory.mktemp('broken')
  x, colour = tiny_data.images(20, (8, 8, 1)), tiny_data.images(20)
  write = tiny_data.write_folder
  write(root / 'good', x)
  (root / 'empty').mkdir()
  write(root / 'corrupt', x)
  (root / 'corrupt' / '0002.png').write_bytes(b'no image')
  write(root / 'one', x[:1])
  write(root / 'five', x[:5])
  write(root / 'wide', tiny_data.images(20, (9, 9, 1)))
  write(root / 'uneven', x)
  odd = tiny_data.images(1, (9, 9, 1))[0]
  (root / 'uneven' / '0003.png').write_bytes(tiny_data.png(odd))
  write(root / 'classes', colour, classes=('a', 'b'))
  write(root / 'others', colour, classes=('a', 'c'))
  write(root / 'mixed', colour[:10], classes=('a', 'b'))
  write(root / 'mixed', colour[10:])
  floats = ranged(x).reshape(x.shape).astype(np.float32)
  np.savez(root / 'good.npz', x=floats)
  floats[3, 2, 1] = np.nan
  np.savez(root / 'nan.npz', x=floats)
  np.savez(root / 'far.npz', x=np.full((20, 8, 8, 1), 3.0, np.float32))
  np.savez(root / 'other.npz', foo=np.zeros(3))
  np.savez(root / 'points.npz', x=np.zeros((20, 2), np.float32))
  np.savez(root / 'seven.npz', mu=np.zeros(7), sigma=np.eye(7))
  np.savez(root / 'nan_stats.npz', mu=np.full(64, np.nan), sigma=np.eye(64))
  np.savez(root / 'uneven_stats.npz', mu=np.zeros(64), sigma=np.eye(63))
  (root / 'text.npz').write_text('hello')
  (root / 'text').write_text('hello')
  (root / 'damaged.json').write_text('{')
  (root / 'numbers.json').write_text('[1, 2]')
  return root


NET = '--features=inception'
# Samples, data, further flags, and what the line names.
MISTAKES = [
  ('absent', 'good', (), ('absent', 'a folder, an .npz, or a .txt')),
  ('text', 'good', (), ('text', 'a folder, an .npz, or a .txt')),
  ('empty', 'good', (), ('empty', 'no image')),
  ('corrupt', 'good', (), ('0002.png', 'cannot be read')),
  ('uneven', 'good', (), ('0003.png', '9x9')),
  ('absent.npz', 'good', (), ('absent.npz', 'no such file')),
  ('nan.npz', 'good', (), ('nan.npz', 'not finite')),
  ('far.npz', 'good', (), ('far.npz', '[-1, 1]')),
  ('text.npz', 'good', (), ('text.npz', 'not an .npz file')),
  ('other.npz', 'good', (), ('other.npz', 'foo')),
  ('seven.npz', 'good', (), ('seven.npz', 'no array `x`')),
  ('one', 'good', (), ('at least 2', 'got 1')),
  ('one', 'good', ('--metrics=kid',), ('at least 2', 'got 1')),
  ('five', 'good', ('--metrics=prdc',), ('at least 6', 'got 5')),
  ('good', 'five', ('--metrics=prdc',), ('at least 6', 'got 5')),
  ('wide', 'good', (), ('[9, 9, 3]', '[8, 8, 3]')),
  ('wide', 'digits', (), ('[9, 9, 1]', '[8, 8, 1]')),
  ('points.npz', 'good', (), ('[2]', '[8, 8, 3]')),
  ('points.npz', 'digits', (), ('[2]', '[8, 8, 1]')),
  ('good.npz', 'ring8', (), ('[8, 8, 1]', '[2]')),
  ('good', 'absent', (), ('absent', 'unknown')),
  ('good', 'empty', (), ('empty', 'no image')),
  ('good', 'corrupt', (), ('0002.png', 'cannot be read')),
  ('good', 'nan.npz', (), ('nan.npz', 'not finite')),
  ('good', 'text.npz', (), ('text.npz', 'not an .npz file')),
  ('good', 'nosuchdata', (), ("'nosuchdata'", 'ring8')),
  ('good', 'no.such.module', (), ('no.such.module',)),
  ('good', 'mnist', ('--data_dir={}',), ('mnist', 'not been prepared')),
  ('good', 'digits', ('--data_dir={}',), ('--data_dir: unk',)),
  ('good', 'digits', ('--split=foo',), ('--split=foo', 'no splits')),
  ('good', 'good', ('--split=test',), ('--split=test', 'no splits')),
  ('good', 'good.npz', ('--split=test',), ('--split=test', 'no splits')),
  ('good', 'digits', ('--metrics=foo',), ("'foo' does not exist", 'fid')),
  ('good', 'good', ('--metrics=is',), ("'is'", 'a classifier')),
  ('good', 'good', ('--metrics=modes',), ("'modes'", 'known modes')),
  ('good', 'digits', ('--metrics=c_t',), ("'c_t'", 'test split')),
  ('good', 'digits', ('--metrics=intra_fid',), ('intra_fid', 'conditional')),
  ('classes', 'others', ('--metrics=intra_fid',), ('b not among', 'a, c')),
  ('mixed', 'classes', ('--metrics=intra_fid',), ('intra_fid', 'conditional')),
  ('classes', 'mixed', ('--metrics=intra_fid',), ('intra_fid', 'labelled')),
  ('good', 'good', ('--features=classifier',), ('classifier', 'no classes')),
  ('good', 'good', ('--features=foo',), ("features='foo'", 'pixels')),
  ('good', 'good', ('--resize=foo',), ('resize', 'only for features=incep')),
  ('good', 'good', (NET, '--resize=foo'), ('resize=foo', 'tf, clean')),
  ('good', 'good', (NET, '--weights={}/absent'), ('no weights at',)),
  ('good', 'good', (NET, '--weights={}/text'), ('text', 'not an intact')),
  ('good.npz', 'seven.npz', (PIXELS,), ('64 dimensions', 'expected 7')),
  ('good.npz', 'nan_stats.npz', (PIXELS,), ('NaN',)),
  ('good.npz', 'uneven_stats.npz', (PIXELS,), ('[64]', '[63, 63]')),
  ('good', 'good', ('--num=5',), ('--num', '--samples')),
  ('good', 'good', ('--draws=2',), ('--draws', '--samples')),
  ('good', 'good', ('--checkpoint=best',), ('--checkpoint', '--samples')),
  ('good', 'good', ('--statistics={}',), ('--statistics', '--samples')),
  ('good', 'good', ('--workdir={}',), ('one of --workdir',)),
  ('good', 'good', ('--out={}/absent/x.json',), ('there is no folder',)),
  ('good', 'good', ('--out={}',), ('--out=', 'directory')),
  ('good', 'good', ('--out={}/damaged.json',), ('damaged.json', 'not score')),
  ('good', 'good', ('--out={}/numbers.json',), ('numbers.json', 'not a list')),
  ('good', '', (), ('--data is missing',)),
  ('good', 'good', ('--protocol=foo',), ('--protocol=foo', 'clean-')),
  ('good', 'digits', ('--protocol=classifier-10k-test',), ('no splits',)),
  (
    'good', 'digits', ('--protocol=classifier-50k-train',),
    ('50,000 samples', 'there are 20'),
  ),
]  # fmt: skip
NAMES = ('digits', 'ring8', 'mnist', 'nosuchdata', 'no.such.module', '')


@pytest.mark.parametrize('samples, data, flags, words', MISTAKES)
def test_a_mistake_is_told_and_nothing_is_written(
  samples, data, flags, words, broken, tmp_path, capfd, monkeypatch
):
  monkeypatch.chdir(tmp_path)
  before = contents(broken)
  data = data if data in NAMES else broken / data
  flags = [flag.format(broken) for flag in flags]
  if not any(flag.startswith('--out') for flag in flags):
    flags.append(f'--out={tmp_path / "out.json"}')
  line = complaint(
    capfd,
    evaluate.main,
    f'--samples={broken / samples}',
    f'--data={data}',
    *flags,
  )
  for word in words:
    assert word in line
  assert contents(broken) == before and not list(tmp_path.iterdir())


def test_from_python_a_mistake_is_an_error_too(tmp_path):
  with pytest.raises(UserError, match='a folder, an .npz, or a .txt'):
    sources.open_samples(str(tmp_path / 'absent'))


def test_an_option_that_there_is_not_is_named_as_it_was_given(broken, capfd):
  for flag in ('--data.rnge', '--samples.rnge', '--data.mu'):
    argv = [f'--{k}={broken / "good"}' for k in ('samples', 'data')]
    line = complaint(capfd, evaluate.main, *argv, f'{flag}=0,1')
    assert f'{flag}: unknown; folder takes' in line
