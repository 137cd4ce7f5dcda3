"""What D reads of a latent's codes, and the codes themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import select
from gan_jax.conditioning import infogan
from gan_jax.game import latents, rules
from gan_jax.types import UserError
from tests.components import conformance, golden

CODES = {'categories': (3, 2), 'continuous': 2}
LATENT = {'name': 'uniform', 'dim': 4} | CODES


def judged(seed=0):
  rng = np.random.default_rng(seed)
  draw = lambda *shape: jnp.float32(rng.normal(size=(5, *shape)))
  return {
    'code_logits': (draw(3), draw(2)),
    'code_mean': draw(2),
    'code_log_variance': draw(2),
  }


def drawn(num=5, **changed):
  prior = latents.make_prior(**LATENT | changed)
  return jax.vmap(prior)(jax.random.split(jax.random.key(1), num))


def test_surprise_is_the_negative_log_likelihood():
  heads, z = judged(), np.float64(drawn())
  value = np.zeros(5)
  for i, code in enumerate((z[:, 4:7], z[:, 7:9])):
    logits = np.float64(heads['code_logits'][i])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    value -= np.log(p[np.arange(5), code.argmax(1)])
  variance = np.exp(np.float64(heads['code_log_variance']))
  mean = np.float64(heads['code_mean'])
  density = np.exp(-((z[:, 9:] - mean) ** 2) / (2 * variance))
  value -= np.log(density / np.sqrt(2 * np.pi * variance)).sum(1)
  got = infogan.surprise(heads, jnp.float32(z))
  np.testing.assert_allclose(got, value, 1e-5)


def test_codes_stand_behind_the_noise():
  z = np.asarray(drawn(4000))
  assert z.shape == (4000, 4 + 3 + 2 + 2)
  for code in (z[:, 4:7], z[:, 7:9]):
    assert set(np.unique(code)) == {0, 1}
    np.testing.assert_array_equal(code.sum(1), 1)
    np.testing.assert_allclose(code.mean(0), 1 / code.shape[1], atol=0.05)
  uniform = z[:, 9:]
  assert uniform.min() >= -1 and uniform.max() <= 1
  np.testing.assert_allclose(uniform.var(0), 1 / 3, atol=0.03)
  np.testing.assert_allclose(
    np.corrcoef(z[:, [4, 7, 9, 10, 0]].T), np.eye(5), atol=0.06
  )


@pytest.mark.parametrize('wrong', [{'categories': (0,)}, {'continuous': -1}])
def test_codes_of_no_values_are_refused(wrong):
  with pytest.raises(UserError, match=r'latent.categories=.*positive numbers'):
    latents.make_prior(**LATENT | wrong)


def game_of(latent=None, **conditioning):
  return conformance.game_of(
    (8, 8, 1),
    conditioning={'name': 'infogan', **CODES, **conditioning},
    latent=LATENT if latent is None else latent,
  )


@pytest.mark.parametrize('variance', infogan.VARIANCES)
def test_a_game_of_codes(variance):
  """Both players pay the same, and D's features learn of it."""
  made, state, batch = game_of(hidden=3, variance=variance)
  conformance.look(made, state, batch)
  assert {'g', 'd'} <= {
    p for p, own in made.game.terms.items() if 'conditioning' in own
  }
  names = state.players['d'].params
  assert ('log_variance' in names) == (variance == 'learned')
  assert {'codes', 'category_0', 'category_1', 'mean', 'logits'} <= set(names)


@pytest.mark.parametrize(
  'latent', [{'name': 'normal', 'dim': 4}, {'name': 'normal', 'dim': 7}]
)
def test_a_latent_without_codes_is_refused(latent):
  with pytest.raises(UserError, match='infogan: guesses 7 numbers of codes'):
    game_of(latent)


def test_an_unknown_variance_is_refused():
  with pytest.raises(UserError, match="variance='free': expected one of fixed"):
    game_of(variance='free')


def test_labels_may_be_ignored():
  assert not select.conditioning('infogan').sees_label


def test_published_head():
  """1024 features to 128, under the norm of D, to ten logits and two means."""
  head = select.conditioning('infogan').head
  case = next(c for c in golden.CASES if c.model == 'infogan')
  g, d = golden.networks(case)
  _, (made, d) = golden.shapes((g, d.clone(head=head)), case.latent)
  assert golden.count(d) == case.counts[1] + 1024 * 128 + 3 * 128 + 129 * 12
  assert [x.shape for x in made['code_logits']] == [(2, 10)]
  assert made['code_mean'].shape == (2, 2)
  assert d['params']['norm_codes']['batch']['scale'].shape == (128,)


def test_rules_know_its_options():
  options = rules.complete(
    conformance.command.load_config(
      'infogan:tiny', {'conditioning.continuous': 3, 'latent.continuous': 3}
    )
  )
  assert options['conditioning']['weight'] == 1.0
