"""Draws samples from a trained generator.

python -m gan_jax.sample --workdir=runs/digits --out=digits.png
"""

import math
import pathlib

import numpy as np

from gan_jax.data import kinds
from gan_jax.datasets import npz
from gan_jax.kinds.drawing import sheets
from gan_jax.run import (
  command,
  draws,
  encoding,
  examples,
  sample_encoded,
  sample_folder,
  shown,
  standing,
  vectors,
)
from gan_jax.run import labels as labels_lib
from gan_jax.run.draws import draw
from gan_jax.run.workdir import contents
from gan_jax.storage import files, memory
from gan_jax.types import UserError

BACKDROP = 1000  # real samples behind the generated ones, if any
HERE = '-'  # an --out: the terminal


def help_lines() -> list[str]:
  """What --help prints."""
  return [
    'usage: python -m gan_jax.sample --workdir=DIR --out=OUT [--num=64]'
    ' [--seed=0] [--checkpoint=latest] [--class=NAME,...] [--run_seed=K|all]'
    ' [--labels=data|balanced] [--condition=NAME=NUMBER,...] [--data.dir=DIR or'
    ' --data.path=FILE, if its data have moved]',
    'OUT: .npz for `samples` (float32 in model range) and `labels`; .png or'
    ' .webp, a picture, of one image the image itself; of series .csv, of sound'
    ' .wav, of text .txt; DIR/ for a folder of single images, by class; - for'
    ' lines in this terminal.',
    '--checkpoint: latest, best, or a step; --seed: seed of the draw;'
    ' --class: only of these classes; --labels: as the data have them, or'
    ' balanced (usual for a picture, in columns); --condition: where labels are'
    ' vectors, these numbers in place of those of an example, or all of them,'
    ' 0,1,...; --run_seed: of this seed of the run, or --num of each; by'
    ' default of the first. --standing_stats=N: batch norms by the statistics'
    ' of N batches (0: as in the run).'
    ' --reconstruct=FILE, of a model with an encoder: real samples beside what'
    ' it rebuilds of them; --interpolate=FILE: what lies between each two that'
    ' follow one another. FILE: a folder of images, a picture, an .npz.',
  ]


def main(argv: list[str]):
  """The command."""
  flags = command.parse(
    argv,
    help_lines=help_lines,
    filled=('reconstruct', 'interpolate'),
    workdir=None,
    out=None,
    num=64,
    seed=0,
    checkpoint='latest',
    run_seed='',
    labels='',
    standing_stats=0,
    condition='',
    reconstruct='',
    interpolate='',
    data={},
    **{'class': ''},
  )
  labels_lib.check(flags.labels)
  out = pathlib.Path(flags.out)
  folder = flags.out.endswith('/') or out.is_dir()
  _check_out(flags.out, out, folder=folder)
  _check_numbers(flags)
  config, setup, state, step = contents.open_run(
    flags.workdir,
    which=flags.checkpoint,
    places=examples.places_given(flags.data),
  )
  state = _settled(flags, config, setup, state)
  seeds = draws.seed_positions(config, flags.run_seed)
  if flags.reconstruct or flags.interpolate:
    print(_encoded(flags, out, setup, state, seeds), f'of step {step} -> {out}')
    return
  if flags.out != HERE:
    _check_kind(out, setup, folder=folder)
  memory.check_memory(
    4 * flags.num * len(seeds) * math.prod(setup.dataset.shape),
    f'--num={flags.num}',
  )
  labels = _labels(setup, flags, grid=not folder and out.suffix != '.npz')
  drawn = [
    draw(setup, state, flags.num, seed=flags.seed, labels=labels, run_seed=k)
    for k in seeds
  ]
  samples = np.concatenate(drawn)
  labels = None if labels is None else np.concatenate([labels] * len(seeds))
  whose = np.repeat(config['seed'] + np.array(seeds), flags.num)
  whose = whose if flags.run_seed else None
  if flags.out == HERE:
    print('\n'.join(_lines(samples, setup, labels)))
    return
  if folder:
    classes = labels if setup.num_classes else None
    sample_folder.write(out, samples, setup.dataset, classes, whose)
  else:
    write(out, samples, setup, labels, whose)
  print(_summary(len(samples), step, whose, flags.out))


def _check_numbers(flags):
  if flags.num < 1 or flags.seed < 0:
    raise UserError(f'--num={flags.num} --seed={flags.seed}: too small.')
  if flags.seed >= 2**32:
    raise UserError(f'--seed={flags.seed}: expected one below 2**32.')


def _settled(flags, config, setup, state):
  """The state, its batch norms by standing statistics where these are asked."""
  batches = flags.standing_stats or config['standing_stats']
  standing.check(setup, batches)
  how = flags.labels or labels_lib.DATA
  return state._replace(
    ema=standing.settled_seeds(setup, state.ema, batches, how)
  )


def _encoded(flags, out, setup, state, seeds):
  """Writes real samples through the encoder; says how many."""
  if flags.reconstruct and flags.interpolate:
    raise UserError('--reconstruct does not go with --interpolate.')
  name = 'reconstruct' if flags.reconstruct else 'interpolate'
  flag, path = f'--{name}', getattr(flags, name)
  others = {
    '--run_seed=all': len(seeds) > 1,
    f'--labels={flags.labels}': flags.labels,
    f'{vectors.FLAG}={flags.condition}': flags.condition,
  }
  if other := next((word for word, given in others.items() if given), ''):
    raise UserError(f'{flag}: does not go with {other}.')
  encoding.check(setup, flag)
  sample_encoded.check_out(setup, out)
  x, labels = sample_encoded.given(
    setup, path, flags.num, flag=flag, words=getattr(flags, 'class')
  )
  own = {'run_seed': seeds[0]}
  if flags.reconstruct:
    made = sample_encoded.reconstruct(setup, state, x, labels, **own)
    sample_encoded.write(out, setup, x, made[:, None])
    return f'{len(x)} real and rebuilt'
  pairs = len(x) // 2
  if not pairs:
    raise UserError(f'{flag}={path}: expected at least two samples (--num=2).')
  x = x[: 2 * pairs]
  labels = None if labels is None else labels[: 2 * pairs]
  made = sample_encoded.between(setup, state, x, labels, **own)
  sample_encoded.write(out, setup, x[0::2], made, last=x[1::2])
  return f'{pairs} way{"s" * (pairs > 1)} between two real samples'


def _check_out(words, out, *, folder):
  """Refuses an --out that cannot be written, before anything is opened."""
  if words == HERE:
    return
  sample_folder.check(out) if folder else contents.check_out(out)


def _lines(samples, setup, labels):
  """Samples as lines of a terminal."""
  named = shown.named_by(setup, labels)
  kind = kinds.of(setup.dataset)
  return kind.lines(samples, dataset=setup.dataset, **named)


def _summary(count, step, whose, out):
  """The line that ends it."""
  line = f'{count} sample{"s" * (count > 1)} of step {step} -> {out}'
  seeds = [] if whose is None else [f'{k}' for k in dict.fromkeys(whose)]
  if len(seeds) < 2:
    return line
  each = count // len(seeds)
  return f'{line}, {each} of each seed, one after the other: {", ".join(seeds)}'


def _labels(setup, flags, *, grid):
  """The classes of the samples; a picture's are those of its columns."""
  if setup.attributes or flags.condition:
    return _vectors(setup, flags)
  if words := getattr(flags, 'class'):
    return draws.labels_of(_asked(setup, words, flags), flags.num)
  labels_lib.check_classes(flags.labels, setup)
  if grid and setup.num_classes and not flags.labels:
    columns = sheets.evenly(setup.num_classes, sheets.COLUMNS)
    return draws.labels_of(columns, flags.num)
  how = flags.labels or labels_lib.DATA
  return draws.labels_of_draw(setup, how, flags.num, seed=flags.seed)


def _vectors(setup, flags):
  """The vectors of the samples: those of examples, with --condition's numbers.

  If it gives all of them, no examples are needed.
  """
  words, attributes = flags.condition, setup.attributes
  if not attributes:
    raise UserError(
      f'{vectors.FLAG}={words}: this generator is told of no vectors, but of'
      f' {"classes" if setup.conditional else "nothing"}.'
    )
  if name := getattr(flags, 'class'):
    raise UserError(
      f'--class={name}: this generator is told of vectors; expected'
      f' {vectors.FLAG}={attributes[0]}=1, or other numbers.'
    )
  labels_lib.check_classes(flags.labels, setup)
  places, numbers = vectors.parse(words, attributes) if words else ([], [])
  made = np.zeros((flags.num, len(attributes)), np.float32)
  if len({*places}) < len(attributes):
    how = labels_lib.DATA
    made = draws.labels_of_draw(setup, how, flags.num, seed=flags.seed)
  made[:, places] = numbers
  return made


def _asked(setup, words, flags):
  """The numbers of the classes of --class."""
  if flags.labels:
    raise UserError(f'--labels={flags.labels} does not go with --class.')
  classes = draws.class_numbers(setup, words)
  if flags.num < len(classes):
    raise UserError(
      f'--num={flags.num}: expected at least one of each of the'
      f' {len(classes)} classes of --class.'
    )
  return classes


def _check_kind(out, setup, *, folder):
  """Refuses an --out that this kind of data cannot be written to."""
  kind = kinds.of(setup.dataset)
  suffixes = (*kind.SUFFIXES, '.npz')
  if folder and (kind.BACKDROP or not kind.SUFFIXES):
    raise UserError(
      f'--out={out}/: a folder is for images; expected a name ending in'
      f' {" ".join(suffixes)}.'
    )
  if not folder and out.suffix not in suffixes:
    raise UserError(
      f'--out={out}: expected a name ending in {" ".join(suffixes)}, or in /'
      ' for a folder.'
    )


def write(
  out: pathlib.Path, samples: np.ndarray, setup, labels=None, run_seeds=None
):
  """Writes samples as arrays or as their kind does, by the suffix.

  Args:
    out: path of the file.
    samples: [N, ...].
    setup: setup.Setup.
    labels: [N] int, or vectors [N, C]; or None.
    run_seeds: [N] int, the seed of the run that made each; for an .npz.
  """
  dataset, kind = setup.dataset, kinds.of(setup.dataset)
  if out.suffix == '.npz':
    also = npz.beside(dataset, labels)
    also |= {} if run_seeds is None else {'run_seed': run_seeds}
    with files.replacing(out) as temporary:
      np.savez_compressed(temporary, samples=samples, **also)
    return
  real = _backdrop(setup) if kind.BACKDROP else None
  named = shown.named_by(setup, labels)
  with files.replacing(out) as temporary:
    kind.export(temporary, samples, dataset=dataset, real=real, **named)


def _backdrop(setup):
  """Real samples to show beneath; None if they cannot be read."""
  try:
    return shown.real_samples(setup, BACKDROP)
  except UserError as e:
    print(f'without real samples: {e}')
    return None


if __name__ == '__main__':
  command.run(main)
