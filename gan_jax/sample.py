"""Draws samples from a trained generator.

python -m gan_jax.sample --workdir=runs/digits --out=digits.png
"""

import math
import pathlib

import numpy as np

from gan_jax import api
from gan_jax.data import kinds
from gan_jax.run import (
  command,
  draws,
  examples,
  sample_file,
  sample_folder,
  sample_labels,
  shown,
  standing,
)
from gan_jax.run import labels as labels_lib
from gan_jax.run.draws import draw
from gan_jax.run.sample_file import write
from gan_jax.run.samplers import asked, codes, settling, works
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.workdir import averages, contents
from gan_jax.storage import memory
from gan_jax.types import UserError

HERE = '-'  # an --out: the terminal
# Flags that are not given empty.
FILLED = (
  *works.FILES, 'direction', 'mix', 'code', 'truncation', 'ema', 'classes',
)  # fmt: skip


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
    ' --class: only of these classes; --classes: the same, by name or number;'
    ' --labels: as the data have them, or balanced (usual for a picture, in'
    ' columns); --condition: where labels are vectors, these numbers in place'
    ' of those of an example, or all of them, 0,1,...; --run_seed: of this seed'
    ' of the run, or --num of each; by default of the first.'
    ' --standing_stats=N: batch norms by the statistics of N batches (0: as in'
    ' the run).',
    f'How they are drawn: {way_lib.HELP}.',
    *works.HELP,
  ]


def _parsed(argv):
  """The flags."""
  return command.parse(
    argv,
    help_lines=help_lines,
    filled=FILLED,
    workdir=None,
    out=None,
    num=64,
    seed=0,
    checkpoint='latest',
    run_seed='',
    labels='',
    standing_stats=0,
    condition='',
    classes='',
    code='',
    data={},
    **{'class': ''},
    **way_lib.FLAGS,
    **works.usual(),
  )


def main(argv: list[str]):
  """The command."""
  flags = _parsed(argv)
  labels_lib.check(flags.labels)
  out = pathlib.Path(flags.out)
  folder = flags.out.endswith('/') or out.is_dir()
  _check_out(flags.out, out, folder=folder)
  _check_numbers(flags)
  way, work = way_lib.of_flags(flags), works.chosen(flags)
  config, setup, state, step = contents.open_run(
    flags.workdir,
    which=flags.checkpoint,
    places=examples.places_given(flags.data),
  )
  way, walk = _way(flags, way, work, setup)
  of = flags.workdir, config, setup, step, state
  state, _ = averages.taken(*of, way.ema)
  state = _settled(flags, config, setup, state)
  seeds = draws.seed_positions(config, flags.run_seed)
  if work or walk:
    run = works.Run(config, setup, state, way, seeds)
    words = works.make(work or asked.WALK, walk, flags, out, run)
    print(f'{words} of step {step} -> {out}')
    return
  if flags.out != HERE:
    sample_file.check(out, setup, folder=folder)
  memory.check_memory(
    4 * flags.num * len(seeds) * math.prod(setup.dataset.shape),
    f'--num={flags.num}',
  )
  grid = not folder and out.suffix != '.npz'
  labels = sample_labels.asked(setup, flags, grid=grid)
  of = {'seed': flags.seed, 'labels': labels, 'way': way}
  drawn = [draw(setup, state, flags.num, run_seed=k, **of) for k in seeds]
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
  print(_summary(len(samples), step, whose, flags.out) + _how(way))


def _check_numbers(flags):
  if flags.num < 1 or flags.seed < 0:
    raise UserError(f'--num={flags.num} --seed={flags.seed}: too small.')
  if flags.seed >= 2**32:
    raise UserError(f'--seed={flags.seed}: expected one below 2**32.')


def _way(flags, way, work, setup):
  """(the way as this run takes it, the walk of a code if there is one)."""
  code, walk = codes.parse(flags.code, setup) if flags.code else ((), None)
  if walk and work:
    raise UserError(f'--code={flags.code}: a walk does not go with --{work}.')
  return settling.settled(way, setup)._replace(code=code), walk


def _settled(flags, config, setup, state):
  """The state, its batch norms by standing statistics where these are asked."""
  batches = flags.standing_stats or config['standing_stats']
  standing.check(setup, batches)
  how = flags.labels or labels_lib.DATA
  return state._replace(
    ema=standing.settled_seeds(setup, state.ema, batches, how)
  )


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


def _how(way):
  """What it adds of a way that is not the training's."""
  by_name = way_lib.names(way)
  width = by_name.pop('ema_width', None)
  words = [word for word in by_name.values() if word]
  words += [] if width is None else [f'an average of width {width:g}']
  return f' ({"; ".join(words)})' if words else ''


command.make_callable(__name__, api.sample)

if __name__ == '__main__':
  command.run(main)
