"""Texts of one's own: a .txt file, or a folder of them."""

import pathlib

from gan_jax.data import alphabet, memory, texts
from gan_jax.datasets import npz
from gan_jax.storage import paths
from gan_jax.types import Dataset, UserError

SPLITS = ('train', 'test')


def load(
  *,
  path: str = '',
  split: str = 'train',
  length: int = 32,
  by: str = texts.WINDOWS,
  test_share: float = 0.1,
  encoding: str = 'utf-8',
) -> Dataset:
  """Cuts texts into samples of equal length.

  The end of each file is its test part; no sample reaches across that border,
  or from one file into the next. The alphabet is that of the training part.

  Args:
    path: a .txt file, or a folder in which they are looked for, however deep.
    split: 'train' or 'test'.
    length: characters of a sample.
    by: 'windows', one after the other, or 'lines', each a sample, without those
      that are blank or do not fit with their end.
    test_share: of each file.
    encoding: of the files, a name that Python knows.

  Raises:
    UserError: no such file, one that is no text of this encoding, none that is
      long enough, an option out of range, or characters in the test part that
      the training part lacks.
  """
  _check(split, by, test_share)
  texts.check_length(length)
  parts = [_parts(text, by, test_share) for text in _read(path, encoding)]
  train, test = zip(*parts, strict=True)
  x, fields = texts.cut(
    train if split == 'train' else test,
    train=train,
    by=by,
    length=length,
    source=f'data.path={path}' + (' (test part)' if split == 'test' else ''),
  )
  name = pathlib.Path(path).stem or 'text_files'
  return memory.from_arrays(name, 'text', x, **fields)


def samples(path: str, like: Dataset) -> Dataset:
  """Texts that another program made.

  Args:
    path: a file as `python -m gan_jax.sample` writes it: a .txt with a line for
      each, in which ↵ stands for a newline within a sample, or an .npz.
    like: the data set they are compared with.

  Raises:
    UserError: that is no data set of text, a line of another length, or one
      with a character that the data lack.
  """
  if not is_text(like):
    raise UserError(f'data.path={path}: it holds text; {like.name} is none.')
  about, length = like.about, like.shape[0]
  letters = about['alphabet']
  rows = _rows(path, letters, lines=about.get('lines'))
  # One that G does not end fills its place.
  least = 0 if about.get('lines') else length
  thing = 'sample' if path.endswith('.npz') else 'line'
  for number, row in enumerate(rows, 1):
    if not least <= len(row) <= length:
      raise UserError(
        f'data.path={path}: {thing} {number} has {len(row):,} characters;'
        f' expected {length}{" at most" * (not least)}, as in {like.name}.'
      )
  filled = ''.join(row.ljust(length, texts.END) for row in rows)
  x = alphabet.encode(filled, letters, source=f'data.path={path}')
  x = x.reshape(len(rows), length)
  fields = {'shape': like.shape, 'about': like.about}
  made = memory.from_arrays(pathlib.Path(path).stem, 'text', x, **fields)
  return made._replace(any_order=True)


def is_text(dataset: Dataset) -> bool:
  """Whether a data set is of characters, and says which."""
  return isinstance(dataset.about, dict) and 'alphabet' in dataset.about


def _rows(path, letters, *, lines):
  """The texts of a file of samples, lines without their ends."""
  if path.endswith('.npz'):
    rows = npz.letters(path)
    return [row.partition(texts.END)[0] for row in rows] if lines else rows
  rows = _read(path, 'utf-8')[0].removesuffix(texts.END).split(texts.END)
  if '↵' in letters:
    return rows
  return [row.replace('↵', texts.END) for row in rows]


def _check(split, by, test_share):
  for name, value, there in (
    ('split', split, SPLITS),
    ('by', by, tuple(texts.CUTS)),
  ):
    if value not in there:
      raise UserError(f'data.{name}={value!r}: there are {", ".join(there)}.')
  if not 0 <= test_share < 1:
    raise UserError(
      f'data.test_share={test_share}: expected 0 or a share below 1.'
    )


def _parts(text, by, test_share):
  """(training part, test part) of a text, lines whole where they count."""
  border = round(len(text) * (1 - test_share))
  if by == texts.LINES:
    border = text.rfind(texts.END, 0, border) + 1 or border
  return text[:border], text[border:]


def _read(path, encoding):
  """The texts of the files, in the order of their names."""
  if not path:
    raise UserError('data.path: expected a .txt file, or a folder of them.')
  place = paths.expand(path)
  if not place.exists():
    raise UserError(f'data.path={path}: there is no such file or folder.')
  files = [place]
  if place.is_dir():
    files = sorted(p for p in place.rglob('*.txt') if p.is_file())
  if not files:
    raise UserError(f'data.path={path}: no .txt file in this folder.')
  return [_text(file, encoding) for file in files]


def _text(file, encoding):
  """The text of a file, its lines ended by one character each."""
  try:
    data = file.read_bytes()
  except OSError as e:
    raise UserError(f'data.path: {file}: {e.strerror}.') from e
  if not data.strip():
    raise UserError(f'data.path: {file} is empty.')
  try:
    text = data.decode(encoding)
  except LookupError as e:
    raise UserError(f'data.encoding={encoding!r}: no such encoding.') from e
  except UnicodeError as e:
    at = f' (byte {e.start:,})' if hasattr(e, 'start') else ''
    raise UserError(
      f'data.path: {file} is not {encoding}{at}; data.encoding=latin-1, say,'
      ' names another encoding.'
    ) from e
  if not isinstance(text, str):
    raise UserError(f'data.encoding={encoding!r}: not one of texts.')
  if '\0' in text:
    raise UserError(f'data.path: {file} is no text: it holds zero bytes.')
  text = text.removeprefix('\ufeff')
  return text.replace('\r\n', '\n').replace('\r', '\n')
