"""Any image data set of TensorFlow Datasets, read without TensorFlow.

https://www.tensorflow.org/datasets; the folder must have been prepared as
array_record. Names that no other data set has are looked up here, so
`data.name = 'mnist'` is enough.
"""

import functools
import io
import math

import numpy as np

from gan_jax.data import classes, kept, memory, ranges, tfds_files, use
from gan_jax.data import images as images_lib
from gan_jax.storage import memory as memory_lib
from gan_jax.types import Dataset, UserError

# What the catalog says of data sets that are not at hand: height and width (0
# where they differ), channels, images of the training split, classes.
CATALOG = {
  'mnist': (28, 28, 1, 60_000, 10),
  'fashion_mnist': (28, 28, 1, 60_000, 10),
  'kmnist': (28, 28, 1, 60_000, 10),
  'cifar10': (32, 32, 3, 50_000, 10),
  'cifar100': (32, 32, 3, 50_000, 100),
  'svhn_cropped': (32, 32, 3, 73_257, 10),
  'stl10': (96, 96, 3, 5_000, 10),
  'celeb_a': (218, 178, 3, 162_770, 0),
  'imagenet2012': (0, 0, 3, 1_281_167, 1000),
  'imagenet_resized/8x8': (8, 8, 3, 1_281_167, 1000),
  'imagenet_resized/16x16': (16, 16, 3, 1_281_167, 1000),
  'imagenet_resized/32x32': (32, 32, 3, 1_281_167, 1000),
  'imagenet_resized/64x64': (64, 64, 3, 1_281_167, 1000),
  'lsun/bedroom': (0, 0, 3, 3_033_042, 0),
  'lsun/church_outdoor': (0, 0, 3, 126_227, 0),
}
# What an example's attributes say, 0 or 1 each.
ATTRIBUTES = {
  'celeb_a': (
    '5_o_Clock_Shadow', 'Arched_Eyebrows', 'Attractive', 'Bags_Under_Eyes',
    'Bald', 'Bangs', 'Big_Lips', 'Big_Nose', 'Black_Hair', 'Blond_Hair',
    'Blurry', 'Brown_Hair', 'Bushy_Eyebrows', 'Chubby', 'Double_Chin',
    'Eyeglasses', 'Goatee', 'Gray_Hair', 'Heavy_Makeup', 'High_Cheekbones',
    'Male', 'Mouth_Slightly_Open', 'Mustache', 'Narrow_Eyes', 'No_Beard',
    'Oval_Face', 'Pale_Skin', 'Pointy_Nose', 'Receding_Hairline',
    'Rosy_Cheeks', 'Sideburns', 'Smiling', 'Straight_Hair', 'Wavy_Hair',
    'Wearing_Earrings', 'Wearing_Hat', 'Wearing_Lipstick', 'Wearing_Necklace',
    'Wearing_Necktie', 'Young',
  ),
}  # fmt: skip
JUDGED = 512  # images, evenly spread, whose range is looked at


def load(
  *,
  name: str,
  dir: str = '',
  split: str = 'train',
  image_size: int = 0,
  channels: int = 0,
  range: str | tuple = '',
  memory_mb: float = 1024,
) -> Dataset:
  """Opens a prepared data set; the images are decoded when first read.

  Its classes are the labels. Where it has none but attributes, as celeb_a, a
  label is a vector of these: 1 for those that an example has, 0 for others.

  Args:
    name: as TFDS calls it: 'mnist', 'celeb_a', 'lsun/bedroom', 'mnist:3.0.1'.
    dir: the folder it was prepared in; '' = $TFDS_DATA_DIR or, if that is
      unset, ~/tensorflow_datasets.
    split: 'train', 'test', 'train[:1000]', 'train+test'.
    image_size: side of the images, 0 = as they are.
    channels: 1 or 3, 0 = as they are.
    range: the lowest and the highest value that images may have, where it is
      not that of their type or they hardly use it, see data/ranges.
    memory_mb: the most that the decoded images may take in memory; what they
      take on disk is told in data/kept.

  Raises:
    UserError: an unknown name or split, a folder that is not prepared (the
      message says how to prepare it), or images whose range is in doubt.
  """
  images_lib.check_options(image_size=image_size, channels=channels)
  limits = ranges.parse(range)
  folder = str(tfds_files.folder_of(dir))
  builder = tfds_files.builder_of(name, folder)
  key, shape = _image_feature(builder, name, image_size, channels)
  source = tfds_files.source_of(builder, name, folder, split, encoded=key)
  take = tfds_files.make_take(source, name, folder)
  labels_of, meaning = _labels(builder, take, len(source))
  _judge(take, key, len(source), limits, f'data.name={name!r}')

  read = _make_read(take, key, labels_of, name, image_size, shape, limits)
  nbytes = len(source) * math.prod(shape)
  digest = tfds_files.digest(builder, *_given(split, shape, limits))
  identity = digest, image_size, channels, limits, tfds_files.beside(builder)
  read = kept.keep(read, len(source), nbytes, name, *identity)
  if nbytes <= memory_mb * 2**20:
    memory_lib.check_memory(nbytes, f'data.name={name!r}: its images')
    read = memory.remember(read, len(source))
  return Dataset(
    name=name,
    kind='image',
    shape=shape,
    size=len(source),
    read=read,
    nbytes=nbytes,
    fingerprint=digest,
    **meaning,
  )


def describe(*, name: str, image_size: int = 0, channels: int = 0) -> Dataset:
  """What `load` gives of a data set of CATALOG, whatever its split.

  Raises:
    UserError: it is not in CATALOG, or its images have sizes of their own.
  """
  images_lib.check_options(image_size=image_size, channels=channels)
  own, _, _ = name.partition(':')  # without a version
  if own not in CATALOG:
    raise UserError(
      f'data.name={name!r}: its shape is known only from its files; without'
      f' them those of {", ".join(CATALOG)}.'
    )
  height, width, depth, size, classes_ = CATALOG[own]
  if not (image_size or height):
    raise UserError(
      f'data.image_size=0: the images of {name} have sizes of their own.'
    )
  plane = (image_size, image_size) if image_size else (height, width)
  return memory.described(
    name,
    'image',
    (*plane, channels or depth),
    size,
    class_names=tuple(map(str, range(classes_))),
    attributes=ATTRIBUTES.get(own, ()),
    item=1,
  )


def _given(split, shape, limits):
  """What was asked for; a range that is the usual one makes no difference."""
  usual = limits in (None, ranges.LEVELS)
  return (split, shape) if usual else (split, shape, limits)


def _judge(take, key, size, limits, where):
  """Refuses images whose range is in doubt, or asks, see data/use."""
  rows = np.linspace(0, size - 1, min(size, JUDGED)).astype(int)
  files = [functools.partial(_opened, take, key, row) for row in rows]
  use.judge(files, limits, where)


def _opened(take, key, row):
  return io.BytesIO(take([row])[0][key])


def _labels(builder, take, size):
  """(examples [n] -> their labels, or None; fields of the data set)."""
  label = tfds_files.label_feature(builder, take, size)
  attributes = () if label else tfds_files.attributes_of(builder)
  if not (label or attributes):
    return None, {}
  vector = lambda e: [e['attributes'][name] for name in attributes]

  def labels_of(examples):
    if attributes:
      return np.array([vector(e) for e in examples], np.float32)
    return np.array([e['label'] for e in examples], np.int32)

  # The pictures stay encoded.
  read = lambda rows: labels_of(take(rows))
  names = tuple(label.names) if label else ()
  return labels_of, {
    'class_names': names,
    'attributes': attributes,
    'count_classes': classes.counter(read, size, len(names)),
    'read_labels': read,
  }


def _make_read(take, key, labels_of, name, image_size, shape, limits):
  decode = functools.partial(
    _decode, name=name, image_size=image_size, shape=shape, limits=limits
  )

  def read(rows):
    examples = take(rows)
    images = images_lib.in_parallel(decode, [e[key] for e in examples])
    batch = {'x': np.stack(images)}
    if labels_of:
      batch['label'] = labels_of(examples)
    return batch

  return read


def _image_feature(builder, name, image_size, channels):
  """Key of the image and the shape it will have: ('image', (H, W, C))."""
  import tensorflow_datasets as tfds

  features = dict(builder.info.features or {})
  pictures = [
    k for k, f in features.items() if isinstance(f, tfds.features.Image)
  ]
  if not pictures:
    there = ', '.join(features) or 'none'
    raise UserError(
      f'data.name={name!r}: no image among its features: {there}.'
    )
  key = 'image' if 'image' in pictures else pictures[0]
  if np.dtype(features[key].np_dtype).kind == 'f':  # packed into four bytes
    raise UserError(
      f'data.name={name!r}: its {key!r} holds floats; expected whole numbers.'
    )
  height, width, depth = features[key].shape
  depth = channels or (1 if depth == 1 else 3)
  if image_size:
    return key, (image_size, image_size, depth)
  if height is None or width is None:
    raise UserError(
      f'data.name={name!r}: its images differ in size; data.image_size=N'
      ' gives all one size.'
    )
  return key, (height, width, depth)


def _decode(encoded, *, name, image_size, shape, limits):
  try:
    x = images_lib.decode(
      io.BytesIO(encoded),
      image_size=image_size,
      channels=shape[-1],
      limits=limits,
    )
  except UserError as e:
    raise UserError(f'data.name={name!r}: {e}') from e
  except images_lib.UNREADABLE as e:
    raise UserError(f'data.name={name!r}: a damaged image ({e}).') from e
  if x.shape != shape:
    raise UserError(
      f'data.name={name!r}: an image is {x.shape}, others are {shape};'
      ' data.image_size=N gives all one size.'
    )
  return x
