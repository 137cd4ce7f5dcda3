"""Real samples through a run's encoder: rebuilt, or the way between two."""

import os
import pathlib

import numpy as np

from gan_jax.data import images, kinds, memory
from gan_jax.run import draws, encoding, sources
from gan_jax.run.sampling import take_seed
from gan_jax.run.setup import Setup
from gan_jax.storage import files, paths
from gan_jax.types import Dataset, UserError

STEPS = 8  # from one sample to the other, both rebuilt among them
PICTURES = ('.png', '.jpg', '.jpeg', '.webp', '.bmp', '.gif', '.tif', '.tiff')


def check_out(setup: Setup, out: pathlib.Path):
  """Refuses an --out that cannot show real samples beside others.

  Raises:
    UserError: names what can.
  """
  kind = kinds.of(setup.dataset)
  suffixes = (*(kind.SUFFIXES if kind.neighbours else ()), '.npz')
  if out.suffix not in suffixes:
    raise UserError(
      f'--out={out}: expected a name ending in {" ".join(suffixes)} for real'
      ' samples beside others.'
    )


def given(
  setup: Setup, path: str, most: int, *, flag: str, words: str = ''
) -> tuple[np.ndarray, np.ndarray | None]:
  """Real samples of a file.

  Args:
    setup: of the run.
    path: a folder of images, an .npz or a .txt as `evaluate --samples` takes
      it, or one picture.
    most: samples that are taken, the first ones.
    flag: that named the path.
    words: of --class, the class of all of them; '' for those of the file.

  Returns:
    (samples [N, *shape] in model range, labels [N] or [N, C], or None if the
    generator knows none).

  Raises:
    UserError: it cannot be read, has samples of another shape, or no labels
      where these are needed.
  """
  own = _opened(setup.dataset, path, flag)
  if tuple(own.shape) != tuple(setup.dataset.shape):
    raise UserError(
      f'{flag}={path}: samples of shape {list(own.shape)}; those of this run'
      f' are {list(setup.dataset.shape)}.'
    )
  labels = one = None
  if words:
    (one,) = draws.class_numbers(setup, words)[:1]
  elif setup.num_classes:
    own = _labelled(own, setup.dataset, path, flag)
  elif setup.attributes and len(own.attributes) != len(setup.attributes):
    there = len(own.attributes) or 'none'
    raise UserError(
      f'{flag}={path}: this generator needs the condition of a sample, a vector'
      f' [{len(setup.attributes)}]; the file has {there}.'
    )
  rows = np.arange(min(most, own.size))
  batch = own.read(rows)
  if setup.conditional:
    labels = np.full(len(rows), one) if one is not None else batch['label']
  x = kinds.of(own).to_model_range(batch['x'], dataset=setup.dataset)
  x = np.asarray(x, np.float32)
  if not np.isfinite(x).all():
    raise UserError(f'{flag}={path}: samples that are not finite.')
  return x, labels


def _labelled(own, dataset, path, flag):
  declared = sources.declares(path), True
  own, unlike = sources.with_classes_of(own, dataset, declared=declared)
  if not own.class_names:
    why = unlike or 'it has no labels'
    raise UserError(
      f'{flag}={path}: this generator needs the class of a sample, and {why};'
      ' --class=NAME gives one.'
    )
  return own


def _opened(like, path, flag) -> Dataset:
  where = str(paths.expand(path))
  square = len(like.shape) == 3 and like.shape[0] == like.shape[1]
  fit = {'channels': like.shape[-1]} if len(like.shape) == 3 else {}
  fit |= {'image_size': like.shape[0]} if square else {}
  if os.path.isfile(where) and where.lower().endswith(PICTURES):
    return _picture(where, like.kind, fit, f'{flag}={path}')
  if not os.path.exists(where):
    raise UserError(f'{flag}={path}: there is no such folder or file.')
  if not os.path.isdir(where) and not where.endswith(('.npz', '.txt')):
    raise UserError(
      f'{flag}={path}: expected a folder of images, a picture or an .npz.'
    )
  name = flag.removeprefix('--')
  fit = fit if os.path.isdir(where) else {}
  return sources.open_samples(where, flag=name, **fit)


def _picture(where, kind, fit, begin):
  try:
    image = images.decode(where, **fit)
  except images.UNREADABLE as error:
    raise UserError(f'{begin}: not a picture ({error}).') from error
  return memory.from_arrays('picture', kind, image[None])


def reconstruct(setup: Setup, state, x, labels, *, run_seed: int) -> np.ndarray:
  """What a seed makes of the codes of real samples, [N, *shape].

  Args:
    setup: of the run.
    state: State [S, ...].
    x: [N, *shape] in model range.
    labels: [N], or None.
    run_seed: which of the S seeds.
  """
  averages = take_seed(state.ema, run_seed)
  code = encoding.encode(setup, averages, x, labels)
  return encoding.generate(setup, averages, code, labels)


def between(setup: Setup, state, x, labels, *, run_seed: int) -> np.ndarray:
  """What lies between two real samples, by their codes on a straight line.

  Args: see reconstruct; x is of pairs one after the other, [2 P, *shape].

  Returns:
    [P, STEPS, *shape], the first and the last of each rebuilt; a label is that
    of the pair's first sample.
  """
  averages = take_seed(state.ema, run_seed)
  code = encoding.encode(setup, averages, x, labels)
  first, second = code[0::2, None], code[1::2, None]  # [P, 1, Z]
  share = np.linspace(0, 1, STEPS, dtype=np.float32)
  share = share.reshape(1, STEPS, *[1] * (code.ndim - 1))
  way = first + share * (second - first)  # [P, STEPS, Z]
  each = None if labels is None else np.repeat(labels[0::2], STEPS)
  made = encoding.generate(
    setup, averages, way.reshape(-1, *code.shape[1:]), each
  )
  return made.reshape(-1, STEPS, *x.shape[1:])


def write(out: pathlib.Path, setup: Setup, x, made, *, last=None, **also):
  """Writes real samples beside what was made of them.

  Args:
    out: an .npz with `samples` and `made`, or a picture: in each row a real
      sample, what was made of it and, if there is one, the other end.
    setup: of the run.
    x: [N, *shape].
    made: [N, K, *shape].
    last: [N, *shape], or None.
    **also: more arrays for an .npz.
  """
  if out.suffix == '.npz':
    also |= {} if last is None else {'last': last}
    with files.replacing(out) as temporary:
      np.savez_compressed(temporary, samples=x, made=made, **also)
    return
  beside = made if last is None else np.concatenate([made, last[:, None]], 1)
  with files.replacing(out) as temporary:
    picture = kinds.of(setup.dataset).neighbours(x, beside)
    picture.save(temporary, lossless=True, exact=True)
