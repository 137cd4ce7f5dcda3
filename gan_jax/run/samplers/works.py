"""What `sample` can make besides plain samples: strips, films, neighbours."""

import math
import pathlib
from typing import Any, NamedTuple

import numpy as np

from gan_jax.run import (
  draws,
  encoding,
  neighbours,
  sample_encoded,
  sample_labels,
  vectors,
)
from gan_jax.run.samplers import (
  asked,
  inverting,
  strip_file,
)
from gan_jax.run.samplers.way import Way
from gan_jax.run.workdir import contents
from gan_jax.types import UserError

# Flags that each ask for a work of their own, by their usual values.
FLAGS = {
  'reconstruct': '',
  'interpolate': '',
  'invert': '',
  'direction': '',
  'mix': '',
  'neighbours': 0,
}
# Flags that go with one of these, which it needs.
ALSO = {
  **{name: (of, '') for name, of in asked.ALSO.items()},
  'invert_steps': ('invert', 0),
}
FILES = 'reconstruct', 'interpolate', 'invert'  # what real samples go through
_WORDS = ','.join(f'{x:g}' for x in asked.STRENGTHS)
HELP = (
  '--reconstruct=FILE, of a model with an encoder: real samples beside what it'
  ' rebuilds of them; --interpolate=FILE: what lies between each two that'
  ' follow one another; --invert=FILE [--invert_steps=1000], of any model: the'
  ' samples nearest to them. FILE: a folder of images, a picture, an .npz.',
  'Strips, rows of a .png, films of a .webp: --interpolate=8'
  ' [--path=slerp|lerp] between each two samples; --direction=sefa:0|pca:0'
  f' [--strength={_WORDS}]; --mix=coarse|middle|fine|0-3, a table of styles;'
  ' --code=c0=3,c1=-1..1, codes of a latent, one of them walked.'
  ' --neighbours=5: samples beside the real ones nearest to them.',
)


class Run(NamedTuple):
  """A run that has been opened, and how its samples are to be drawn."""

  config: dict
  setup: Any
  state: Any
  way: Way
  seeds: list[int]  # positions of the run's


def usual() -> dict:
  """All of these flags by their usual values."""
  return {**FLAGS, **{name: value for name, (_, value) in ALSO.items()}}


def chosen(flags: Any) -> str:
  """The work that the flags ask for, '' for none.

  Raises:
    UserError: two of them, or a flag without the one that it goes with.
  """
  wanted = [name for name in FLAGS if getattr(flags, name)]
  if len(wanted) > 1:
    raise UserError(f'--{wanted[0]} does not go with --{wanted[1]}.')
  work = wanted[0] if wanted else ''
  for name, (of, value) in ALSO.items():
    if getattr(flags, name) != value and work != of:
      raise UserError(
        f'--{name}={getattr(flags, name)}: it goes with --{of}, which is not'
        ' given.'
      )
  if flags.neighbours < 0 or flags.invert_steps < 0:
    name = 'neighbours' if flags.neighbours < 0 else 'invert_steps'
    raise UserError(f'--{name}={getattr(flags, name)}: expected at least 0.')
  return work


def make(work: str, walk, flags: Any, out: pathlib.Path, run: Run) -> str:
  """Does a work and writes it; says in words what there is.

  Args:
    work: from `chosen`, or asked.WALK.
    walk: of a code, see codes.parse.
    flags: of `sample`.
    out: a path that may be written.
    run: opened.

  Raises:
    UserError: what does not go with it.
  """
  _check(work, flags, run)
  if work in FILES and not _steps(flags):
    return _of_real(work, flags, out, run)
  film = work != 'mix'
  if work == 'neighbours':
    return _neighbours(flags, out, run)
  strip_file.check(run.setup, out, film=film)
  labels = sample_labels.asked(run.setup, flags, grid=True)
  made = asked.make(
    run.setup,
    run.state,
    run.way,
    flags.num,
    _asked(flags, walk),
    seed=flags.seed,
    labels=labels,
    run_seed=run.seeds[0],
  )
  also = made.also | ({} if made.labels is None else {'labels': made.labels})
  strip_file.write(out, run.setup, made.samples, film=film, **also)
  return f'{len(made.samples)} strips of {made.samples.shape[1]}'


def _asked(flags, walk):
  """What strips the flags ask for."""
  strength = {}
  if flags.strength:
    strength = {'strength': _strengths(flags.strength)}
  return asked.Asked(
    interpolate=_steps(flags),
    direction=flags.direction,
    mix=flags.mix,
    code=walk,
    path=flags.path,
    flags=True,
    **strength,
  )


def _check(work, flags, run):
  """Refuses flags of plain samples that a work has no use for."""
  others = {f'--run_seed={flags.run_seed}': len(run.seeds) > 1}
  others[f'--rejection={run.way.rejection}'] = run.way.rejection and (
    work != 'neighbours'
  )
  if work in FILES and not _steps(flags):
    others[f'--labels={flags.labels}'] = flags.labels
    others[f'{vectors.FLAG}={flags.condition}'] = flags.condition
    truncation = run.way.truncation
    others[f'--truncation={truncation}'] = truncation is not None
    others[f'--code={flags.code}'] = flags.code
  if other := next((word for word, given in others.items() if given), ''):
    raise UserError(f'--{work}: does not go with {other}.')


def _steps(flags):
  """The number of --interpolate, 0 if it is a file, or not there."""
  words = flags.interpolate
  if not (words.isascii() and words.isdecimal()):
    return 0
  if int(words) < 2:
    raise UserError(f'--interpolate={words}: expected 2 samples or more.')
  return int(words)


def _strengths(words):
  try:
    values = [float(part) for part in words.split(',')]
  except ValueError:
    values = [math.nan]
  if not np.isfinite(values).all():
    raise UserError(f'--strength={words}: expected numbers, such as -3,0,3.')
  return tuple(values)


def _neighbours(flags, out, run):
  """Samples beside the nearest real ones."""
  setup, k = run.setup, flags.neighbours
  sample_encoded.check_out(setup, out)
  if setup.dataset.size < k:
    raise UserError(
      f'--neighbours={k}: the data have {setup.dataset.size} examples.'
    )
  labels = sample_labels.asked(setup, flags, grid=True)
  own = {'labels': labels, 'run_seed': run.seeds[0], 'way': run.way}
  samples = draws.draw(setup, run.state, flags.num, seed=flags.seed, **own)
  if not np.isfinite(samples).all():
    raise UserError(f'--neighbours={k}: the samples are not finite.')
  protocol = contents.eval_protocol(run.config)
  near = neighbours.beside(setup, samples, protocol=protocol, k=k)
  sample_encoded.write(out, setup, samples, near)
  return f'{len(samples)} samples and {k} neighbours of each'


def _of_real(work, flags, out, run):
  """Writes real samples and what G makes of them; says how many."""
  setup, flag, path = run.setup, f'--{work}', getattr(flags, work)
  if work != 'invert':
    encoding.check(setup, flag)
  sample_encoded.check_out(setup, out)
  words, _ = sample_labels.classes_asked(flags)
  x, labels = sample_encoded.given(
    setup, path, flags.num, flag=flag, words=words
  )
  given = setup, run.state, x, labels
  if work == 'reconstruct':
    made = sample_encoded.reconstruct(*given, run_seed=run.seeds[0])
    sample_encoded.write(out, setup, x, made[:, None])
    return f'{len(x)} real and rebuilt'
  if work == 'invert':
    return _inverted(flags, out, run, x, labels)
  pairs = len(x) // 2
  if not pairs:
    raise UserError(f'{flag}={path}: expected at least two samples (--num=2).')
  x = x[: 2 * pairs]
  labels = None if labels is None else labels[: 2 * pairs]
  made = sample_encoded.between(
    setup, run.state, x, labels, run_seed=run.seeds[0]
  )
  sample_encoded.write(out, setup, x[0::2], made, last=x[1::2])
  return f'{pairs} way{"s" * (pairs > 1)} between two real samples'


def _inverted(flags, out, run, x, labels):
  """Writes real samples beside the nearest that G can make."""
  own = inverting.candidates(
    run.setup,
    run.state,
    run.way,
    labels,
    seed=flags.seed,
    run_seed=run.seeds[0],
    flag='--invert',
  )
  steps = flags.invert_steps or inverting.STEPS
  made, points, by = inverting.invert(own, x, labels, steps=steps)
  sample_encoded.write(out, run.setup, x, made[:, None], latents=points)
  return f'{len(x)} real and the nearest by {by}'
