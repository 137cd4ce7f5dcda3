"""Series as they are scored: records, intervals, what is possible."""

import types

import numpy as np
import pytest
from scipy import stats

from gan_jax.data import kinds
from gan_jax.metrics import compute, intervals, measures, records, scores
from gan_jax.metrics.series import (
  correlations,
  discriminative,
  family,
  judge,
  mmd,
  predictive,
  tails,
  usefulness,
)

CHEAP = ('mmd', 'acf_distance', 'leverage_distance', 'tail_distance')
JUDGED = ('discriminative', 'predictive', 'tstr', 'trts')


def series(n, *, seed=0, scale=1.0):
  x = np.random.default_rng(seed).normal(size=(n, 8, 1))
  return (scale * np.cumsum(x, axis=1)).astype(np.float32)


REAL, HELD, FAKE = series(300), series(200, seed=1), series(240, seed=2)


def score(names, fake=FAKE, **given):
  given = {'kind': 'series', 'about': {}, 'held_out': (HELD, None)} | given
  made = scores.score(names, fake, REAL, **given)
  return {record['metric']: record for record in made}


def test_cheap_scores_grow_with_the_difference():
  same, other = score(CHEAP), score(CHEAP, fake=2 * FAKE)
  for name in ('mmd', 'tail_distance'):
    low, high = same[name]['interval']
    assert low < same[name]['value'] < high < other[name]['value']
  assert same['mmd']['interval_method'] == 'normal'
  assert same['tail_distance']['interval_method'] == 'jackknife'
  # Correlations do not see the scale, but the order of moments.
  assert other['acf_distance']['value'] == pytest.approx(
    same['acf_distance']['value'], abs=1e-6
  )
  mixed = np.random.default_rng(0).permuted(FAKE, axis=1)
  torn = score(['acf_distance'], fake=mixed)['acf_distance']
  assert torn['value'] > 4 * same['acf_distance']['value']
  assert [*torn['parts']] == ['values', 'absolute', 'squares']
  assert torn['value'] == pytest.approx(np.mean([*torn['parts'].values()]))
  assert torn['lags'] == 50 and 'variant' not in torn


def test_other_fakes_are_scored_by_the_same_protocol():
  one, other = score(CHEAP), score(CHEAP, fake=2 * FAKE[:100])
  for name in CHEAP:
    both = [{**made[name], 'n_fake': 0} for made in (one, other)]
    assert records.protocol(both[0]) == records.protocol(both[1])


def test_tails_are_of_the_horizons_that_fit():
  made = score(['tail_distance'])['tail_distance']
  assert [*made['parts']] == ['1', '5']
  sums = [np.stack([x[:, k : k + 5].sum(1) for k in range(4)]).ravel()
          for x in (REAL, FAKE)]  # fmt: skip
  want = stats.wasserstein_distance(*sums) / sums[0].std()
  assert made['parts']['5'] == pytest.approx(want, rel=1e-4)
  assert made['value'] == pytest.approx(np.mean([*made['parts'].values()]))


def test_a_verdict_has_the_interval_of_its_share(monkeypatch):
  right = np.arange(100) < 80
  monkeypatch.setattr(discriminative, '_right', lambda parts, recipe: right)
  errors = np.linspace(0, 1, 101)
  monkeypatch.setattr(predictive, '_errors', lambda *given: errors)
  made = score(['discriminative', 'predictive'])
  assert made['discriminative']['value'] == pytest.approx(0.3)
  low, high = made['discriminative']['interval']
  assert (low, high) == pytest.approx((0.22, 0.38), abs=0.02)
  assert made['predictive']['value'] == pytest.approx(0.5)
  low, high = made['predictive']['interval']
  assert (low, high) == pytest.approx((0.443, 0.557), abs=0.01)


def test_the_variant_says_who_judges(monkeypatch):
  seen = []

  def note(parts, recipe):
    seen.append((len(parts.tested[0]), recipe))
    return np.ones(4)

  monkeypatch.setattr(discriminative, '_right', note)
  for variant in ('mended', 'strict', 'timegan'):
    made = score(['discriminative'], options={'variant': variant})
    assert made['discriminative']['variant'] == variant
  assert seen == [
    (120, discriminative.ours(1)),
    (120, discriminative.STRICT),
    (48, discriminative.published(1)),
  ]


def test_who_teaches_and_who_is_tested(monkeypatch):
  names = ('real', 'fake', 'held')
  views = [
    types.SimpleNamespace(samples=np.full((9, 6, 20), k), labels=name)
    for k, name in enumerate(names)
  ]
  real, fake, held = views
  known = lambda variant: compute.Known(
    held_out=held, num_classes=7, options={'variant': variant}
  )
  seen = []
  note = lambda *given: seen.append(given) or np.array([1, 1, 1, 0])
  monkeypatch.setattr(discriminative, 'mended', note)
  monkeypatch.setattr(discriminative, 'as_timegan', note)
  monkeypatch.setattr(predictive, 'mended', note)
  monkeypatch.setattr(predictive, 'as_timegan', note)
  monkeypatch.setattr(usefulness, 'right', note)
  for variant, score in (
    ('mended', family.told_apart),
    ('timegan', family.told_apart),
    ('mended', family.forecast),
    ('timegan', family.forecast),
    ('mended', family.taught),
    ('mended', family.recognised),
  ):
    ((name, value),), spans = map(dict.items, score(real, fake, known(variant)))
    low, high = dict(spans)[name]
    assert value == (0.25 if score is family.told_apart else 0.75)
    assert low <= value <= high
  pair = lambda view: (view.samples, view.labels)
  assert seen == [
    (real.samples, held.samples, fake.samples, discriminative.ours(20)),
    (real.samples, fake.samples),
    (held.samples, fake.samples),
    (real.samples, fake.samples),
    (pair(fake), pair(held), 7),
    (pair(real), pair(fake), 7),
  ]


def test_the_jackknife_leaves_each_group_out():
  sums = lambda x: correlations.sums(x, 'values', 3)
  groups = [FAKE[k::4] for k in range(4)]
  made = family._without_each(sums(REAL), [sums(x) for x in groups])
  for k, value in enumerate(made):
    rest = np.concatenate(groups[:k] + groups[k + 1 :])
    want = correlations.distance(sums(REAL), sums(rest))
    assert value == pytest.approx(want, rel=1e-9)
  assert len(set(made)) == 4
  assert not family._without_each(sums(REAL), [sums(FAKE)])
  assert len(family._without_each(sums(REAL), list(map(sums, groups[:2])))) == 2
  assert family._spread([1.0]) is None and family._spread([1.0, 2.0])
  assert family._jackknife(1.0, [1.0], [4]) is None
  assert family._jackknife(1.0, [0.9, 1.1], [4, 4])


def view(x):
  return types.SimpleNamespace(
    samples=x, count=len(x), group=np.arange(len(x)) % 3
  )


def test_intervals_are_those_of_the_groups_left_out():
  real, fake = view(REAL), view(FAKE)
  known = compute.Known(options={'lags': 50})
  parts = [FAKE[k::3] for k in range(3)]
  rest = [np.concatenate(parts[:k] + parts[k + 1 :]) for k in range(3)]
  names = ('values', 'absolute', 'squares')

  def correlated(x, names):
    of = lambda x, name: correlations.sums(x, name, 7)  # all that there are
    return np.mean(
      [correlations.distance(of(REAL, n), of(x, n)) for n in names]
    )

  def tailed(x):
    pairs = [[tails.sums(v, k).ravel() for v in (REAL, x)] for k in (1, 5)]
    far = [stats.wasserstein_distance(*pair) / pair[0].std() for pair in pairs]
    return np.mean(far)

  for score, value in (
    (family.autocorrelations, lambda x: correlated(x, names)),
    (family.leverage, lambda x: correlated(x, ['leverage'])),
    (family.earth, tailed),
  ):
    values, spans = score(real, fake, known)
    (name,) = spans
    assert values[name] == pytest.approx(value(FAKE), rel=1e-6)
    want = intervals.jackknife(
      values[name], list(map(value, rest)), sizes=list(map(len, parts))
    )
    assert spans[name] == pytest.approx(want, rel=1e-5)


def test_discrepancy_is_of_the_halves_that_did_not_choose():
  known = compute.Known(held_out=view(HELD[:9]))
  values, spans = family.discrepancy(None, view(FAKE[:8]), known)
  held, fake = HELD[:8, :, 0], FAKE[:8, :, 0]
  width = mmd.chosen(held[:4], fake[:4])
  value, variance = mmd.discrepancy(held[4:], fake[4:], width)
  assert values == {'mmd': value, 'parts': {'bandwidth': width}}
  half = stats.norm.ppf(0.975) * variance**0.5
  assert spans['mmd'] == pytest.approx((value - half, value + half))
  assert family.FAMILY.least == {'discriminative': (2, 2), 'mmd': (1, 8)}


@pytest.mark.slow
def test_judges_score_the_same_in_any_order(monkeypatch):
  quick = lambda columns: judge.Recipe(2, sees='last', steps=20)
  monkeypatch.setattr(discriminative, 'ours', quick)
  monkeypatch.setattr(usefulness, 'STEPS', 20)
  label = lambda x: (x[:, -1, 0] > 0).astype(int)
  names = ('discriminative', 'tstr', 'trts')

  def of(order):
    fake = FAKE[order]
    return score(
      names, fake=fake, held_out=(HELD, label(HELD)), num_classes=2,
      labels=(label(fake), label(REAL)),
    )  # fmt: skip

  one = of(np.arange(240))
  assert one == of(np.random.default_rng(5).permutation(240))
  for name in names:
    low, high = one[name]['interval']
    assert low <= one[name]['value'] <= high
    assert one[name]['interval_method'] == 'bootstrap'
  assert one['discriminative']['variant'] == 'mended'
  assert one['tstr']['n_fake'] == 240 and one['trts']['n_real'] == 300


def test_which_are_possible():
  there = lambda **given: measures.where_possible(kind='series', **given)
  known = lambda **given: set(measures.available_names(there(**given)))
  assert not known() & {*JUDGED, 'mmd'} and known() > {*CHEAP} - {'mmd'}
  assert known(held_out=True) > {*CHEAP, 'discriminative', 'predictive'}
  assert not known(held_out=True) & {'tstr', 'trts'}
  assert known(held_out=True, labels=True) > {*JUDGED}
  pictures = measures.where_possible(kind='image', held_out=True, labels=True)
  assert not set(measures.available_names(pictures)) & {*CHEAP, *JUDGED}
  for given in ({}, {'held_out': True}):
    usual = kinds.named('series').usual_metrics(there(**given))
    assert set(usual) <= known(**given)
