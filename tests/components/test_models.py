"""Models: golden parameter counts, shapes, dtypes, labels, refusals."""

import functools
import importlib
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.models import dcgan
from gan_jax.types import UserError
from tests.components import golden
from tests.components.shipped import OTHER_SAMPLES, SHIPPED, SMALL, UNBOUNDED

NAMES = sorted(SHIPPED['models'] - set(OTHER_SAMPLES))
FIELDS = {'num_classes', 'axis_name', 'dtype'}
Z = 64
# Collections of a generator, beside those of its norm.
KEPT = {'stylegan2': {'averages'}, 'stylegan3': {'averages', 'fourier'}}


def has_norm(name):
  module = importlib.import_module(f'gan_jax.models.{name}')
  return 'norm' in module.Generator.__dataclass_fields__


def under(*norms):
  """(model, norm), and 'none' of a model that has no choice."""
  every = [(name, norm) for name in NAMES for norm in norms if has_norm(name)]
  return every + [(name, 'none') for name in NAMES if not has_norm(name)]


def small(name, norm):
  """A thin network's options by player."""
  own = {'norm': norm} if has_norm(name) else {}
  return {player: SMALL[name][player] | own for player in 'gd'}


def make(name, shape, *, g=None, d=None, **common):
  module = importlib.import_module(f'gan_jax.models.{name}')
  return (
    module.Generator(shape=shape, **(g or {}), **common),
    module.Discriminator(**(d or {}), **common),
  )


def shapes(pair, label=None):
  return golden.shapes(pair, Z, label)


def test_every_model_has_golden_counts():
  """Here, or in a test_models_*.py of its own kind of sample."""
  here = pathlib.Path(__file__).parent
  names = [f'tests.components.{p.stem}' for p in here.glob('test_models_*.py')]
  files = [importlib.import_module(name) for name in sorted(names)]
  others = [set(getattr(file, 'GOLDEN', ())) for file in files]
  assert set(OTHER_SAMPLES) == set().union(*others)
  assert set(NAMES) == {case.model for case in golden.CASES} == set(SMALL)


@pytest.mark.parametrize(
  'case', golden.CASES, ids=lambda c: f'{c.model}-{c.shape[0]}-{c.num_classes}'
)
def test_golden_parameter_counts(case):
  label = jnp.zeros(2, int) if case.num_classes else None
  (image, g), (logits, d) = golden.shapes(
    golden.networks(case), case.latent, label, case.levels
  )
  assert image.shape == (2, *case.shape)
  assert logits.shape == (2,)
  assert (golden.count(g), golden.count(d)) == case.counts


@pytest.mark.parametrize('name', NAMES)
def test_common_fields(name):
  module = importlib.import_module(f'gan_jax.models.{name}')
  assert FIELDS | {'shape'} <= set(module.Generator.__dataclass_fields__)
  assert FIELDS <= set(module.Discriminator.__dataclass_fields__)


@pytest.mark.parametrize('num_classes', [0, 10])
@pytest.mark.parametrize('name, norm', under('batch', 'spectral', 'none'))
def test_bfloat16_computes_but_never_stores(name, norm, num_classes):
  pair = make(
    name,
    (8, 8, 1),
    **small(name, norm),
    dtype=jnp.bfloat16,
    num_classes=num_classes,
  )
  (image, g), (logits, d) = shapes(pair, jnp.zeros(2, int))
  assert image.dtype == logits.dtype == jnp.float32
  assert {a.dtype for a in jax.tree.leaves((g, d))} == {np.dtype('float32')}
  expected = {'batch': 'batch_stats', 'spectral': 'spectral'}.get(norm)
  for variables, kept in ((g, KEPT.get(name, set())), (d, set())):
    assert set(variables) == {'params', expected} - {None} | kept


@pytest.mark.parametrize('size', [8, 9, 12, 28, 30, 48, 100, 127])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_dcgan_makes_any_size(size, channels):
  shape = size, size, channels
  (image, _), (logits, _) = shapes(make('dcgan', shape))
  assert image.shape == (2, *shape)
  assert logits.shape == (2,)


def test_dcgan_widths_are_the_stages():
  pair = make(
    'dcgan', (32, 32, 3), g={'widths': (16, 8)}, d={'widths': (4, 6, 10)}
  )
  (_, g), (_, d) = shapes(pair)
  kernel = lambda v, name: v['params'][name]['kernel'].shape
  assert kernel(g, 'start') == (Z, 8 * 8 * 16)
  assert kernel(g, 'up_0') == (4, 4, 16, 8)
  assert kernel(g, 'up_1') == (4, 4, 8, 3)
  assert [kernel(d, f'down_{i}')[-1] for i in range(3)] == [4, 6, 10]
  assert kernel(d, 'logits') == (4 * 4 * 10, 1)


@pytest.mark.parametrize(
  'size, widths',
  [
    (8, (64, 128)),
    (28, (64, 128)),
    (32, (64, 128, 256)),
    (64, (64, 128, 256, 512)),
    (128, (64, 128, 256, 512, 512)),
  ],
)
def test_dcgan_default_widths(size, widths):
  assert dcgan.default_widths(size) == widths


def test_dcgan_norms_where_the_paper_has_them():
  _, (_, d) = shapes(make('dcgan', (32, 32, 3)))
  assert {k for k in d['params'] if 'norm' in k} == {'norm_1', 'norm_2'}
  assert 'bias' in d['params']['down_0']  # nothing after it takes it away
  assert 'bias' not in d['params']['down_1']


@pytest.mark.parametrize(
  'shape', [(7, 7, 1), (129, 129, 3), (32, 28, 3), (2,), (1, 1, 3)]
)
def test_dcgan_refuses_what_it_cannot_make(shape):
  g, d = make('dcgan', shape)
  says = f'{tuple(shape)}'.replace('(', r'\(').replace(')', r'\)')
  with pytest.raises(UserError, match=f'{says}.*from 8 to 128'):
    jax.eval_shape(
      lambda k: g.init(k, jnp.ones((2, Z)), train=True), jax.random.key(0)
    )
  with pytest.raises(UserError, match=f'{says}.*from 8 to 128'):
    jax.eval_shape(
      lambda k: d.init(k, jnp.ones((2, *shape)), train=True), jax.random.key(0)
    )


def test_dcgan_refuses_more_stages_than_the_size_has():
  with pytest.raises(UserError, match='4 widths for size 8; give 1 to 3'):
    shapes(make('dcgan', (8, 8, 1), g={'widths': (8, 8, 8, 8)}))


def drawn(variables):
  """Any numbers in their shapes: to initialise is a program of its own."""
  rng = np.random.default_rng(0)

  def draw(path, like):
    keys = {k.key for k in path}
    one = keys & {'var', 'scale', 'u', 'v', 'magnitude'}
    x = np.ones(like.shape) if one else rng.normal(size=like.shape) / 3
    return x.astype(like.dtype)

  return jax.tree_util.tree_map_with_path(draw, variables)


@pytest.mark.parametrize('name, norm', under('batch', 'spectral'))
def test_labels_change_the_output(name, norm):
  g, d = make(name, (8, 8, 1), **small(name, norm), num_classes=3)
  one, two = np.array([0, 1]), np.array([0, 2])
  gv, dv = (drawn(variables) for _, variables in shapes((g, d), one))
  z = np.random.default_rng(1).normal(size=(2, Z)).astype(np.float32)
  # Evaluation mode: nothing but its own label can change an example.
  g_apply = jax.jit(functools.partial(g.apply, train=False))
  d_apply = jax.jit(functools.partial(d.apply, train=False))
  images = [g_apply(gv, z, label) for label in (one, two)]
  x = images[0]
  logits = [d_apply(dv, x, label) for label in (one, two)]
  for a, b in (images, logits):
    np.testing.assert_array_equal(a[0], b[0])
    assert np.abs(a[1] - b[1]).max() > 1e-6
  with pytest.raises(ValueError, match='3 classes needs labels'):
    g.apply(gv, z, train=False)


@pytest.mark.parametrize('name', NAMES)
def test_unconditional_models_ignore_labels(name):
  pair = make(name, (8, 8, 1), **SMALL[name])
  plain = shapes(pair)
  labelled = shapes(pair, jnp.zeros(2, int))
  assert jax.tree.map(str, plain) == jax.tree.map(str, labelled)


@pytest.mark.parametrize('name', sorted(set(NAMES) - UNBOUNDED))
def test_images_lie_in_model_range(name):
  g, _ = make(name, (8, 8, 1), g=SMALL[name]['g'])
  z = 30 * jnp.ones((2, Z))
  run = jax.jit(functools.partial(g.init_with_output, train=False))
  image, _ = run(jax.random.key(0), z)
  assert np.abs(image).max() <= 1


def test_mlp_points_are_unbounded():
  g, d = make('mlp', (2,))
  z = 1e3 * np.random.default_rng(0).normal(size=(8, Z)).astype(np.float32)
  begin = lambda net: jax.jit(
    functools.partial(net.init_with_output, train=True)
  )
  points, _ = begin(g)(jax.random.key(1), z)
  assert points.shape == (8, 2)
  assert np.abs(points).max() > 1
  logits, _ = begin(d)(jax.random.key(1), points)
  assert logits.shape == (8,)


def test_mlp_unknown_activation():
  with pytest.raises(UserError, match="'swoosh'"):
    shapes(make('mlp', (2,), g={'activation': 'swoosh'}))
