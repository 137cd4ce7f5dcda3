"""Do the scores order what is plainly better or worse?

  python -m experiments.metrics.ordering --data_dir=TFDS_FOLDER

Real digits of MNIST against others of its digits, untouched and spoiled in
known ways, and against Fashion-MNIST. Writes results.jsonl and the tables of
README.md. The folder holds mnist and fashion_mnist as TFDS prepares them.
"""

import argparse
import functools
import pathlib

import numpy as np

from experiments import tables
from gan_jax.data import loading
from gan_jax.metrics import (
  class_coverage,
  diversity,
  fd_infinity,
  fid,
  inception_score,
  kid,
  memorisation,
  prdc,
  swd,
)
from gan_jax.metrics.features import base, spaces
from gan_jax.types import Dataset

HERE = pathlib.Path(__file__).parent
PAGE, RESULTS = HERE / 'README.md', HERE / 'results.jsonl'
NETS = ('classifier', 'random_conv', 'pixels')
NOISE = (0.05, 0.1, 0.2, 0.4)  # standard deviation where pixels are in [-1, 1]
BLUR = 0.7  # standard deviation in pixels
ONE = 1  # the class that alone is left
LEVEL = 14  # pixels of the coarsest level of the pyramid: 28 and 14

SAME, OTHER, AGAIN = 'half B', 'half B, other digits', 'half A itself'
BLURRED, CLOTHES = 'half B, blurred', 'Fashion-MNIST'
FIVE, SINGLE = 'half B, 5 classes', 'half B, 1 class'
NOISY = tuple(f'half B, noise {std:g}' for std in NOISE)
CONDITIONS = (AGAIN, SAME, OTHER, *NOISY, BLURRED, CLOTHES, FIVE, SINGLE)

DISTANCES = ('fid', 'fd_infinity', 'kid', 'swd', 'laplacian_swd')
NEIGHBOURS = ('precision', 'recall', 'density', 'coverage')
OF_CLASSES = (
  'class_coverage',
  'inception_score',
  'vendi',
  'authenticity',
  'c_t',
)
# Conditions along which a score should rise or fall, the best first.
LADDERS = {
  'noise': (SAME, *NOISY),
  'blur': (SAME, BLURRED),
  'fashion': (SAME, CLOTHES),
  'classes': (SAME, FIVE, SINGLE),
  'copies': (SAME, AGAIN),
}
UP = dict.fromkeys(('noise', 'blur', 'fashion', 'classes'), 1)
QUALITY = dict.fromkeys(('noise', 'blur', 'fashion'), -1)
# 1: it should rise along the ladder, -1: fall. Absent: nothing is claimed.
EXPECTED = {
  **dict.fromkeys(DISTANCES, UP),
  'precision': QUALITY,
  'recall': {'fashion': -1, 'classes': -1},
  'density': QUALITY,
  'coverage': {**QUALITY, 'classes': -1},
  'class_coverage': {'classes': -1},
  'inception_score': {**QUALITY, 'classes': -1},
  'vendi': {'classes': -1},
  'authenticity': {'noise': 1, 'blur': 1, 'fashion': 1, 'copies': -1},
  'c_t': {'noise': 1, 'blur': 1, 'fashion': 1, 'copies': -1},
}


def samples(
  digits: Dataset, clothes: Dataset, *, n: int, seed: int
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
  """The pictures that are compared.

  Args:
    digits: labelled images; half A are the first of a random order.
    clothes: images of the same shape.
    n: of each condition, a quarter of the digits at most; of a single class,
      as many as half B has.
    seed: of the order and of the noise.

  Returns:
    n of half A, n others of half A, and {condition: [N, H, W, C]}, all float32
    in model range.
  """
  rng = np.random.default_rng(seed)
  halves = np.array_split(rng.permutation(digits.size), 2)
  a, b = (digits.read(rows) for rows in halves)
  x = base.to_model_range(b['x'])
  real, same = base.to_model_range(a['x'][:n]), x[:n]
  noise = rng.standard_normal(same.shape, np.float32)
  rows = rng.permutation(clothes.size)[:n]
  found = {
    AGAIN: real,
    SAME: same,
    OTHER: x[n : 2 * n],
    BLURRED: blurred(same),
    CLOTHES: base.to_model_range(clothes.read(rows)['x']),
    FIVE: x[b['label'] < 5][:n],
    SINGLE: x[b['label'] == ONE][:n],
  }
  for name, std in zip(NOISY, NOISE, strict=True):
    found[name] = np.clip(same + np.float32(std) * noise, -1, 1)
  return real, base.to_model_range(a['x'][n : 2 * n]), found


def blurred(x: np.ndarray) -> np.ndarray:
  """Images [N, H, W, C] with each pixel spread over its neighbours."""
  from scipy import ndimage

  return ndimage.gaussian_filter(x, (0, BLUR, BLUR, 0), mode='nearest')


def scores(
  real: base.Seen, held_out: base.Seen, fake: base.Seen
) -> dict[str, float]:
  """All that the features say, and the probabilities where there are any.

  Beside the scores the variance of the fakes' features, which explains some.

  Args:
    real: what the net sees of half A.
    held_out: of other digits of half A, which C_T takes for test examples.
    fake: of a condition.
  """
  a, b = real.features, fake.features
  found = {
    'fid': fid.frechet_distance(a, b),
    'fd_infinity': fd_infinity.fd_infinity(fid.statistics(a), b)['fd_infinity'],
    'kid': kid.kernel_distance(a, b),
    'swd': swd.sliced_wasserstein(a, b),
    **prdc.prdc(a, b),
    'variance': float(b.var(axis=0, dtype=np.float64).sum()),
  }
  if fake.probabilities is None:
    return found
  p = fake.probabilities
  covered = class_coverage.class_coverage(p, p.shape[1])
  return {
    **found,
    'class_coverage': covered['class_coverage'],
    'inception_score': inception_score.inception_score(p)[0],
    'vendi': diversity.vendi(b),
    'authenticity': memorisation.authenticity(a, b),
    'c_t': memorisation.c_t(a, held_out.features, b)['c_t'],
  }


def run(
  net: base.Features, real, held_out, conditions: dict, *, patches: int = 8
) -> list[dict]:
  """One line for each condition.

  Args:
    net: feature net.
    real: images of half A [N, H, W, C].
    held_out: other images of half A.
    conditions: {name: images}.
    patches: cut from each level of each picture, for laplacian_swd.
  """
  seen_real, seen_held_out = net.apply(real), net.apply(held_out)
  lines = []
  for name in CONDITIONS:
    x = conditions[name]
    found = scores(seen_real, seen_held_out, net.apply(x))
    if net.name == 'pixels':  # of the pictures themselves
      pyramid = swd.laplacian_swd(real, x, patches=patches, smallest=LEVEL)
      found['laplacian_swd'] = pyramid['laplacian_swd']
    sizes = {'n_real': len(real), 'n_fake': len(x)}
    told = {'features': net.name, 'net': net.hash, 'condition': name}
    lines.append({**told, **sizes, **found})
    print(lines[-1], flush=True)
  return lines


def in_order(lines: list[dict], score: str, ladder: str) -> bool | None:
  """Whether a score does what it should along a ladder.

  Args:
    lines: of one feature net.
    score: key of the lines.
    ladder: one of LADDERS.

  Returns:
    Every step goes the right way; None where nothing is expected.
  """
  direction = EXPECTED[score].get(ladder)
  if direction is None:
    return None
  by_name = {line['condition']: line[score] for line in lines}
  steps = np.diff([by_name[name] for name in LADDERS[ladder]])
  return bool((direction * steps > 0).all())


def of_net(lines: list[dict], name: str) -> list[dict]:
  """The lines of a feature net."""
  return [line for line in lines if line['features'] == name]


def values(lines: list[dict], columns) -> str:
  """A table of scores: conditions down, scores across."""
  columns = [c for c in columns if c in lines[0]]
  rows = [
    [
      line['condition'],
      f'{line["n_fake"]:,}',
      *(tables.number(line[c]) for c in columns),
    ]
    for line in lines
  ]
  return tables.markdown(['against half A', 'n', *columns], rows)


def verdicts(lines: list[dict]) -> str:
  """A table of what is in order: scores down, ladders across."""
  rows = [
    [score, *(_verdict(lines, score, ladder) for ladder in LADDERS)]
    for score in EXPECTED
    if any(score in line for line in lines)
  ]
  return tables.markdown(['score', *LADDERS], rows)


def _verdict(lines, score, ladder):
  """'↑ yes' where a score should rise and does, or the nets where it fails."""
  if ladder not in EXPECTED[score]:
    return ''
  by_net = {net: of_net(lines, net) for net in NETS}
  failed = [
    net
    for net, mine in by_net.items()
    if mine and score in mine[0] and not in_order(mine, score, ladder)
  ]
  found = f'**not** {", ".join(failed)}' if failed else 'yes'
  return f'{"↑" if EXPECTED[score][ladder] > 0 else "↓"} {found}'


def report(lines: list[dict]) -> str:
  """The scores themselves, a table or two for each net."""
  parts = []
  for net in NETS:
    mine = of_net(lines, net)
    if mine:
      parts += [
        f'### {net}',
        values(mine, (*DISTANCES, *NEIGHBOURS, 'variance')),
      ]
    if mine and set(OF_CLASSES) & set(mine[0]):
      parts.append(values(mine, OF_CLASSES))
  return '\n\n'.join(parts)


def main():
  """The command."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--data_dir', required=True)
  parser.add_argument('--n', type=int, default=10_000)
  parser.add_argument('--seed', type=int, default=0)
  parser.add_argument('--only', default=','.join(NETS), help='nets, by comma')
  args = parser.parse_args()
  only = args.only.split(',')
  if unknown := set(only) - set(NETS):
    parser.error(f'no net {", ".join(unknown)}; there are {", ".join(NETS)}')
  load = functools.partial(loading.load, dir=args.data_dir, split='train')
  digits = load('mnist')
  if not 4 <= 4 * args.n <= digits.size:
    parser.error(f'--n from 1 to {digits.size // 4}, got {args.n}')
  compared = samples(digits, load('fashion_mnist'), n=args.n, seed=args.seed)
  place = lambda x: (
    NETS.index(x['features']),
    CONDITIONS.index(x['condition']),
  )
  for name in only:  # stored one by one
    lines = run(spaces.load(digits, name), *compared)
    same = lambda x: (x['features'], x['condition'])
    lines = tables.replace(RESULTS, lines, same=same, order=place)
    tables.show(PAGE, 'order', verdicts(lines))
    tables.show(PAGE, 'scores', report(lines))


if __name__ == '__main__':
  main()
