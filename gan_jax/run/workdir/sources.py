"""The source of components from outside the package.

Their name alone does not say what they do: a loss of one's own that has been
edited is another loss. What counts is its syntax: comments, docstrings and
blank space may change.
"""

import ast
import hashlib
import importlib.util
import pathlib
import re
from collections.abc import Iterator

from gan_jax.components import modules
from gan_jax.data import news
from gan_jax.run.workdir import syntax

# Of a config, those that name one component.
GROUPS = (
  'loss', 'model', 'data', 'conditioning', 'augment', 'dynamics', 'latent',
)  # fmt: skip


def outside_modules(config: dict) -> dict[str, str]:
  """A hash of the source of each, and of the modules beside it that it uses.

  Args:
    config: of a run.

  Returns:
    {dotted name: hash}; {} where all components are the package's own.
  """
  names = [config[group].get('name') for group in GROUPS if group != 'augment']
  files = {}
  for name in (*names, *config['penalties'], *_inner(config)):
    _add(files, *_source(name))
  return {
    name: syntax.digest(path.read_bytes())
    for name, path in sorted(files.items())
  }


def as_read(config: dict) -> dict:
  """The config of a run that is only read, where some of its source is gone.

  What trains the networks is no part of them: a loss, a penalty, an
  augmentation of one's own that is not here is replaced, aloud.

  Args:
    config: of the run, all keys.
  """
  usual = {'loss': {'name': 'cross_entropy'}, 'augment': {}}
  gone = {k for k in usual if any(map(_is_gone, _names(config[k])))}
  penalties = {k: v for k, v in config['penalties'].items() if not _is_gone(k)}
  names = [n for k in sorted(gone) for n in _names(config[k]) if _is_gone(n)]
  names += sorted(set(config['penalties']) - set(penalties))
  if names:
    news.tell(
      f'warning: {", ".join(names)}: not here; the networks are read without.'
    )
  return config | {k: usual[k] for k in gone} | {'penalties': penalties}


def _is_gone(name):
  """Whether a dotted name leads nowhere; what is there may have errors."""
  if not modules.is_outside(name):
    return False
  parent, _, last = name.rpartition('.')
  lacks = name.count('.') + 1 - modules.prefix(name.split('.'), flag='config')
  if lacks == 1:  # it may be a function
    module = modules.named(parent, flag='config')
    return not callable(getattr(module, last, None))
  return lacks > 1


def _inner(config):
  """Names of augmentations, optimizers, and of all schedules."""
  yield from _names(config['augment'])
  yield from _names(config['optim'])
  yield from _names(config['penalties'])


def _names(options):
  """All that are called `name`, at any depth."""
  if isinstance(options, dict):
    for key, value in options.items():
      yield from [value] if key == 'name' else _names(value)
  elif isinstance(options, tuple | list):
    for value in options:
      yield from _names(value)


def as_today(before: dict[str, str]) -> dict[str, str]:
  """Hashes of an earlier version as this one makes them, as far as possible.

  Args:
    before: {dotted name: hash}, from a manifest.

  Returns:
    The same, with the hash of its syntax for each file whose text is still the
    one that was hashed then.
  """
  return {name: _as_today(name, old) for name, old in before.items()}


def _as_today(name, old):
  if old.startswith(syntax.MARK):
    return old
  try:
    spec = importlib.util.find_spec(name)
    text = pathlib.Path(spec.origin).read_bytes() if spec else b''
  except (ImportError, ValueError, OSError, TypeError):  # it is gone
    return old
  same = hashlib.sha256(text).hexdigest() == old
  return syntax.digest(text) if same else old


def _source(name):
  """(name, file) of a module, or of the one that a function is in.

  (name, None) for the package's own, for optax's and for TFDS's.
  """
  if not modules.is_outside(name) or name.partition('.')[0] == 'optax':
    return name, None
  count = modules.prefix(name.split('.'), flag='config')
  name = '.'.join(name.split('.')[:count])
  spec = importlib.util.find_spec(name) if name else None
  return name, pathlib.Path(spec.origin) if spec and spec.origin else None


def _add(files, name, path):
  """Adds a module to {name: path}, and what it imports from beside it."""
  if path is None or name in files:
    return
  files[name] = path
  depth = name.count('.') + (path.name == '__init__.py')
  root, top = path.parents[depth], name.partition('.')[0]
  for other in _imports(name, path):
    # Of installed packages only the component's own; the manifest records the
    # versions of the others.
    installed = {'site-packages', 'dist-packages'} & set(root.parts)
    own = other.partition('.')[0]
    if own != 'gan_jax' and (own == top or not installed):
      _add(files, other, _file(root, other))


def _imports(name, path) -> Iterator[str]:
  """Dotted names that a file may use: modules, or what is in them."""
  package = name if path.name == '__init__.py' else name.rpartition('.')[0]
  for node in ast.walk(ast.parse(path.read_bytes())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      parents = package.split('.')
      parents = parents[: len(parents) - node.level + 1] if node.level else []
      base = '.'.join([*parents, *filter(None, [node.module])])
      yield base
      yield from (f'{base}.{alias.name}' for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
      if re.fullmatch(r'\w+(\.\w+)+', node.value):  # a data set names its kind
        yield node.value


def _file(root, name):
  """The file of a module below a folder, None if there is none."""
  path = root.joinpath(*name.split('.'))
  for file in (path.with_suffix('.py'), path / '__init__.py'):
    if file.is_file():
      return file
  return None
