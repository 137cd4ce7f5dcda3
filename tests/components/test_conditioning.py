"""Conditionings: formulas by hand, edges, every architecture, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.conditioning import d2d_ce, multi_hinge
from gan_jax.conditioning.shared import embeddings
from gan_jax.game.terms import Forward

B, K, E = 6, 3, 5
LABEL = np.array([0, 1, 0, 2, 1, 0])


def drawn(*shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape)


def ahead(real, fake, label=LABEL):
  """A Forward of these heads."""
  label = jnp.asarray(label)
  batch = {'label': label, 'index': jnp.arange(len(label))}
  single = lambda heads: {k: jnp.float32(v) for k, v in heads.items()}
  heads = single(real), single(fake)
  return Forward(batch, None, None, None, *heads, None, None)


def terms(name, seen, **options):
  """{player: values [B]} of a conditioning."""
  made = select.conditioning(name, **options)
  return {
    player: np.asarray(term(seen, (), key=None)[0])
    for player, term in made.terms.items()
  }


# ------------------------------------------------- formulas, by hand in float64


def ce(logits, label):
  """Cross-entropy of each row."""
  exps = np.exp(logits)
  rows = np.arange(len(label))
  return -np.log(exps[rows, label] / exps.sum(1))


def heads_of(width=K, *names):
  """Two sets of class logits, of reals and of fakes."""
  return tuple(
    {name: drawn(B, width, seed=10 * i + j) for j, name in enumerate(names)}
    for i in range(2)
  )


def test_auxiliary_classifier():
  real, fake = heads_of(K, 'class_logits')
  on_real, on_fake = (ce(x['class_logits'], LABEL) for x in (real, fake))
  seen = ahead(real, fake)
  for options, d, g in (
    ({}, on_real, on_fake),
    ({'d_weight': 0.5, 'g_weight': 0.1}, 0.5 * on_real, 0.1 * on_fake),
    ({'fakes': True, 'd_weight': 2.0}, 2 * (on_real + on_fake), on_fake),
  ):
    made = terms('ac', seen, **options)
    np.testing.assert_allclose(made['d'], d, 1e-5)
    np.testing.assert_allclose(made['g'], g, 1e-5)


WEIGHTS = dict(d_weight=0.5, twin_d_weight=2.0, g_weight=3.0, twin_g_weight=4.0)


@pytest.mark.parametrize('name', ['tac', 'adc'])
def test_twin_classifiers(name):
  if name == 'tac':
    real, fake = heads_of(K, 'class_logits', 'twin_logits')
    first = lambda x: ce(x['class_logits'], LABEL)
    second = lambda x: ce(x['twin_logits'], LABEL)
  else:
    real, fake = heads_of(2 * K, 'class_logits')
    first = lambda x: ce(x['class_logits'], 2 * LABEL)
    second = lambda x: ce(x['class_logits'], 2 * LABEL + 1)
  seen = ahead(real, fake)
  made = terms(name, seen)
  np.testing.assert_allclose(made['d'], first(real) + second(fake), 1e-5)
  np.testing.assert_allclose(made['g'], first(fake) - second(fake), 1e-4, 1e-6)
  made = terms(name, seen, **WEIGHTS)
  d, g = 0.5 * first(real) + 2 * second(fake), 3 * first(fake)
  np.testing.assert_allclose(made['d'], d, 1e-5)
  np.testing.assert_allclose(made['g'], g - 4 * second(fake), 1e-4, 1e-6)


def crammer_singer(scores, label):
  """max(0, 1 + the best other score - the own), row by row."""
  return np.array(
    [
      max(0, 1 + np.delete(row, k).max() - row[k])
      for row, k in zip(scores, label, strict=True)
    ]
  )


def test_multi_hinge():
  real, fake = heads_of(K + 1, 'class_logits')
  for i, heads in enumerate((real, fake)):
    heads['logits'] = multi_hinge.margin(heads['class_logits'], LABEL)
    heads['features'] = drawn(B, 7, seed=20 + i)
  made = terms('multi_hinge', ahead(real, fake))
  on_fakes = crammer_singer(fake['class_logits'], np.full(B, K))
  d = crammer_singer(real['class_logits'], LABEL) + on_fakes
  np.testing.assert_allclose(made['d'], d, 1e-5)
  gap = np.abs(fake['features'].mean(0) - real['features'].mean(0)).mean()
  hinge = crammer_singer(fake['class_logits'], LABEL)
  np.testing.assert_allclose(made['g'], 0.05 * hinge + gap, 1e-5)
  own = {'g_weight': 2.0, 'matching': 0.5}
  made = terms('multi_hinge', ahead(real, fake), **own)
  np.testing.assert_allclose(made['g'], 2 * hinge + 0.5 * gap, 1e-5)


def units(x):
  return x / np.sqrt((x**2).sum(1, keepdims=True))


def two_c(embed, proxy, label, *, t=1.0):
  """Each example's 2C loss, in the paper's words."""
  h, p = units(embed), units(proxy)
  found = []
  for i in range(len(h)):
    others = [j for j in range(len(h)) if j != i]
    own = np.exp(h[i] @ p[i] / t)
    near = sum(np.exp(h[i] @ h[j] / t) for j in others if label[j] == label[i])
    every = sum(np.exp(h[i] @ h[j] / t) for j in others)
    found.append(-np.log((own + near) / (own + every)))
  return np.array(found)


def d2d(embed, proxy, label, *, t=0.5, m=0.98):
  """Each example's D2D-CE loss, in the paper's words."""
  h, p = units(embed), units(proxy)
  found = []
  for i in range(len(h)):
    own = np.exp(min(h[i] @ p[i] - m, 0) / t)
    unlike = [j for j in range(len(h)) if label[j] != label[i]]
    against = sum(np.exp(max(h[i] @ h[j] - (1 - m), 0) / t) for j in unlike)
    found.append(-np.log(own / (own + against)))
  return np.array(found)


def d2d_studiogan(embed, proxy, label, *, t=0.5, m=0.98):
  """The same, the row's maximum taken from the pairs alone."""
  h, p = units(embed), units(proxy)
  found = []
  for i in range(len(h)):
    attracted = max((m - h[i] @ p[i]) / t, 0)
    pair = {j: (h[i] @ h[j] + m - 1) / t for j in range(len(h)) if j != i}
    most = max(pair.values(), default=0)
    against = sum(
      np.exp(max(value, 0) - most)
      for j, value in pair.items()
      if label[j] != label[i]
    )
    found.append(attracted + np.log(np.exp(-attracted) + against))
  return np.array(found)


EMBEDDED = {
  'contrastive': ('contrastive', two_c, {}, {}, 1.0),
  'contrastive-cold': (
    'contrastive', two_c, {'temperature': 0.1, 'weight': 3.0}, {'t': 0.1}, 3.0,
  ),
  'd2d_ce': ('d2d_ce', d2d, {}, {}, 0.5),
  'd2d_ce-imagenet': (
    'd2d_ce', d2d, {'temperature': 0.25, 'margin': 0.9},
    {'t': 0.25, 'm': 0.9}, 0.5,
  ),
  'studiogan': (
    'd2d_ce', d2d_studiogan, {'variant': 'studiogan', 'weight': 1.0}, {}, 1.0,
  ),
}  # fmt: skip
BATCHES = {
  'usual': LABEL,
  'all apart': np.arange(B),  # no example has a positive
  'all alike': np.zeros(B, int),  # nor a negative
  'single': np.zeros(1, int),
}


def embedded(label, *names):
  """Heads with embeddings; some lie near each other, some near a proxy."""

  def one(seed):
    own = {
      name: drawn(len(label), E, seed=seed + i) for i, name in enumerate(names)
    }
    own['embed'][-1] = own['embed'][0] * 2
    own['proxy'][0] = own['embed'][0] * 3
    return own

  return one(0), one(40)


@pytest.mark.parametrize('batch', BATCHES)
@pytest.mark.parametrize('case', EMBEDDED)
def test_embeddings_by_hand(case, batch):
  name, by_hand, options, constants, weight = EMBEDDED[case]
  label = BATCHES[batch]
  real, fake = embedded(label, 'embed', 'proxy')
  made = terms(name, ahead(real, fake, label), **options)
  for player, heads in (('d', real), ('g', fake)):
    value = weight * by_hand(heads['embed'], heads['proxy'], label, **constants)
    # Differences of logarithms of numbers up to e^(1/t), in float32.
    np.testing.assert_allclose(made[player], value, 1e-5, 1e-5)


@pytest.mark.parametrize('case', ['contrastive', 'd2d_ce', 'studiogan'])
def test_a_second_judgement_of_embeddings(case):
  name, by_hand, options, _, weight = EMBEDDED[case]
  both = 'embed', 'proxy', 'twin_embed', 'twin_proxy'
  real, fake = embedded(LABEL, *both)
  made = terms(name, ahead(real, fake), **options)
  first = lambda x: by_hand(x['embed'], x['proxy'], LABEL)
  second = lambda x: by_hand(x['twin_embed'], x['twin_proxy'], LABEL)
  d, g = first(real) + second(fake), first(fake) - second(fake)
  np.testing.assert_allclose(made['d'], weight * d, 1e-5, 1e-6)
  np.testing.assert_allclose(made['g'], weight * g, 1e-4, 1e-5)


@pytest.mark.parametrize('name', ['contrastive', 'd2d_ce'])
@pytest.mark.parametrize('batch', BATCHES)
def test_cold_and_degenerate_embeddings_stay_finite(name, batch):
  """At a temperature of 1e-3 e^(c/t) is beyond float32; so is log of 0."""
  label = jnp.asarray(BATCHES[batch])
  term = select.conditioning(name, temperature=1e-3).terms['d']

  def total(embed):
    heads = {'embed': embed, 'proxy': jnp.float32(drawn(len(label), E))}
    return term(ahead(heads, heads, label), (), key=None)[0].mean()

  for embed in (drawn(len(label), E, seed=1), np.zeros((len(label), E))):
    value, slope = jax.value_and_grad(total)(jnp.float32(embed))
    assert np.isfinite(value) and np.isfinite(slope).all()


def test_d2d_ce_asks_nothing_beyond_its_margins():
  """A sample at its proxy, and every other class on the far side."""
  h = jnp.array([[1.0, 0], [-1, 0]])
  near = embeddings.cosines(
    {'embed': h, 'proxy': h},
    {'label': jnp.arange(2), 'index': jnp.arange(2)}, None,
  )  # fmt: skip
  slope = jax.grad(
    lambda near: d2d_ce.paper(near, temperature=0.5, margin=0.98).sum(),
    allow_int=True,
  )(near)
  np.testing.assert_array_equal(slope.proxy, 0)
  np.testing.assert_array_equal(slope.pairs, 0)
