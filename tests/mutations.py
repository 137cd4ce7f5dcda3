"""Small faults of a Python source, one at a time, as syntax trees.

A fault is what a tired hand writes: a sign, a factor, an axis, a mean for a
sum, one argument for its neighbour. What no formula depends on is left alone:
texts, annotations, decorators, and the refusals of a user's mistake.
"""

import ast
import copy
import functools
from collections.abc import Iterator
from typing import NamedTuple

OPERATORS = {
  ast.Add: ast.Sub,
  ast.Sub: ast.Add,
  ast.Mult: ast.Div,
  ast.Div: ast.Mult,
  ast.FloorDiv: ast.Mult,
  ast.Mod: ast.FloorDiv,
  ast.Pow: ast.Mult,
  ast.BitAnd: ast.BitOr,
  ast.BitOr: ast.BitAnd,
  ast.RShift: ast.LShift,
  ast.Lt: ast.LtE,
  ast.LtE: ast.Lt,
  ast.Gt: ast.GtE,
  ast.GtE: ast.Gt,
  ast.Eq: ast.NotEq,
  ast.NotEq: ast.Eq,
  ast.Is: ast.IsNot,
  ast.IsNot: ast.Is,
  ast.In: ast.NotIn,
  ast.NotIn: ast.In,
  ast.And: ast.Or,
  ast.Or: ast.And,
}
FUNCTIONS = {
  'mean': 'sum',
  'sum': 'mean',
  'pmean': 'psum',
  'min': 'max',
  'max': 'min',
  'minimum': 'maximum',
  'maximum': 'minimum',
  'argmin': 'argmax',
  'argmax': 'argmin',
  'any': 'all',
  'all': 'any',
  'floor': 'ceil',
  'ceil': 'floor',
  'std': 'var',
  'var': 'std',
  'median': 'mean',
  'exp': 'expm1',
  'log': 'log1p',
  'sqrt': 'abs',
  'square': 'abs',
  'relu': 'abs',
  'softplus': 'relu',
}
# Checks of lengths, and hints to compilers.
IDLE_OPTIONS = {'strict', 'static_argnames', 'maxsize', 'repr'}
TOLERANCE = 1e-6  # floats up to this are no part of a formula
UNREAD = {'annotation', 'returns', 'decorator_list', 'type_params'}
IDENTITY = ast.parse('lambda x: x', mode='eval').body


class Fault(NamedTuple):
  """One node of a tree, and what takes its place."""

  old: ast.AST
  new: ast.AST
  in_function: bool

  def __str__(self):
    return f'{_text(self.old)} -> {_text(self.new)}'


def faults(tree: ast.Module) -> list[Fault]:
  """All faults of a source, in its order."""
  return list(_walk(tree, scope=tree))


def apply(tree: ast.Module, fault: Fault) -> ast.Module:
  """Puts one of its faults into the tree, in place."""
  return ast.fix_missing_locations(_Replace(fault).visit(tree))


class _Replace(ast.NodeTransformer):
  def __init__(self, fault):
    self.fault = fault

  def visit(self, node):
    if node is self.fault.old:
      # A copy: what is new may hold the old node.
      return ast.copy_location(copy.deepcopy(self.fault.new), node)
    return self.generic_visit(node)


def _text(node):
  return ' '.join(ast.unparse(node).split())


def _walk(node, *, scope, inside=False) -> Iterator[Fault]:
  """The faults of a node and of what it holds; scope: its function."""
  if _is_idle(node):
    return
  for new in _of(node, scope):
    if _text(new) != _text(node):
      yield Fault(node, new, inside)
  yield from (Fault(*pair, inside) for pair in _of_arguments(node))
  if isinstance(node, ast.FunctionDef):
    scope = node
  for name, value in ast.iter_fields(node):
    # Defaults are read where the function is defined, its body when it runs.
    body = name == 'body' and isinstance(node, ast.FunctionDef | ast.Lambda)
    children = value if isinstance(value, list) else [value]
    for child in children:
      if isinstance(child, ast.AST) and not _is_unread(node, name, child):
        yield from _walk(child, scope=scope, inside=inside or body)


def _is_unread(node, name, child):
  """Annotations; and the -1 of a reshape, as any number below 0 is the rest."""
  shapes = getattr(getattr(node, 'func', None), 'attr', '') == 'reshape'
  return name in UNREAD or (shapes and isinstance(child, ast.UnaryOp))


def _is_idle(node):
  """Texts, refusals, and options that change no value."""
  match node:
    case ast.JoinedStr() | ast.Raise() | ast.Import() | ast.ImportFrom():
      return True
    case ast.FunctionDef(name='__repr__' | 'ignored'):
      return True  # the latter: options that a config may not have
    case ast.If(body=[*_, ast.Raise()], orelse=[]):
      return True
    case ast.keyword(arg=arg):
      return arg in IDLE_OPTIONS
    case ast.Call(func=ast.Attribute(attr='warn')):
      return True
  return False


@functools.singledispatch
def _of(node, scope) -> Iterator[ast.AST]:
  """What may stand in the node's place; nothing by default."""
  return iter(())


def _like(node, **fields):
  new = copy.copy(node)
  for name, value in fields.items():
    setattr(new, name, value)
  return new


def _swapped(items, i, j):
  items = list(items)
  items[i], items[j] = items[j], items[i]
  return items


@_of.register
def _(node: ast.BinOp, scope):
  sides = node.left, node.right
  if type(node.op) in OPERATORS and not any(map(_is_string, sides)):
    yield _like(node, op=OPERATORS[type(node.op)]())


def _is_string(node):
  constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
  return constant or isinstance(node, ast.JoinedStr)


@_of.register
def _(node: ast.AugAssign, scope):
  yield ast.Pass()
  if type(node.op) in OPERATORS:
    yield _like(node, op=OPERATORS[type(node.op)]())


@_of.register
def _(node: ast.BoolOp, scope):
  yield _like(node, op=OPERATORS[type(node.op)]())


@_of.register
def _(node: ast.Compare, scope):
  for i, op in enumerate(node.ops):
    ops = list(node.ops)
    ops[i] = OPERATORS[type(op)]()
    yield _like(node, ops=ops)


@_of.register
def _(node: ast.UnaryOp, scope):
  if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
    yield node.operand


@_of.register
def _(node: ast.Constant, scope):
  match node.value:
    case bool():
      yield _like(node, value=not node.value)
    case float(x) if 0 < x <= TOLERANCE:  # twice as much is as good
      yield _like(node, value=0.0)
      yield _like(node, value=1e6 * x)
    case int() | float():
      yield _like(node, value=node.value * 2 if node.value else 1)


@_of.register
def _(node: ast.keyword, scope):
  """An axis: another one. A `**group`: none, or another of the function."""
  if node.arg == 'axis' and isinstance(node.value, ast.Constant):
    yield _like(node, value=ast.Constant(1 if node.value.value == 0 else 0))
  if node.arg is None:
    for value in _other_groups(node.value, scope):
      yield _like(node, value=value)


@_of.register
def _(node: ast.Dict, scope):
  """A `**group` as above; or two neighbours' values exchanged."""
  for i, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
    if key is None:
      for other in _other_groups(value, scope):
        values = list(node.values)
        values[i] = other
        yield _like(node, values=values)
    elif i and node.keys[i - 1] is not None:
      yield _like(node, values=_swapped(node.values, i - 1, i))


def _other_groups(group, scope):
  yield ast.Dict([], [])
  seen = {ast.unparse(group)}
  for node in ast.walk(scope):
    values = []
    if isinstance(node, ast.keyword) and node.arg is None:
      values = [node.value]
    if isinstance(node, ast.Dict):
      pairs = zip(node.keys, node.values, strict=True)
      values = [value for key, value in pairs if key is None]
    for value in values:
      if ast.unparse(value) not in seen:
        seen.add(ast.unparse(value))
        yield value


@_of.register
def _(node: ast.Attribute, scope):
  if node.attr in FUNCTIONS and isinstance(node.ctx, ast.Load):
    yield _like(node, attr=FUNCTIONS[node.attr])


@_of.register
def _(node: ast.Call, scope):
  match node.func:
    case ast.Attribute(attr='stop_gradient'):
      yield _like(node, func=IDENTITY)
    case ast.Name(id=name) if FUNCTIONS.get(name) in (
      'min',
      'max',
      'any',
      'all',
      'relu',
    ):
      yield _like(node, func=ast.Name(FUNCTIONS[name], ast.Load()))


def _of_arguments(node):
  """Each name among a call's arguments, and the next one in its place."""
  names = getattr(node, 'args', []) if isinstance(node, ast.Call) else []
  names = [x for x in names if isinstance(x, ast.Name | ast.Attribute)]
  for one, other in zip(names, names[1:] + names[:1], strict=True):
    if ast.dump(one) != ast.dump(other):
      yield one, other


@_of.register
def _(node: ast.Return, scope):
  if isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
    for i in range(1, len(node.value.elts)):
      elts = _swapped(node.value.elts, i - 1, i)
      yield _like(node, value=_like(node.value, elts=elts))


@_of.register
def _(node: ast.IfExp, scope):
  yield _like(node, body=node.orelse, orelse=node.body)


@_of.register
def _(node: ast.If, scope):
  if isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
    yield _like(node, test=ast.UnaryOp(ast.Not(), node.test))
