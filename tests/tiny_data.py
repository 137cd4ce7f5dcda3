"""Small data on disk for the tests: folders of images, of TFDS, of arch."""

import gzip
import importlib.util
import io
import json
import wave

import numpy as np
from PIL import Image


def images(n, shape=(8, 8, 3), *, seed=0):
  """Noise [n, *shape] uint8."""
  return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def png(x):
  """The bytes of a PNG file: x [H, W, 1 or 3] uint8."""
  buffer = io.BytesIO()
  Image.fromarray(x[..., 0] if x.shape[-1] == 1 else x).save(buffer, 'PNG')
  return buffer.getvalue()


def write_folder(root, x, *, classes=('',)):
  """Writes x [N, H, W, C] as root/CLASS/0000.png, classes in turn."""
  for i, image in enumerate(x):
    path = root / classes[i % len(classes)] / f'{i:04}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(image))
  return root


def write_sounds(root, *, classes=('',)):
  """Writes root/CLASS/0.wav, ..., 12 of 64 samples at 4 kHz."""
  for i, x in enumerate(images(12, (64,))):
    path = root / classes[i % len(classes)] / f'{i}.wav'
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), 'wb') as file:
      file.setparams((1, 1, 4000, 0, 'NONE', ''))
      file.writeframes(x.tobytes())
  return root


def write_tfds(root, name, splits):
  """Writes {split: (x, label)} as the array_record TFDS data set of a name.

  The stock builder is subclassed, so that name, version and features are its
  own; PNG bytes keep TFDS from asking for TensorFlow.
  """

  def example(x, label):
    return {'image': png(x), 'label': int(label)}

  def generate(split):
    for i, (x, label) in enumerate(zip(*splits[split], strict=True)):
      yield i, example(x, label)

  return write_records(root, name, {s: generate(s) for s in splits})


def write_faces(root, splits):
  """Writes {split: (x [N, 218, 178, 3], y [N, 40])} as celeb_a."""
  import tensorflow_datasets as tfds

  features = tfds.builder('celeb_a', data_dir=str(root)).info.features
  points, names = features['landmarks'], list(features['attributes'])

  def example(x, y):
    return {
      'image': png(x),
      'identity': {'Identity_No': 0},
      'landmarks': dict.fromkeys(points, 0),
      'attributes': dict(zip(names, map(bool, y), strict=True)),
    }

  def generate(split):
    for i, (x, y) in enumerate(zip(*splits[split], strict=True)):
      yield str(i), example(x, y)

  return write_records(root, 'celeb_a', {s: generate(s) for s in splits})


def write_plays(root, text='All the world is a stage.\n'):
  """Writes tiny_shakespeare, whose splits are one text each."""
  parts = {'train': 20 * text, 'validation': 3 * text, 'test': 4 * text}
  each = {s: iter([(s, {'text': t})]) for s, t in parts.items()}
  return write_records(root, 'tiny_shakespeare', each)


def write_spoken_digits(root, clips):
  """Writes spoken_digit, clip k of digit k, as TFDS does with TensorFlow.

  Its feature for sound stores a clip [T] int64 as a Tensor's would, but its
  name is in features.json.
  """
  import tensorflow_datasets as tfds

  features = {
    'audio': tfds.features.Tensor(shape=(None,), dtype=np.int64),
    'label': tfds.features.ClassLabel(num_classes=10),
    'audio/filename': tfds.features.Text(),
  }
  both = lambda self: tfds.core.DatasetInfo(
    builder=self, features=tfds.features.FeaturesDict(features)
  )
  each = (
    (str(k), {'audio': x, 'label': k % 10, 'audio/filename': f'{k}_ann_0.wav'})
    for k, x in enumerate(np.asarray(x, np.int64) for x in clips)
  )
  write_records(root, 'spoken_digit', {'train': each}, _info=both)
  (path,) = root.rglob('features.json')
  stored = json.loads(path.read_text())
  stored['featuresDict']['features']['audio'] = {
    'pythonClassName': (
      'tensorflow_datasets.core.features.audio_feature.Audio'
    ),
    'audio': {
      'shape': {'dimensions': ['-1']},
      'dtype': 'int64',
      'fileFormat': 'wav',
      'sampleRate': '8000',
      'encoding': 'NONE',
    },
  }
  path.write_text(json.dumps(stored))
  return root


def write_records(root, name, splits, **own):
  """Writes {split: iterator of (key, example)} by the stock builder's rules.

  Rules of one's own take the place of some.
  """
  import tensorflow_datasets as tfds

  stock = tfds.builder_cls(name)
  fields = {
    'name': name,
    'pkg_dir_path': None,
    'url_infos': None,
    '__module__': stock.__module__,
    '_split_generators': lambda self, _: splits,
    '_generate_examples': lambda self: None,
    **own,
  }
  with tfds.core.registered.skip_registration():
    builder = type(stock.__name__, (stock,), fields)
  builder(data_dir=str(root), file_format='array_record').download_and_prepare(
    download_config=tfds.download.DownloadConfig(try_download_gcs=False)
  )
  return root


def write_stocks(root, monkeypatch, size=300):
  """A package arch with an index of some days, found here: prices [size, 4].

  It fails if it is imported.
  """
  folder = root / 'arch' / 'data' / 'sp500'
  folder.mkdir(parents=True)
  package = root / 'arch' / '__init__.py'
  package.write_text('raise AssertionError')
  growth = np.random.default_rng(0).normal(0, 0.01, size)
  x = 100 * np.exp(np.cumsum(growth))[:, None] * [0.99, 1.02, 0.97, 1.0]
  rows = [f'1/4/1999,{",".join(map(str, row))},1,2' for row in x]
  head = 'Date,Open,High,Low,Close,Adj Close,Volume'
  text = '\n'.join([head, *rows]).encode()
  (folder / 'sp500.csv.gz').write_bytes(gzip.compress(text))
  spec = importlib.util.spec_from_file_location('arch', package)
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: spec)
  return x
