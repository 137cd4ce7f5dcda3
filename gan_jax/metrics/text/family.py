"""The scores of text, and what each of them needs."""

import functools
import re

import numpy as np

from gan_jax.metrics import intervals
from gan_jax.metrics.metric import Family, Metric
from gan_jax.metrics.text import bleu, characters, copies, ngrams, words

ORDERS = (1, 2, 3, 4)


def _texts(stats, known):
  return characters.read(stats.samples, known.about)


def divergence(real, fake, known, *, n: int):
  """Jensen-Shannon divergence of runs of n characters, and its floor."""
  made = ngrams.compare(_texts(real, known), _texts(fake, known), n)
  return {f'js_{n}': made.pop('js'), **made}, {}


def vocabulary(real, fake, known):
  """Share of the words that some real sample has."""
  there = words.vocabulary(_texts(real, known))
  counts = words.known(_texts(fake, known), there)
  share = words.share(counts)
  span = None
  if len(counts) > 1:
    ratio = lambda x: x[..., 1] / np.maximum(x[..., 0], 1e-9)
    mean = lambda x: ratio(x.mean(axis=0))
    span = intervals.bootstrap(counts.astype(np.float64), mean)
  return {'word_share': share}, {'word_share': span}


def novelty(real, fake, known):
  """Mean length of the longest copied run, and that of unseen real samples."""
  theirs = _texts(real, known)
  half = len(theirs) // 2
  # Both look in the same half: the larger a corpus, the longer the runs.
  corpus, rest = theirs.part(0, half), theirs.part(half, 2 * half)
  own = copies.longest(_texts(fake, known), corpus)
  floor = copies.longest(rest, corpus)
  return (
    {'longest_copy': own.mean(), 'floor': floor.mean(), 'compared': half},
    {'longest_copy': _span(own)},
  )


def alikeness(real, fake, known):
  """Self-BLEU."""
  del real
  own = bleu.self_bleu(_texts(fake, known), known.options['unit'])
  return {'self_bleu': own.mean()}, {'self_bleu': _span(own)}


def grammatical(real, fake, known):
  """Share of the lines that the data's grammar makes."""
  del real
  fits = re.compile(known.about['grammar']).fullmatch
  right = np.array([bool(fits(s)) for s in _texts(fake, known).strings()])
  return {'grammatical': right.mean()}, {'grammatical': _span(right)}


def _span(x):
  """Of a mean over samples; none of a single one."""
  return intervals.bootstrap(x.astype(np.float64)) if len(x) > 1 else None


_SAMPLES = ('samples',)
_TEXT = {'where': 'characters'}
FAMILY = Family(
  (
    *(
      Metric(
        (f'js_{n}',),
        functools.partial(divergence, n=n),
        _SAMPLES,
        _SAMPLES,
        extras=('floor', 'compared'),
        **_TEXT,
      )
      for n in ORDERS
    ),
    Metric(('word_share',), vocabulary, _SAMPLES, _SAMPLES, **_TEXT),
    Metric(
      ('longest_copy',),
      novelty,
      _SAMPLES,
      _SAMPLES,
      extras=('floor', 'compared'),
      **_TEXT,
    ),
    Metric(('self_bleu',), alikeness, _SAMPLES, options=('unit',), **_TEXT),
    Metric(('grammatical',), grammatical, _SAMPLES, where='grammar'),
  ),
  where={
    'characters': 'samples of characters',
    'grammar': 'a data set whose grammar is known',
  },
  options={'unit': bleu.UNITS[0]},
  choices={'unit': bleu.UNITS},
  files={'ngrams': tuple(f'js_{n}' for n in ORDERS)},
  lower_is_better=frozenset(
    {*(f'js_{n}' for n in ORDERS), 'longest_copy', 'self_bleu'}
  ),
  least={
    **{f'js_{n}': (2, 1) for n in ORDERS},
    'longest_copy': (2, 1),
    'self_bleu': (1, 2),
  },
)
