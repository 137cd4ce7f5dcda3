"""The source of components from outside the package.

Their name alone does not say what they do: a loss of one's own that has been
edited is another loss.
"""

import ast
import hashlib
import importlib.util
import pathlib
from collections.abc import Iterator

# Of a config, those that name one component.
GROUPS = ('loss', 'model', 'data', 'conditioning', 'augment', 'dynamics')


def outside_modules(config: dict) -> dict[str, str]:
  """SHA-256 of the source of each, and of the modules beside it that it uses.

  Args:
    config: of a run.

  Returns:
    {dotted name: hash}; {} where all components are the package's own.
  """
  names = [config[group].get('name') for group in GROUPS]
  files = {}
  for name in (*names, *config['penalties']):
    _add(files, name, _source(name))
  return {
    name: hashlib.sha256(path.read_bytes()).hexdigest()
    for name, path in sorted(files.items())
  }


def _source(name):
  """The file of a dotted name; None for the package's own and for TFDS's."""
  if not isinstance(name, str) or '.' not in name or {':', '/'} & set(name):
    return None
  spec = importlib.util.find_spec(name)
  return pathlib.Path(spec.origin) if spec and spec.origin else None


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
  """Dotted names that a file may import: modules, or what is in them."""
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


def _file(root, name):
  """The file of a module below a folder, None if there is none."""
  path = root.joinpath(*name.split('.'))
  for file in (path.with_suffix('.py'), path / '__init__.py'):
    if file.is_file():
      return file
  return None
