"""Self-BLEU: how alike the texts of one set are.

Y. Zhu et al., Texygen (2018), https://arxiv.org/abs/1802.01886: the mean BLEU
of each text with all others for references. BLEU: K. Papineni et al. (2002),
with equal weights of runs of 1 to 4, without smoothing.
"""

import dataclasses

import numpy as np

from gan_jax.metrics.text.characters import Texts
from gan_jax.metrics.text.ngrams import runs
from gan_jax.metrics.text.words import words

ORDER = 4
UNITS = ('characters', 'words')


def self_bleu(texts: Texts, unit: str = 'characters') -> np.ndarray:
  """BLEU of each text with all others for its references.

  Args:
    texts: at least two.
    unit: what runs are made of, one of UNITS.

  Returns:
    [N] float64 in [0, 1]; 0 where a text has no run of 4, or shares none.
  """
  texts = texts if unit == UNITS[0] else _of_words(texts)
  logs = np.zeros(len(texts))
  with np.errstate(divide='ignore'):
    for n in range(1, ORDER + 1):
      logs += np.log(_precision(*runs(texts, n), len(texts))) / ORDER
    return np.exp(logs + _brevity(texts.lengths))


def _of_words(texts):
  """The same with words in place of characters."""
  rows = [words(s, whole=texts.whole) for s in texts.strings()]
  lengths = np.array(list(map(len, rows)))
  known = sorted({w for row in rows for w in row}) or ['']
  number = {w: k for k, w in enumerate(known)}
  ids = np.zeros((len(rows), max(lengths.max(initial=0), 1)), np.int64)
  for k, row in enumerate(rows):
    ids[k, : len(row)] = [number[w] for w in row]
  return dataclasses.replace(texts, ids=ids, lengths=lengths, letters=known)


def _precision(code, owner, count):
  """[N]: share of each text's runs that some other text has as often."""
  if not len(code):
    return np.zeros(count)
  _, code = np.unique(code, return_inverse=True)
  pairs, times = np.unique(code * count + owner, return_counts=True)
  code, owner = pairs // count, pairs % count
  # The largest and the second largest number of each run in one text.
  order = np.lexsort((-times, code))
  code, owner, times = code[order], owner[order], times[order]
  starts = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
  first = times[starts]
  second = np.zeros_like(first)
  several = np.flatnonzero(np.diff(np.r_[starts, len(code)]) > 1)
  second[several] = times[starts[several] + 1]
  # A text that has it most often of all is compared with the next.
  most = first[code]
  most[starts] = second
  clipped = np.bincount(owner, np.minimum(times, most), count)
  total = np.bincount(owner, times, count)
  return clipped / np.maximum(total, 1)


def _brevity(lengths):
  """[N]: the log of BLEU's penalty, by the reference of the nearest length."""
  there, times = np.unique(lengths, return_counts=True)
  shortest = np.empty(len(there))
  for k, length in enumerate(there):
    others = there[(there != length) | (times > 1)]
    nearest = np.abs(others - length)
    # Of two as near, the shorter one.
    shortest[k] = others[nearest.argmin()] if len(others) else length
  own = dict(zip(there.tolist(), shortest.tolist(), strict=True))
  reference = np.array([own[length] for length in lengths.tolist()])
  penalty = 1 - reference / np.maximum(lengths, 1)
  return np.minimum(penalty, 0)
