"""Real samples through an encoder: what is read, made, written and refused."""

import types

import jax
import numpy as np
import pytest
from PIL import Image

from gan_jax import sample, train
from gan_jax.data import memory
from gan_jax.run import encoding, programs, rebuilt, sample_encoded
from gan_jax.run import setup as setup_lib
from gan_jax.run.config import recipe
from gan_jax.types import UserError
from tests.bad_input import refused

RNG = np.random.default_rng(0)
LEVELS = RNG.integers(0, 256, (300, 4, 4, 1), dtype=np.uint8)
KEPT = np.arange(300) % 3  # labels


def a_setup(*, num_classes=0, model='bigan', shape=(4, 4, 1), kind='image'):
  """A run whose codes are the samples, flat, and whose G halves them."""
  label = KEPT if num_classes else None
  names = ('a', 'b', 'c')[:num_classes]
  x = LEVELS if kind == 'image' else np.float32(LEVELS[..., 0, 0])
  dataset = memory.from_arrays('mine', kind, x, label, class_names=names)
  shift = lambda z, label: z if label is None else z + label[:, None]
  return types.SimpleNamespace(
    dataset=dataset,
    num_classes=num_classes,
    conditional=num_classes > 0,
    attributes=(),
    encodes=model == 'bigan',
    structure=types.SimpleNamespace(options={'model': {'name': model}}),
    encode=lambda averages, x, label: x.reshape(len(x), -1),
    generate=lambda averages, z, label: (shift(z, label) / 2).reshape(
      -1, *shape
    ),
    held_out=dict,
  )


STATE = types.SimpleNamespace(ema={'e': {}, 'g': {}})


def test_samples_are_encoded_in_calls_of_one_size():
  sizes = []

  def encode(averages, x, label):
    sizes.append((len(x), None if label is None else len(label)))
    return x.reshape(len(x), -1)

  own = types.SimpleNamespace(encode=encode)
  x = RNG.normal(size=(300, 2, 2)).astype(np.float32)
  found = encoding.encode(own, {}, x, np.arange(300))
  np.testing.assert_array_equal(found, x.reshape(300, 4))
  assert sizes == [(encoding.BATCH, encoding.BATCH)] * 2


@pytest.fixture
def at(tmp_path):
  """A folder, a picture, an .npz with labels, and files that are none."""
  (tmp_path / 'folder').mkdir()
  for k in range(3):
    image = Image.fromarray(LEVELS[k, ..., 0])
    image.save(tmp_path / 'folder' / f'{k}.png')
  image.save(tmp_path / 'one.png')
  Image.fromarray(LEVELS[0, ..., 0]).resize((8, 8)).save(tmp_path / 'large.png')
  named = {'y': KEPT[:5], 'class_names': np.array(['a', 'b', 'c'])}
  np.savez(tmp_path / 'some.npz', samples=LEVELS[:5], **named)
  np.savez(tmp_path / 'large.npz', samples=np.zeros((5, 8, 8, 1), np.uint8))
  for ending in ('png', 'doc'):
    (tmp_path / f'text.{ending}').write_text('no picture')
  (tmp_path / 'empty').mkdir()
  return tmp_path


@pytest.mark.parametrize(
  'name, count', [('folder', 3), ('one.png', 1), ('some.npz', 5)]
)
def test_what_evaluate_takes_and_one_picture(at, name, count):
  x, labels = sample_encoded.given(
    a_setup(), str(at / name), 64, flag='--reconstruct'
  )
  first = 2 if name == 'one.png' else 0
  want = (2 * LEVELS[first : first + count].astype(np.float32) - 255) / 255
  np.testing.assert_allclose(x, want, atol=1e-6)
  assert labels is None
  few, _ = sample_encoded.given(a_setup(), str(at / name), 1, flag='--a')
  assert len(few) == 1


def test_a_picture_of_another_size_is_fitted(at):
  path = str(at / 'large.png')
  x, _ = sample_encoded.given(a_setup(), path, 64, flag='--reconstruct')
  assert x.shape == (1, 4, 4, 1)


def test_labels_are_those_of_the_file_or_of_the_flag(at):
  own = a_setup(num_classes=3)
  get = lambda name, **kw: sample_encoded.given(
    own, str(at / name), 64, flag='--reconstruct', **kw
  )[1]
  np.testing.assert_array_equal(get('some.npz'), KEPT[:5])
  np.testing.assert_array_equal(get('one.png', words='b'), [1])
  with pytest.raises(UserError, match='needs the class of a sample.*--class'):
    get('one.png')
  with pytest.raises(UserError, match='--class=d: no such class'):
    get('one.png', words='d')
  own = a_setup()
  with pytest.raises(UserError, match='--class=b: this generator knows no'):
    get('one.png', words='b')


@pytest.mark.parametrize(
  'name, words',
  [
    ('none', 'there is no such folder or file'),
    ('text.png', 'not a picture'),
    ('text.doc', 'expected a folder of images, a picture or an .npz'),
    ('large.npz', r'shape \[8, 8, 1\]; those of this run are \[4, 4, 1\]'),
    ('empty', 'no image in this folder'),
  ],
)
def test_a_file_that_does_not_do_is_a_line(at, name, words):
  with pytest.raises(UserError, match=f'^--reconstruct={at}/{name}.*{words}'):
    sample_encoded.given(a_setup(), str(at / name), 64, flag='--reconstruct')


def test_rebuilt_is_g_of_the_codes_and_the_way_is_straight():
  own = a_setup()
  x = RNG.normal(size=(4, 4, 4, 1)).astype(np.float32)
  made = sample_encoded.reconstruct(own, STATE, x, None, run_seed=0)
  np.testing.assert_allclose(made, x / 2)
  way = sample_encoded.between(own, STATE, x, None, run_seed=0)
  assert way.shape == (2, sample_encoded.STEPS, 4, 4, 1)
  np.testing.assert_allclose(way[:, 0], x[0::2] / 2)
  np.testing.assert_allclose(way[:, -1], x[1::2] / 2, atol=1e-6)
  np.testing.assert_allclose(np.diff(way, n=2, axis=1), 0, atol=1e-6)


def test_labels_reach_g(at):
  own, x = a_setup(num_classes=3), np.zeros((4, 4, 4, 1), np.float32)
  labels = np.array([1, 0, 2, 0])
  made = sample_encoded.reconstruct(own, STATE, x, labels, run_seed=0)
  np.testing.assert_allclose(made[:, 0, 0, 0], labels / 2)
  way = sample_encoded.between(own, STATE, x, labels, run_seed=0)
  np.testing.assert_allclose(way[:, 3, 0, 0, 0], [0.5, 1])


def size_of(path):
  with Image.open(path) as picture:
    return picture.size


def test_what_is_written(tmp_path):
  own, x = a_setup(), RNG.normal(size=(3, 4, 4, 1)).astype(np.float32)
  made = x[:, None] / 2
  sample_encoded.write(tmp_path / 'x.npz', own, x, made, last=x)
  with np.load(tmp_path / 'x.npz') as arrays:
    assert set(arrays) == {'samples', 'made', 'last'}
    np.testing.assert_array_equal(arrays['made'], made)
  sample_encoded.write(tmp_path / 'x.png', own, x, made)
  plain = size_of(tmp_path / 'x.png')
  sample_encoded.write(tmp_path / 'x.png', own, x, made, last=x)
  assert size_of(tmp_path / 'x.png') != plain


def test_kinds_without_pictures_side_by_side_are_written_as_arrays(tmp_path):
  own = a_setup(kind='point', shape=(4,))
  sample_encoded.check_out(own, tmp_path / 'x.npz')
  with pytest.raises(UserError, match='ending in .npz for real'):
    sample_encoded.check_out(own, tmp_path / 'x.png')
  with pytest.raises(UserError, match='ending in .png .webp .npz'):
    sample_encoded.check_out(a_setup(), tmp_path / 'x.txt')


def test_a_model_without_an_encoder_is_named():
  with pytest.raises(UserError, match='^--interpolate: model dcgan has no'):
    encoding.check(a_setup(model='dcgan'), '--interpolate')
  encoding.check(a_setup(), '--interpolate')


def test_the_page_gets_a_picture_of_held_out_ones(tmp_path):
  (tmp_path / 'samples').mkdir()
  rebuilt.save(a_setup(model='dcgan'), STATE, tmp_path)
  rebuilt.save(a_setup(kind='point', shape=(4,)), STATE, tmp_path)
  assert not list((tmp_path / 'samples').iterdir())
  rebuilt.save(a_setup(), STATE, tmp_path)
  picture = tmp_path / 'samples' / 'rebuilt.png'
  of_training = picture.read_bytes()
  own = a_setup()
  own.held_out = lambda: {'x': np.zeros((9, 4, 4, 1), np.float32)}
  rebuilt.save(own, STATE, tmp_path)
  assert picture.read_bytes() != of_training


def test_an_encoder_is_one_whose_codes_are_latents():
  def build(name, **own):
    config = recipe.load('digits:tiny').to_dict()
    config['model'] = {'name': name, 'g': {}, 'd': {}, **own}
    return setup_lib.build(config)

  assert not build('mlp').encodes
  small = {p: {'hidden': (4,)} for p in 'gde'}
  own = build('bigan', **small)
  assert own.encodes and programs.functions(own.structure).encodes(None)
  want = {'encoder', 'classed', 'unlabelled'}
  assert encoding.conditions(own) == want
  assert encoding.conditions(a_setup(model='dcgan')) == frozenset()


@pytest.mark.slow
def test_a_run_by_the_command(tmp_path, monkeypatch, capfd, at):
  monkeypatch.chdir(tmp_path)
  digits = 'digits:tiny'
  own = ['--config.features=pixels', '--config.metrics=fid']
  small = [f'--config.model.{p}.hidden=4,4' for p in 'gde']
  args = [f'--config={digits}', '--config.model.name=bigan', *own, *small]
  train.main(['train', *args, '--workdir=run'])
  assert (tmp_path / 'run/samples/rebuilt.png').exists()
  assert 'Rebuilt' in (tmp_path / 'run/report.html').read_text()
  run = ['--workdir=run', '--out=out.png']
  for flag in ('--reconstruct', '--interpolate'):
    sample.main(['sample', *run, f'{flag}={at}/folder'])
    assert (tmp_path / 'out.png').stat().st_size
    (tmp_path / 'out.png').unlink()
    for more, words in (
      ([f'{flag}=none'], 'no such folder or file'),
      ([f'{flag}={at}/folder', '--labels=data'], '--labels'),
      ([f'{flag}={at}/folder', '--out=-'], '--out=-'),
    ):
      refused(capfd, sample.main, [*run, *more], words, root=tmp_path)
  both = [f'--reconstruct={at}/folder', f'--interpolate={at}/folder']
  refused(capfd, sample.main, [*run, *both], 'does not go', root=tmp_path)
  one = [f'--interpolate={at}/one.png']
  refused(capfd, sample.main, [*run, *one], 'at least two', root=tmp_path)
  jax.clear_caches()
