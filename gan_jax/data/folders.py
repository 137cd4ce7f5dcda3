"""Which files below a folder are a data set's, and which are left out.

Folders hold more than their owner put there: what programs hide in them is no
data. Links are followed. Whatever is left out is counted, by reason.
"""

import os
import pathlib
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from gan_jax.data import names
from gan_jax.data.files import Files, names_of
from gan_jax.types import UserError, one_line

# Made by systems beside the files of people; compared in lower case.
SYSTEM = frozenset(
  {
    '__macosx', '@eadir', 'lost+found', '$recycle.bin', 'recycler', '#recycle',
    '@recycle', '@recently-snapshot', '@sharebin', '@tmp', '#snapshot',
    'system volume information', '__pycache__', 'cvs', 'found.000',
    'network trash folder', 'temporary items', 'thumbs.db', 'ehthumbs.db',
    'ehthumbs_vista.db', 'desktop.ini', 'icon\r',
  }
)  # fmt: skip
# Folders of these names are hardly classes.
SPLITS = frozenset({'train', 'training', 'val', 'valid', 'validation', 'test'})


class Found(NamedTuple):
  """What a walk has found."""

  files: Files  # in the order of their paths, part by part
  skipped: Counter  # files by the reason why they are left out
  empty: list[str]  # folders at the top without any file


def walk(root: pathlib.Path, endings: Collection[str]) -> Found:
  """Finds the files with one of the endings below a folder.

  Args:
    root: the folder.
    endings: '.png', ...; upper case counts as lower case.

  Raises:
    UserError: a link that leads to a folder that it lies in or nowhere, a
      folder that cannot be read.
  """
  walked = Found(Files(root, []), Counter(), [])
  _walk('', root, (pathlib.Path(os.path.realpath(root)),), endings, walked)
  used = {name.partition('/')[0] for name in walked.files.names}
  tops = sorted(p.name for p in root.iterdir() if p.is_dir())
  walked.empty.extend(n for n in tops if n not in used and not _reason(n))
  return walked


def _walk(below, folder, above, endings, walked):
  """Adds what is in a folder, in the order of names.

  Args:
    below: the folder's name below the root, with a slash at its end.
    folder: its path.
    above: the real paths down to it.
    endings: see walk.
    walked: what is added to.
  """
  for entry in sorted(_entries(folder), key=lambda e: e.name):
    is_folder = _is_folder(entry)
    if why := _reason(entry.name):
      kind = ' folders' if is_folder else ''
      # What lies behind a link is not counted: it may be anything.
      count = _count(entry.path) if is_folder and not entry.is_symlink() else 1
      if count:
        walked.skipped[f'{why}{kind}'] += count
    elif is_folder:
      path = pathlib.Path(entry.path)
      real = pathlib.Path(os.path.realpath(path))
      if entry.is_symlink():
        _check_loop(path, real, above)
      _walk(f'{below}{entry.name}/', path, (*above, real), endings, walked)
    elif (ending := _ending(entry.name)) in endings:
      walked.files.names.append(f'{below}{entry.name}')
    elif entry.is_symlink() and not os.path.exists(entry.path):
      walked.skipped[f'broken link {one_line(entry.path)}'] += 1
    else:
      walked.skipped[one_line(ending) or 'no ending'] += 1


def _ending(name):
  """As `pathlib.Path.suffix`, in lower case."""
  at = name.rfind('.')
  return name[at:].lower() if 0 < at < len(name) - 1 else ''


def _is_folder(entry):
  try:
    return entry.is_dir()
  except OSError:  # a link that leads to itself
    return False


def _entries(folder):
  try:
    with os.scandir(folder) as entries:
      return list(entries)
  except OSError as e:
    raise UserError(f'{folder}: cannot be read ({e.strerror}).') from e


def _reason(name):
  """Why a file or folder of that name is none of the data; '' if it is."""
  if name.startswith('.'):
    return 'hidden'
  return 'system' if name.lower() in SYSTEM else ''


def _count(folder):
  return sum(len(files) for _, _, files in os.walk(folder))


def _check_loop(path, real, above):
  if any(real == a or real in a.parents for a in above):
    raise UserError(
      f'{path}: a link to {real}, a folder that it lies in itself; remove it.'
    )


def describe(skipped: Counter) -> str:
  """What was left out, in words: '3 in hidden folders, 2 .txt'; '' if nothing.

  Args:
    skipped: of Found.
  """
  return ', '.join(
    f'{count:,} {_in_words(why)}' for why, count in sorted(skipped.items())
  )


def _in_words(why):
  if why.endswith(' folders'):
    return f'in {why}'
  return 'without an ending' if why == 'no ending' else why


def classes(files: Sequence, root: pathlib.Path) -> tuple:
  """(labels [N], class names), or (None, ()) if a file is in no subfolder."""
  tops = [name.partition('/') for name in names_of(files, root)]
  if not all(slash for _, slash, _ in tops):
    return None, ()
  own = {top: names.tidy(top) for top in {top for top, _, _ in tops}}
  class_names = names.in_order(own.values())
  numbers = {name: k for k, name in enumerate(class_names)}
  number_of = {top: numbers[name] for top, name in own.items()}
  return np.array([number_of[top] for top, _, _ in tops], np.int32), class_names


def left_out(
  root: pathlib.Path,
  files: Sequence[pathlib.Path],
  class_names: tuple[str, ...],
  walked: Found,
  *,
  thing: str,
  more: tuple[str, ...] = (),
) -> str:
  """What is to be said of files that were passed over; '' if none were.

  Args:
    root: the folder.
    files: those that are read.
    class_names: of theirs.
    walked: what a walk has found.
    thing: what a file is, in a word.
    more: notes besides.
  """
  notes = list(more)
  if walked.skipped:
    notes.append(f'skipped {describe(walked.skipped)}')
  if walked.empty:
    notes.append(f'no {thing} in {names.listed(walked.empty)}')
  beside = sum('/' not in name for name in names_of(files, root))
  if 0 < beside < len(files):
    notes.append(f'{beside:,} lie beside the folders, so none has a class')
  if class_names and SPLITS.issuperset(n.lower() for n in class_names):
    inside = root / class_names[0]
    notes.append(f'its folders look like splits: data.dir={inside} is one')
  word = 'class' if len(class_names) == 1 else 'classes'
  of = f' of {len(class_names):,} {word}' if class_names else ''
  read = f'{len(files):,} {thing}{"s" * (len(files) > 1)}{of}'
  return f'{root}: {"; ".join([read, *notes])}.' if notes else ''
