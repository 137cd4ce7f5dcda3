"""What every kind of data promises, and that nobody else asks for it."""

import ast
import inspect
import pathlib

import jax
import numpy as np
import PIL.Image
import pytest

import gan_jax
from gan_jax import select
from gan_jax.data import batching, kinds, loading, memory
from gan_jax.metrics import measures
from gan_jax.metrics.features import spaces
from gan_jax.types import UserError
from tests.report.test_page import _Reader as Reader

ROOT = pathlib.Path(gan_jax.__file__).parent
KINDS = select.available('kinds')
EXAMPLES = {  # raw examples of each kind
  'audio': np.random.default_rng(0).integers(
    -9999, 9999, (6, 700, 1), np.int16
  ),
  'image': np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8),
  'point': np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32),
  'series': np.random.default_rng(0).normal(size=(6, 9, 2)).astype(np.float32),
  'text': np.random.default_rng(0).integers(0, 5, (6, 9), np.uint8),
}
FIELDS = {'text': {'shape': (9, 5), 'about': {'alphabet': '\n<&yz'}}}


@pytest.fixture(params=KINDS)
def dataset(request):
  kind = request.param
  fields = FIELDS.get(kind, {})
  return memory.from_arrays('tiny', kind, EXAMPLES[kind], **fields)


def test_every_kind_has_examples_here():
  assert set(EXAMPLES) == set(KINDS) and len(KINDS) > 1


def test_every_member_is_explained():
  text = (ROOT / 'kinds' / 'README.md').read_text()
  rows = [line for line in text.splitlines() if line.startswith('| `')]
  told = [line.split('`')[1].partition('(')[0] for line in rows]
  assert tuple(told) == kinds.MEMBERS


def test_constants(dataset):
  kind = kinds.of(dataset)
  assert kind.SHOWN > 0 and kind.MAX_REAL > 0
  assert isinstance(kind.BACKDROP, bool)
  assert kind.RANGE is None or kind.RANGE[0] < kind.RANGE[1]
  assert all(s.startswith('.') and s != '.npz' for s in kind.SUFFIXES)
  assert set(kind.FEATURES) <= set(spaces.KNOWS)


def test_to_model_range_and_back(dataset):
  kind, raw = kinds.of(dataset), dataset.read(np.arange(6))['x']
  x = jax.jit(lambda x: kinds.in_model_range(dataset, x))(raw)
  assert x.dtype == np.float32 and x.shape == (6, *dataset.shape)
  back = kind.from_model_range(np.asarray(x), dataset=dataset)
  assert back.dtype == raw.dtype
  np.testing.assert_array_equal(back, raw)
  # More leading axes: seeds and batches.
  pairs = kinds.in_model_range(dataset, raw.reshape(2, 3, *raw.shape[1:]))
  np.testing.assert_array_equal(np.reshape(pairs, x.shape), x)


def test_what_metrics_compare_lies_in_model_range(dataset):
  net = spaces.load(dataset, 'pixels')
  raw = dataset.read(np.arange(6))['x']
  real = kinds.of(dataset).to_metrics(raw, dataset=dataset)
  fake = np.asarray(kinds.in_model_range(dataset, raw))
  np.testing.assert_allclose(
    net.apply(real).features, net.apply(fake).features, rtol=0, atol=1e-6
  )


def test_mirrors_undo_themselves(dataset):
  kind, raw = kinds.of(dataset), dataset.read(np.arange(6))['x']
  if kind.mirror is None:
    with pytest.raises(UserError, match='data.flip.* tiny '):
      batching.check_flip(dataset, flip=True)
    return
  batching.check_flip(dataset, flip=True)
  assert (kind.mirror(raw) != raw).any()
  np.testing.assert_array_equal(kind.mirror(kind.mirror(raw)), raw)


@pytest.mark.parametrize('there', [{'features'}, {'features', 'classes'}])
def test_usual_metrics_are_possible(dataset, there):
  there = there | {*kinds.of(dataset).MEASURED}
  names = kinds.of(dataset).usual_metrics(frozenset(there))
  assert names and set(names) <= set(
    measures.available_names(frozenset(there | {'probabilities'}))
  )


@pytest.mark.parametrize('raw', [False, True])
def test_pictures(dataset, raw):
  kind, x = kinds.of(dataset), dataset.read(np.arange(6))['x']
  x = x if raw else np.asarray(kinds.in_model_range(dataset, x))
  plain = kind.picture(x)
  assert isinstance(plain, PIL.Image.Image) and plain.mode == 'RGB'
  real = x[::-1] if kind.BACKDROP else None
  assert kind.picture(x, dataset=dataset, real=real, labels=list('abcdef'))
  broken = np.full(x.shape, np.nan, np.float32)  # a run may diverge
  assert kind.picture(broken, dataset=dataset).mode == 'RGB'
  if kind.neighbours:
    nearest = np.stack([x[::-1], x], axis=1)  # [N, 2, ...]
    assert kind.neighbours(x, nearest).mode == 'RGB'


def test_lines_of_a_terminal(dataset):
  kind, x = kinds.of(dataset), dataset.read(np.arange(6))['x']
  x = np.asarray(kinds.in_model_range(dataset, x))
  lines = kind.lines(x, dataset=dataset)
  assert lines and all(len(line) <= 80 and line.isprintable() for line in lines)
  assert kind.lines(x[::-1].copy(), dataset=dataset, labels=list('abcdef'))
  broken = np.full(x.shape, np.nan, np.float32)
  assert len(kind.lines(broken, dataset=dataset)) == len(lines)


def test_fragments(dataset):
  kind, x = kinds.of(dataset), dataset.read(np.arange(6))['x']
  if kind.fragment is None:
    return
  x = np.asarray(kinds.in_model_range(dataset, x))
  html = kind.fragment(x, dataset=dataset, real=x[::-1])
  Reader(html)
  assert 'http' not in html  # it works offline
  broken = np.full(x.shape, np.nan, np.float32)
  Reader(kind.fragment(broken, dataset=dataset, real=x, labels=list('abcdef')))


def test_images_that_nets_see(dataset):
  kind, raw = kinds.of(dataset), dataset.read(np.arange(6))['x']
  if kind.as_images is None:
    assert 'classifier' not in kind.FEATURES
    return
  x = np.asarray(kinds.in_model_range(dataset, raw))
  seen = kind.as_images(x, about=dataset.about)
  assert seen.ndim == 4 and len(seen) == 6 and np.isfinite(seen).all()
  real = kind.to_metrics(raw, dataset=dataset)
  shown = kind.as_images(real, about=dataset.about)
  assert shown.shape == seen.shape


def test_what_is_measured_is_a_condition_of_metrics(dataset):
  there = kinds.of(dataset).MEASURED
  assert isinstance(there, tuple) and set(there) <= set(measures.WHERE)


def test_exports(dataset, tmp_path):
  kind, x = kinds.of(dataset), dataset.read(np.arange(6))['x']
  for suffix in kind.SUFFIXES:
    path = tmp_path / f'out{suffix}'
    kind.export(path, x, dataset=dataset, real=None)
    assert path.stat().st_size > 0
    if suffix in ('.png', '.webp'):
      with PIL.Image.open(path) as read:
        drawn = kind.picture(x, dataset=dataset)
        assert read.convert('RGB').tobytes() == drawn.tobytes()


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('member', kinds.MEMBERS)
def test_arguments(name, member):
  function = getattr(kinds.named(name), member)
  if not inspect.isfunction(function):
    return
  for p in inspect.signature(function).parameters.values():
    assert p.kind is not p.KEYWORD_ONLY or p.default is None, p


def test_a_kind_that_does_not_exist(tmp_path, monkeypatch):
  (tmp_path / 'my_smells.py').write_text(
    'import numpy as np\n'
    'from gan_jax.data import memory\n'
    "def load(*, kind='smell'):\n"
    "  return memory.from_arrays('my', kind, np.zeros((3, 2)))\n"
  )
  (tmp_path / 'my_scents.py').write_text('SHOWN, MAX_REAL = 9, 9\n')
  (tmp_path / 'gan_jax_sets').mkdir()
  (tmp_path / 'my_smells.py').rename(tmp_path / 'gan_jax_sets' / 'smells.py')
  (tmp_path / 'my_scents.py').rename(tmp_path / 'gan_jax_sets' / 'scents.py')
  monkeypatch.syspath_prepend(tmp_path)
  with pytest.raises(UserError, match="kind='smell'.*: audio, image, point"):
    loading.load('gan_jax_sets.smells')
  with pytest.raises(UserError, match='scents.*no RANGE, BACKDROP, SUFFIXES'):
    loading.load('gan_jax_sets.smells', kind='gan_jax_sets.scents')


# Nobody else asks.

ASKING = [
  p for p in sorted(ROOT.rglob('*.py'))
  if p.relative_to(ROOT).parts[0] not in ('kinds', 'datasets', 'models')
]  # fmt: skip


@pytest.mark.parametrize('path', ASKING, ids=lambda p: str(p.relative_to(ROOT)))
def test_nobody_else_asks_what_a_sample_is(path):
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Constant):
      assert node.value not in KINDS, f'line {node.lineno}'
    if isinstance(node, ast.Compare):
      sides = [node.left, *node.comparators]
      assert not any(map(_is_datas, sides)), f'line {node.lineno}'
    if isinstance(node, ast.Subscript):
      assert not _is_datas(node.slice), f'line {node.lineno}'


def _is_datas(node):
  """Whether an expression is the kind of a data set: `dataset.kind`."""
  if not isinstance(node, ast.Attribute) or node.attr != 'kind':
    return False
  owner = ast.unparse(node.value).rpartition('.')[2]
  return owner in ('dataset', 'data', 'fake', 'real', 'whole', 'reference')
