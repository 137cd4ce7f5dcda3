"""Samples of a run as somebody asks for them: how many, of what, whose."""

import math
from collections.abc import Callable, Sequence

import jax
import numpy as np

from gan_jax.components import modules
from gan_jax.game import keys
from gan_jax.run import labels as labels_lib
from gan_jax.run import sampling
from gan_jax.run.samplers import drawing
from gan_jax.run.samplers import way as way_lib
from gan_jax.storage import memory
from gan_jax.types import UserError

USUAL = way_lib.Way()
NUMBERED = '--classes'  # a flag that takes numbers of classes too
LONG = 60  # letters of a class's name in an error, at most


def draw(
  setup,
  state,
  num: int,
  *,
  seed: int = 0,
  labels: np.ndarray | None = None,
  run_seed: int = 0,
  way: way_lib.Way = USUAL,
) -> np.ndarray:
  """Samples of a run's generator, float32 [num, ...] in model range.

  Args:
    setup: setup.Setup.
    state: State [S, ...], as contents.open_run gives it.
    num: samples, 1 or more.
    seed: of the draw. Its key has a stream of its own: seed 0 of the draw is
      not seed 0 of the training.
    labels: [num] int, the classes, or vectors [num, C]; None draws them as in
      the data.
    run_seed: which of the run's S seeds, 0 for the first. All of them make
      their samples from the same latents.
    way: settled; how they are drawn.
  """
  if labels is None:
    labels = labels_of_draw(setup, labels_lib.DATA, num, seed=seed)
  memory.check_memory(4 * num * math.prod(setup.dataset.shape), f'n={num}')
  variables = sampling.take_seed(drawing.variables(state, way), run_seed)
  own = setup, way, variables
  return drawing.collect(*own, key_of(seed), num, labels=labels)


def latents(prior: Callable, num: int, *, seed: int) -> jax.Array:
  """The latents [num, ...] that `draw` makes its samples of.

  Args:
    prior: of the game.
    num: of latents.
    seed: of the draw.
  """
  index = np.arange(num, dtype=np.int32)
  return sampling.latents(prior, key_of(seed), index)


def labels_of_draw(
  setup, how: str, num: int, *, seed: int
) -> np.ndarray | None:
  """Labels [num] int32 or [num, C] float32 of a draw; None without any.

  Args:
    setup: setup.Setup.
    how: labels.DATA or labels.BALANCED.
    num: of samples.
    seed: of the draw.
  """
  return labels_lib.of_draw(setup, how, key_of(seed), num)


def key_of(seed: int) -> jax.Array:
  """The root key [] of a draw."""
  return keys.stream(jax.random.key(seed), keys.SAMPLE)


def labels_of(classes: Sequence[int], num: int) -> np.ndarray:
  """Labels [num] int32 that go through these classes in turn."""
  return np.resize(np.asarray(classes, np.int32), num)


def class_numbers(setup, words: str, *, flag: str = '--class') -> list[int]:
  """The numbers of the classes of --class=cat or --class=cat,dog.

  Where the names are numbers, 7 is also '07'. Where they are not, --classes=0,3
  means the classes of these numbers.

  Args:
    setup: setup.Setup of a conditional generator.
    words: one name, or several with commas between them.
    flag: that says so, --class or NUMBERED.

  Raises:
    UserError: the generator knows no classes, or none of such a name.
  """
  names = list(setup.dataset.class_names)
  if not setup.num_classes:
    raise UserError(
      f'{flag}={words}: this generator knows no classes (conditional=False).'
    )
  parts, numbers = words.split(','), []
  while parts:
    # The longest first, as names may have commas.
    joined = [','.join(parts[:k]).strip() for k in range(len(parts), 0, -1)]
    name = next((one for one in joined if one in names), joined[-1])
    is_number = name.isascii() and name.isdecimal()
    if flag == NUMBERED and is_number and not _are_numbers(names):
      numbers.append(_of_number(names, int(name)))
    else:
      numbers.append(class_number(names, name, flag))
    parts = parts[len(parts) - joined.index(name) :]
  return numbers


def class_number(names: Sequence[str], word: str, flag: str) -> int:
  """The number of a class; see class_numbers."""
  if not word:
    raise UserError(f'{flag}: expected names of classes, with commas between.')
  if word in names:
    return names.index(word)
  if word.isdecimal() and _are_numbers(names):
    same = [k for k, name in enumerate(names) if int(name) == int(word)]
    if same:
      return same[0]
  raise UserError(f'{flag}={word}: no such class; {_nearest(word, names)}.')


def _are_numbers(names):
  return all(name.isdecimal() for name in names)


def _of_number(names, number):
  if number >= len(names):
    raise UserError(
      f'{NUMBERED}={number}: no such class; there are {len(names)}, 0 to'
      f' {len(names) - 1}.'
    )
  return number


def _nearest(word, names, count=5):
  """Those of the names that are nearest, or the first that there are."""
  near = modules.near(word, names, count=count, cutoff=0.5)
  if near:
    return f'the nearest are {_brief(near)}'
  more = f' and {len(names) - count:,} more' if len(names) > count else ''
  return f'there are {_brief(names[:count])}{more}'


def _brief(names):
  cut = lambda name: name if len(name) <= LONG else f'{name[:LONG]}…'
  return ', '.join(map(cut, names))


def seed_positions(config: dict, wanted: str) -> list[int]:
  """Which of a run's seeds --run_seed means: all, the number of one, '' one.

  Args:
    config: of the run.
    wanted: 'all', a number, or '' for the first.

  Returns:
    Positions among the run's seeds; seed config['seed'] + k is at k.

  Raises:
    UserError: the run has no such seed.
  """
  first, count = config['seed'], config['num_seeds']
  if not wanted:
    return [0]
  if wanted == 'all':
    return list(range(count))
  there = range(first, first + count)
  known = wanted.isascii() and wanted.isdecimal() and int(wanted) in there
  if not known:
    its = f'{first}' if count == 1 else f'{first} to {first + count - 1}'
    raise UserError(
      f'--run_seed={wanted}: the run has the seed{"s" * (count > 1)} {its}; or'
      ' all.'
    )
  return [int(wanted) - first]
