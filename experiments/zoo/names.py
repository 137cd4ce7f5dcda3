"""What there is to choose from: the README's table, made of the files.

python -m experiments.zoo.names
"""

import ast
import pathlib

from experiments import tables
from gan_jax import select
from gan_jax.components import files

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / 'README.md'
# Kinds of data, as people call them.
WORDS = {
  'image': 'pictures',
  'point': 'points',
  'series': 'series',
  'audio': 'sound',
  'text': 'text',
}
TFDS = (
  'any pictures of TFDS (`mnist` `fashion_mnist` `cifar10` `celeb_a` …) with'
  ' `--config.data.dir=`'
)
# Rows without files of their own.
OTHERS = (
  ['optimizer', '`--config.optim.g.name=`', 'any in optax or `optax.contrib`'],
  [
    'devices',
    '`--config.parallel=`',
    '`pmap` (the default on several devices) `jit` `shard_map`: the same'
    ' numbers',
  ],
)


def table() -> str:
  """The whole table."""
  rows = [
    ['loss', '`--config.loss.name=`', _losses()],
    ['penalty, term', '`--config.penalties.NAME.…=`', _penalties()],
    ['augmentation', '`--config.augment.name=`', _plain('augment')],
    ['conditioning', '`--config.conditioning.name=`', _plain('conditioning')],
    ['dynamics', '`--config.dynamics.name=`', _plain('dynamics')],
    ['model', '`--config.model.name=`', _models()],
    ['data', '`--config.data.name=`', _datasets()],
    *OTHERS,
  ]
  return tables.markdown(['kind', 'flag', 'names'], rows)


def _quoted(names):
  return ' '.join(f'`{name}`' for name in names)


def _grouped(groups):
  """{title: names}, in words; the first word decides the order."""
  first = lambda item: (item[0].split(',')[0], len(item[0]))
  return '; '.join(
    f'{title} {_quoted(names)}'
    for title, names in sorted(groups.items(), key=first)
  )


def _by(names, title_of):
  groups = {}
  for name in names:
    groups.setdefault(title_of(name), []).append(name)
  return groups


def _plain(room):
  return _quoted(select.available(room))


def _losses():
  """A name that is another one's formula stands beside it."""
  first = {}
  for name in select.available('losses'):
    loss = select.loss(name)
    first.setdefault((loss.d_loss.func, loss.g_loss.func), []).append(name)
  named = lambda one, *same: f'`{one}`' + ''.join(f' (= `{s}`)' for s in same)
  return ' '.join(named(*names) for names in first.values())


def _penalties():
  return _grouped(_by(select.available('penalties'), _whose))


def _whose(name):
  """Whose loss a penalty or a term is a part of, or whether it changes one."""
  there = files.functions_in(select.module('penalties', name, flag=''))
  if set(there) & set(files.CHANGES):
    return 'of a loss'
  players = {name[0] for name in there if name[1:] == files.TERM}
  players |= {'d'} & {'d' * (name in ('penalty', 'project')) for name in there}
  if 'e' in players:
    return 'of an encoder'
  return {'d': 'of D', 'g': 'of G'}.get(''.join(players), 'of both')


def _models():
  return _grouped(_by(select.available('models'), _model_title))


def _model_title(name):
  file = select.module('models', name, flag='')
  title = ', '.join(WORDS[kind] for kind in file.KINDS)
  return title + ', with an encoder' * ('e' in files.players_of(file))


def _datasets():
  names = [n for n in select.available('datasets') if n != 'tfds_images']
  groups = _grouped(_by(names, _dataset_title))
  return f'{groups}; {TFDS}; [which files](docs/data.md)'


def _dataset_title(name):
  """By the kinds that a data set's file names."""
  file = pathlib.Path(select.module('datasets', name, flag='').__file__)
  nodes = ast.walk(ast.parse(file.read_text()))
  there = {n.value for n in nodes if isinstance(n, ast.Constant)} & set(WORDS)
  return WORDS[there.pop()] if len(there) == 1 else 'arrays'


def main():
  """Writes the table."""
  tables.show(PAGE, 'names', table())


if __name__ == '__main__':
  main()
