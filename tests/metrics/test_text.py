"""Scores of text, against formulas by hand and other libraries."""

import collections
import functools
import math
import re
import types

import numpy as np
import pytest
from scipy.spatial import distance

from gan_jax.kinds import text as kind
from gan_jax.metrics import measures, scores
from gan_jax.metrics.text import bleu, characters, copies, family, ngrams, words
from gan_jax.types import UserError

LETTERS = "\n '.abcdeABC"


def texts(rows, *, whole=False, length=None):
  """Rows over LETTERS; lines are filled up by their end."""
  length = length or max(map(len, rows)) + whole
  ids = [[LETTERS.index(c) for c in row.ljust(length, '\n')] for row in rows]
  about = {'alphabet': LETTERS, 'lines': whole}
  return characters.read(np.eye(len(LETTERS), dtype=np.float32)[ids], about)


def drawn(count, length, *, seed=0):
  rng = np.random.default_rng(seed)
  weights = rng.dirichlet(np.ones(len(LETTERS) - 1))
  letters = list(LETTERS[1:])
  return [''.join(rng.choice(letters, length, p=weights)) for _ in range(count)]


def counted(rows, n):
  return collections.Counter(
    row[k : k + n] for row in rows for k in range(len(row) - n + 1)
  )


def test_strings_are_the_most_probable_characters_up_to_the_end_of_a_line():
  rows = ['ab c', "d'e", '']
  assert texts(rows, whole=True).strings() == rows
  assert texts(rows).strings() == ['ab c', "d'e\n", '\n' * 4]
  assert texts(rows, whole=True).lengths.tolist() == [5, 4, 1]
  with pytest.raises(UserError, match=r'\[N, T, 12\].*got \[2, 3\]'):
    characters.read(np.zeros((2, 3)), {'alphabet': LETTERS})


@pytest.mark.parametrize('n', [1, 2, 3, 4])
def test_divergence_is_that_of_scipy_on_counts(n):
  rows = drawn(24, 9), drawn(24, 9, seed=1)
  made = ngrams.compare(texts(2 * rows[0]), texts(rows[1]), n)
  one, other = (counted(r, n) for r in rows)
  keys = sorted(one | other)
  p, q = ([c[k] for k in keys] for c in (one, other))
  expected = distance.jensenshannon(p, q, base=2) ** 2
  assert made['js'] == pytest.approx(expected, abs=1e-12)
  assert made['floor'] == 0 and made['compared'] == 24


def test_runs_end_with_their_line_and_are_exact_with_many_characters():
  code, owner = ngrams.runs(texts(['abc', 'a'], whole=True), 2)
  assert owner.tolist() == [0, 0, 0, 1] and len(set(code.tolist())) == 4
  assert code.dtype == np.uint64
  assert len(ngrams.runs(texts(['abc', 'abd']), 3)[0]) == 2
  many = ''.join(map(chr, range(2**16)))
  ids = np.array([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
  wide = characters.Texts(ids, np.full(2, 5), many, whole=False)
  assert len(set(ngrams.runs(wide, 4)[0].tolist())) == 2
  none = ngrams.runs(wide, 6)
  assert [x.dtype.kind for x in none] == ['u', 'i'] and not len(none[0])


def test_divergence_of_nothing_and_of_nothing_in_common():
  nothing, one, other = np.zeros(0), np.array([1]), np.array([2, 2])
  assert ngrams.divergence(nothing, nothing) == 0
  assert ngrams.divergence(nothing, one) == 1
  assert ngrams.divergence(one, other) == 1
  assert ngrams.divergence(other, np.array([2])) == 0


def test_words_are_whole():
  rows = ["Abc d'ab. ce", 'ab']
  assert words.words(rows[0], whole=True) == ['abc', "d'ab", 'ce']
  assert words.words(rows[0], whole=False) == ["d'ab"]
  assert words.words(' ab ce d', whole=False) == ['ab', 'ce']
  real = texts(['ab', 'ce'], whole=True)
  counts = words.known(texts(rows, whole=True), words.vocabulary(real))
  assert counts.tolist() == [[3, 1], [1, 1]]
  assert words.share(counts) == 0.5 and words.share(counts[:0]) == 0


@pytest.mark.parametrize('whole', [False, True])
def test_copies_are_those_that_a_search_in_strings_gives(whole):
  length = 3 if whole else 12
  rows, corpus = drawn(30, length, seed=2), drawn(40, 12, seed=3)
  rows = [*rows, corpus[5], corpus[7][3:9].ljust(length, 'A')[:length]]
  own = texts(rows, whole=whole, length=13)
  reals = texts(corpus, whole=whole, length=13)
  ends = '\n' if whole else ''
  joined = '\0'.join(row + ends for row in corpus)
  if not whole:  # windows: what fills them up counts
    rows, joined = own.strings(), '\0'.join(reals.strings())
  spans = [kind.longest_run(row + ends, joined) for row in rows]
  expected = [end - start for start, end in spans]
  assert copies.longest(own, reals).tolist() == expected
  assert max(expected) >= length and min(expected) < length


def test_of_a_corpus_of_short_lines_nothing_longer_is_copied():
  own, corpus = (
    texts(r, whole=True, length=9) for r in (['abab'], ['ab', 'c'])
  )
  assert copies.longest(own, corpus).tolist() == [len('ab\n')]


def test_copies_are_looked_for_in_half_of_the_real_texts():
  reals = ['abcd', 'deab', 'abdd', 'aaeb', 'deab']
  known = types.SimpleNamespace(about={'alphabet': LETTERS})
  of = lambda rows: types.SimpleNamespace(
    samples=np.eye(len(LETTERS))[[[LETTERS.index(c) for c in r] for r in rows]]
  )
  values, spans = family.novelty(of(reals), of(['abdd', 'cccc']), known)
  # In 'abcd' and 'deab' stand 'ab' and 'c'; of the unseen 'ab', 'ea' or 'eb'.
  assert values == {'longest_copy': 1.5, 'floor': 1.5, 'compared': 2}
  assert spans['longest_copy'] == (1, 2)


def test_the_share_of_known_words_and_its_interval():
  known = types.SimpleNamespace(about={'alphabet': LETTERS})
  of = lambda rows: types.SimpleNamespace(
    samples=np.eye(len(LETTERS))[[[LETTERS.index(c) for c in r] for r in rows]]
  )
  real, half, none = of([' ab ']), [' ab ce '] * 2, ['    '] * 2
  share = lambda rows: [
    x['word_share'] for x in family.vocabulary(real, of(rows), known)
  ]
  assert share(half) == [0.5, (0.5, 0.5)] and share(half[:1]) == [0.5, None]
  assert share(none) == [0, (0, 0)]


def sentence_bleu(own, others):
  """BLEU-4 by its definition: Papineni et al. 2002."""
  logs = 0.0
  for n in range(1, 5):
    grams = lambda x, n=n: collections.Counter(
      tuple(x[k : k + n]) for k in range(len(x) - n + 1)
    )
    mine = grams(own)
    most = functools.reduce(lambda a, b: a | b, map(grams, others))
    clipped = sum(min(c, most[g]) for g, c in mine.items())
    if not clipped:
      return 0.0
    logs += math.log(clipped / sum(mine.values())) / 4
  nearest = min(map(len, others), key=lambda r: (abs(r - len(own)), r))
  brevity = 0 if len(own) >= nearest else 1 - nearest / len(own)
  return math.exp(logs + brevity)


@pytest.mark.parametrize('unit', bleu.UNITS)
def test_self_bleu_is_its_formula(unit):
  rng = np.random.default_rng(4)
  vocabulary = ['ab', 'ba', 'cd', 'e']
  rows = [
    ' '.join(rng.choice(vocabulary, rng.integers(4, 9))) for _ in 'x' * 20
  ]
  split = str.split if unit == 'words' else lambda row: list(row + '\n')
  parts = [split(row) for row in rows]
  expected = [
    sentence_bleu(part, parts[:k] + parts[k + 1 :])
    for k, part in enumerate(parts)
  ]
  own = bleu.self_bleu(texts(rows, whole=True), unit)
  np.testing.assert_allclose(own, expected, atol=1e-12)
  assert 0 < own.mean() < 1


def test_self_bleu_of_copies_is_1_and_of_strangers_0():
  assert bleu.self_bleu(texts(['abcde'] * 3)).tolist() == [1, 1, 1]
  assert bleu.self_bleu(texts(['aaaaa', 'bbbbb'])).tolist() == [0, 0]
  # The nearest length is that of the other copy.
  rows = texts(['abcde', 'abcde', 'abcdeabcd'], whole=True)
  assert bleu.self_bleu(rows)[:2].tolist() == [1, 1]


# ------------------------------------------------------------------ records


@functools.cache
def samples(seed):
  rows = drawn(240, 12, seed=seed)
  ids = [[LETTERS.index(c) for c in row] for row in rows]
  return np.eye(len(LETTERS), dtype=np.float32)[ids]


NAMES = [m.outputs[0] for m in family.FAMILY.metrics]
JS = ('js_1', 'js_2', 'js_3', 'js_4')
ABOUT = {'alphabet': LETTERS, 'grammar': '[a-e ]+.*'}


@functools.cache
def records(seed=6, *, turned=False):
  fake, real = samples(seed), samples(5)
  order = slice(None, None, -1 if turned else 1)
  return scores.score(NAMES, fake[order], real[order], kind='text', about=ABOUT)


@pytest.mark.parametrize('name', NAMES)
def test_records(name):
  own = {r['metric']: r for r in records()}[name]
  turned = {r['metric']: r for r in records(turned=True)}[name]
  assert own['value'] == turned['value'] and own['interval']
  low, high = own['interval']
  assert low <= own['value'] <= high and own['features'] == 'samples'
  if name.startswith('js'):
    assert own['compared'] == 120 and 0 < own['floor'] < own['value']


def test_what_is_measured_and_of_how_many_at_least():
  assert NAMES == [
    *JS,
    'word_share',
    'longest_copy',
    'self_bleu',
    'grammatical',
  ]
  least = dict.fromkeys((*JS, 'longest_copy'), (2, 1)) | {'self_bleu': (1, 2)}
  assert family.FAMILY.least == least


def test_what_unseen_samples_have_is_the_floor():
  same = scores.score(
    ['js_4', 'longest_copy'], samples(5), samples(5), kind='text', about=ABOUT
  )
  assert same[0]['value'] == 0 < same[0]['floor']
  assert same[1]['value'] > same[1]['floor'] > 1


def test_the_share_of_grammatical_lines():
  record = {r['metric']: r for r in records()}['grammatical']
  strings = characters.read(samples(6), ABOUT).strings()
  right = [bool(re.fullmatch(ABOUT['grammar'], s)) for s in strings]
  assert record['value'] == np.mean(right) and 0 < np.mean(right) < 1


def test_the_usual_scores_and_the_grammar_where_there_is_one():
  there = functools.partial(measures.where_possible, kind='text')
  usual = measures.default_names('text', there(about={'alphabet': 'ab'}))
  assert usual == ('js_4', 'word_share', 'longest_copy', 'self_bleu')
  usual = measures.default_names('text', there(about=ABOUT))
  assert 'grammatical' in usual
  with pytest.raises(UserError, match='a data set whose grammar is known'):
    measures.expand(['grammatical'], there(about={'alphabet': 'ab'}))
  for name in set(NAMES) - {'grammatical'}:
    with pytest.raises(
      UserError, match=f"'{name}' needs samples of characters"
    ):
      measures.expand([name], measures.where_possible(kind='point'))
