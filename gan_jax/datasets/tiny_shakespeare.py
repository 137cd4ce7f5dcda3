"""A million characters of Shakespeare's plays, from TensorFlow Datasets.

A. Karpathy, The unreasonable effectiveness of recurrent neural networks (2015),
https://www.tensorflow.org/datasets/catalog/tiny_shakespeare; the folder must
have been prepared as array_record. Its splits are by position: the first nine
tenths of the text, then validation and test.
"""

from gan_jax.data import memory, texts, tfds_files
from gan_jax.types import Dataset, UserError

NAME = 'tiny_shakespeare'
# Of the training split: different characters, and all.
LETTERS, CHARACTERS = 65, 1_003_854
SPLITS = ('train', 'validation', 'test')


def load(*, dir: str = '', split: str = 'train', length: int = 32) -> Dataset:
  """Cuts the plays into windows, one after the other.

  Args:
    dir: the folder it was prepared in; '' = $TFDS_DATA_DIR or, if that is
      unset, ~/tensorflow_datasets.
    split: 'train', 'validation' or 'test'.
    length: characters of a window.

  Raises:
    UserError: a folder that is not prepared (the message says how to prepare
      it), or an option out of range.
  """
  if split not in SPLITS:
    raise UserError(f'data.split={split!r}: there are {", ".join(SPLITS)}.')
  texts.check_length(length)
  folder = str(tfds_files.folder_of(dir))
  builder = tfds_files.builder_of(NAME, folder)
  read = lambda part: _read(builder, folder, part)
  train = read('train')
  x, fields = texts.cut(
    train if split == 'train' else read(split),
    train=train,
    by=texts.WINDOWS,
    length=length,
    source=f'data.split={split}',
  )
  return memory.from_arrays(NAME, 'text', x, **fields)


def describe(*, length: int = 32) -> Dataset:
  """What `load` gives of the training split, without a character."""
  texts.check_length(length)
  size = CHARACTERS // length
  made = memory.described(NAME, 'text', (length, LETTERS), size)
  return made._replace(nbytes=size * length)  # a byte a character


def _read(builder, folder, split):
  """The texts of a split; there is one."""
  source = tfds_files.source_of(builder, NAME, folder, split)
  examples = tfds_files.make_take(source, NAME, folder)(range(len(source)))
  own = [e['text'] for e in examples]
  return [t.decode() if isinstance(t, bytes) else str(t) for t in own]
