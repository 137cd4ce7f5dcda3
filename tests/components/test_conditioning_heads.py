"""Heads of conditionings: layers, golden counts, every architecture."""

import functools
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.game import forward
from gan_jax.models.layers import blocks
from tests.components import golden
from tests.components.shipped import SHIPPED, SMALL
from tests.components.test_conditioning import LABEL, B, K, ahead, drawn

NAMES = sorted(SHIPPED['conditioning'])


def head(name, label=None, num_classes=K, **options):
  """(heads, parameters) of features [B, 4], with layers of no norm."""
  made = select.conditioning(name, **options).head(
    dense=blocks.Dense, embed=blocks.Embed, num_classes=num_classes
  )
  x = jnp.float32(drawn(B, 4, seed=5))
  heads, variables = made.init_with_output(jax.random.key(0), x, label)
  return np.asarray(x), heads, jax.tree.map(np.asarray, variables['params'])


def affine(p, x):
  return x @ p['kernel'] + p.get('bias', 0)


def test_a_logit_for_each_class():
  x, heads, p = head('md', jnp.asarray(LABEL))
  every = affine(p['logits'], x)
  np.testing.assert_allclose(heads['logits'], every[range(B), LABEL], 1e-5)
  _, heads, p = head('md')
  assert heads['logits'].shape == (B,) and p['logits']['bias'].shape == (1,)


def test_an_embedding_beside_the_features():
  x, heads, p = head('concat', jnp.asarray(LABEL), embedding=7, hidden=9)
  both = np.concatenate([x, p['embed']['embedding'][LABEL]], axis=1)
  hidden = affine(p['hidden'], both)
  hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
  assert p['embed']['embedding'].shape == (K, 7) and hidden.shape == (B, 9)
  logits = affine(p['logits'], hidden)[:, 0]
  np.testing.assert_allclose(heads['logits'], logits, 1e-5, 1e-6)
  _, _, p = head('concat')
  assert set(p) == {'logits'}


def test_projections_compare_features_with_a_class():
  label = jnp.asarray(LABEL)
  x, heads, p = head('projection', label)
  own = p['embed']['embedding'][LABEL]
  logits = affine(p['logits'], x)[:, 0] + (own * x).sum(1)
  np.testing.assert_allclose(heads['logits'], logits, 1e-5, 1e-6)
  x, heads, p = head('mapped_projection', label)
  own = p['embed']['embedding'][LABEL]
  logits = (own * affine(p['logits'], x)).sum(1) / np.sqrt(x.shape[1])
  assert p['embed']['embedding'].shape == (K, x.shape[1])
  np.testing.assert_allclose(heads['logits'], logits, 1e-5, 1e-6)
  for name in ('projection', 'mapped_projection'):
    x, heads, p = head(name)
    assert set(p) == {'logits'}
    logits = affine(p['logits'], x)[:, 0]
    np.testing.assert_allclose(heads['logits'], logits, 1e-5, 1e-6)


def test_a_d_that_sees_no_label():
  x, heads, p = head('unconditional_d', jnp.asarray(LABEL))
  assert set(p) == {'logits'}
  logits = affine(p['logits'], x)[:, 0]
  np.testing.assert_allclose(heads['logits'], logits, 1e-5, 1e-6)


@pytest.mark.parametrize(
  'name, options, width',
  [
    ('ac', {}, K),
    ('ac', {'bias': True}, K),
    ('tac', {}, K),
    ('adc', {}, 2 * K),
  ],
)
def test_classifiers_are_linear(name, options, width):
  x, heads, p = head(name, jnp.asarray(LABEL), **options)
  bias = bool(options)
  assert ('bias' in p['classes']) == bias
  for key, layer in (('class_logits', 'classes'), ('twin_logits', 'twin')):
    if layer in p:
      assert heads[key].shape == (B, width)
      np.testing.assert_allclose(heads[key], affine(p[layer], x), 1e-5, 1e-6)
  assert ('twin' in p) == (name == 'tac')


@pytest.mark.parametrize('auxiliary', ['none', 'adc', 'tac'])
def test_embeddings_and_proxies(auxiliary):
  x, heads, p = head('d2d_ce', jnp.asarray(LABEL), auxiliary=auxiliary)
  kinds = 2 if auxiliary == 'adc' else 1
  table = p['proxy']['embedding']
  assert table.shape == (kinds * K, 512)
  embed = affine(p['embedding'], x)
  expected = {'embed': embed, 'proxy': table[kinds * LABEL]}
  if auxiliary == 'adc':
    expected |= {'twin_embed': embed, 'twin_proxy': table[2 * LABEL + 1]}
  elif auxiliary == 'tac':
    own = p['twin_proxy']['embedding'][LABEL]
    expected |= {
      'twin_embed': affine(p['twin_embedding'], x),
      'twin_proxy': own,
    }
  assert set(heads) == {'logits', *expected}
  for key, value in expected.items():
    np.testing.assert_allclose(heads[key], value, 1e-5, 1e-6)


def test_multi_hinge_scores():
  x, heads, p = head('multi_hinge', jnp.asarray(LABEL))
  scores = affine(p['logits'], x)
  assert scores.shape == (B, K + 1)
  np.testing.assert_allclose(heads['class_logits'], scores, 1e-5, 1e-6)
  np.testing.assert_array_equal(heads['features'], x)
  best = [np.delete(row, k).max() for row, k in zip(scores, LABEL, strict=True)]
  own = scores[range(B), LABEL]
  np.testing.assert_allclose(heads['logits'], own - best, 1e-5, 1e-6)


# The 96-wide BigGAN of CIFAR-10 in StudioGAN, by how its D sees classes.
COUNTS = {
  'projection': 2_415_170,
  'unconditional_d': 2_413_250,
  'ac': 2_415_170,
  'adc': 2_417_090,
  'tac': 2_417_090,
  'contrastive': 2_517_186,
  'd2d_ce': 2_517_186,
  'd2d_ce adc': 2_522_306,
  'contrastive adc': 2_522_306,
  'd2d_ce tac': 2_621_122,
  'contrastive tac': 2_621_122,
  'multi_hinge': 2_415_180,
  'md': 2_414_987,
}


def published(name, **changed):
  """The head of that conditioning: 'NAME', or 'NAME AUXILIARY'."""
  name, _, auxiliary = name.partition(' ')
  options = {'auxiliary': auxiliary} if auxiliary else changed
  return select.conditioning(name, **options).head


def count_of(case, head):
  (_, d) = golden.networks(case)
  image = jnp.zeros((2, *case.shape))
  run = lambda key: d.clone(head=head).init(
    key, image, jnp.zeros(2, int), train=True
  )
  return golden.count(jax.eval_shape(run, jax.random.key(0)))


@pytest.mark.parametrize('name', COUNTS)
def test_golden_parameter_counts(name):
  case = golden.Case(
    'biggan', golden.STUDIO, golden.square(32), 80, (0, 0), 10, d=golden.THIN
  )
  assert count_of(case, published(name)) == COUNTS[name]


def test_wgan_gp_s_classifier_has_a_bias():
  case = golden.Case(
    'sngan', golden.WGP, golden.square(32), 128, (0, 0), 10, d=golden.WGP_D
  )
  assert count_of(case, published('ac', bias=True)) == 1_055_115


def test_every_conditioning_has_a_golden_count():
  ours = {'concat', 'inner_product', 'mapped_projection'}  # of none's D here
  assert {name.split()[0] for name in COUNTS} | ours == set(NAMES)


LABELLED = sorted(SMALL)  # architectures of images, small


@functools.cache
def pictures(model):
  """D of an architecture, small, and shapes of what it is given."""
  d = importlib.import_module(f'gan_jax.models.{model}').Discriminator
  own = {'num_classes': K, **SMALL[model]['d']}
  return d(**own), jnp.zeros((2, 8, 8, 1)), jnp.array([0, 2])


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('model', LABELLED)
def test_every_architecture_takes_every_conditioning(model, name):
  """Its heads, and the terms of both players of them, [B]."""
  d, image, label = pictures(model)
  made = select.conditioning(name)

  def run(key):
    net = d.clone(head=made.head)
    heads, _ = net.init_with_output(key, image, label, train=True)
    heads = forward.heads_of(heads)
    seen = ahead(heads, heads, label)
    values = [term(seen, (), key=None)[0] for term in made.terms.values()]
    return heads['logits'], values

  logits, values = jax.eval_shape(run, jax.random.key(0))
  assert {x.shape for x in (logits, *values)} == {(2,)}
  assert logits.dtype == jnp.float32
