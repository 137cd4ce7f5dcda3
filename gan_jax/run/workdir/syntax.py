"""A hash of Python source that comments, docstrings and layout leave alone."""

import ast
import hashlib
from collections.abc import Callable

MARK = 'ast:'  # begins a hash; those of earlier versions are of the text
UNSEEN = ('kind', 'type_comment', 'ctx')  # fields that decide nothing


def digest(text: bytes) -> str:
  """A hash of Python source that all versions of Python agree on.

  Args:
    text: of a file, any encoding that Python knows.

  Returns:
    MARK and 64 hex digits. Of a file that is not Python, of its text.
  """
  try:
    tree = ast.parse(text)
  except (SyntaxError, ValueError):
    return f'{MARK}{hashlib.sha256(text).hexdigest()}'
  sha = hashlib.sha256()
  _add_node(lambda word: sha.update(f'{word}\0'.encode()), tree)
  return f'{MARK}{sha.hexdigest()}'


def _add_node(add: Callable, node):
  """What ast.dump shows, without what only some versions of Python have.

  Empty fields are left out, for later versions have more of them; so is how
  a string is written.
  """
  if isinstance(node, ast.AST):
    add(f'({type(node).__name__}')
    for field, value in ast.iter_fields(node):
      if field not in UNSEEN and value is not None and value != []:
        add(field)
        _add_node(add, value)
    add(')')
  elif isinstance(node, list):
    for one in node:
      if not _does_nothing(one):
        _add_node(add, one)
  else:
    add(ascii(node))


def _does_nothing(node):
  """Whether it is a statement of a string alone, such as a docstring."""
  value = node.value if isinstance(node, ast.Expr) else None
  return isinstance(value, ast.Constant) and isinstance(value.value, str)
