"""The same samples give the same record in any order, batch, type or file.

For every metric that there is, in all that a record says. What depends on an
order by its definition is named in BY_DEFINITION.
"""

import functools

import numpy as np
import pytest
from PIL import Image

from gan_jax.metrics import (
  compute,
  content,
  general,
  measures,
  reference,
  scores,
)
from gan_jax.metrics.features import base
from gan_jax.report import console
from gan_jax.run import evaluation, external_samples, scoring
from tests.metrics import same_records

N, CLASSES = 240, 4
BY_DEFINITION = {
  'is': "order='given': splits of published scores are in the given order",
  'the real samples that count, if there are more than MAX_REAL': (
    "data by their name, whose order is their publisher's; files that do not"
    ' fit into memory'
  ),
  'the training of the classifier': 'data by their name, likewise',
}
METRICS = {m.outputs[0]: m for m in general.METRICS}


@functools.cache
def pictures(seed):
  """(uint8 [N, 6, 6, 3], labels [N]) in the order of the classes."""
  rng = np.random.default_rng(seed)
  label = np.sort(rng.integers(CLASSES, size=N))
  middle = 50 + 45 * label[:, None, None, None]
  x = middle + rng.normal(0, 25, (N, 6, 6, 3)) + rng.normal(0, 8, (N, 1, 1, 3))
  return x.clip(0, 255).astype(np.uint8), label


def see(samples):
  """Features, probabilities and places that another batch leaves alone."""
  x = base.to_model_range(samples)
  means = x.mean(axis=(1, 2))  # [B, 3]
  logits = means @ np.array([[3, -1, 0, 1], [1, 2, -2, 0], [0, 1, 3, -1]])
  exp = np.exp(4 * logits - (4 * logits).max(axis=1, keepdims=True))
  features = np.concatenate([means, x[:, 0, 0], x[:, 3, 2]], axis=1)
  return base.Seen(
    features.astype(np.float32),
    (exp / exp.sum(axis=1, keepdims=True)).astype(np.float32),
    x[:, 0, :2].reshape(len(x), -1),
  )


def see_digits(samples):
  x = base.to_model_range(samples)
  digit = (x.mean(axis=(1, 2)) * 4 + 5).astype(int) % 10  # [B, 3]
  return base.Seen(x.reshape(len(x), -1), np.eye(10, dtype=np.float32)[digit])


NET = base.Features('own', 'hash', see, knows=tuple(measures.WHERE))
DIGITS = base.Features('own', 'hash', see_digits, knows=('stacked',))
MODES = {'centers': np.linspace(-1, 1, 9)[:, None].repeat(108, 1), 'std': 0.3}


def records(
  metric, fake, labels, *, batch=N, real_order=slice(None), places=None
):
  """The records of a metric; the fakes come in batches of one size.

  With places [C] all labels are renumbered.
  """
  places = np.arange(CLASSES) if places is None else places
  real, real_labels = (x[real_order] for x in pictures(1))
  unseen, unseen_labels = (x[real_order] for x in pictures(2))
  labels, real_labels, unseen_labels = (
    places[y] for y in (labels, real_labels, unseen_labels)
  )
  net = DIGITS if metric.where == 'stacked' else NET
  of = lambda x, y: reference.from_arrays(x, labels=y, features=net)
  scorer = scores.make_scorer(
    metric.outputs,
    of(real, real_labels),
    facts=compute.Facts('image', MODES, num_classes=CLASSES),
    features=net,
    held_out=of(unseen, unseen_labels),
  )
  collector = scorer.collector(len(fake))
  for start in range(0, len(fake), batch):
    rows = slice(start, start + batch)
    collector.add(fake[rows], labels[rows])
  return scorer.score(collector.view())


@pytest.mark.parametrize('name', ['fid', 'intra_fid', 'kid', 'is', 'vendi'])
def test_so_it_is_if_most_samples_are_equal(name):
  """Of a generator that has collapsed, and looks at no label."""
  fake, labels = pictures(0)
  fake = np.where(np.arange(N)[:, None, None, None] % 4, fake[:1], fake)
  order = np.random.default_rng(3).permutation(N)
  in_classes = records(METRICS[name], fake, labels)
  mixed = records(METRICS[name], fake[order], labels[order], batch=50)
  same_records.check(mixed, in_classes)


@pytest.mark.parametrize('name', METRICS)
def test_a_record_is_that_of_the_samples_not_of_their_order(name):
  metric, (fake, labels) = METRICS[name], pictures(0)
  in_classes = records(metric, fake, labels)
  order = np.random.default_rng(3).permutation(N)
  as_floats = fake.astype(np.float64) / 255 * 2 - 1  # another rounding
  mixed = records(
    metric, as_floats[order], labels[order], batch=37, real_order=order[::-1]
  )
  assert set(metric.extras) <= set(mixed[0])
  same_records.check(mixed, in_classes, besides=same_records.NAMES)


@pytest.mark.parametrize('name', METRICS)
def test_nor_of_the_numbers_of_the_classes(name):
  places, (fake, labels) = np.array([2, 0, 3, 1]), pictures(0)
  wanted = records(METRICS[name], fake, labels)
  turned = records(METRICS[name], fake, labels, batch=1, places=places)
  if name == 'class_coverage':  # whose numbers are the net's
    places = None
  same_records.check(turned, wanted, places=places)


def test_splits_in_the_given_order_have_a_name_of_their_own():
  fake, labels = pictures(0)
  order = np.random.default_rng(3).permutation(N)
  score = lambda x, y, **options: scores.score(
    ['is'], x, pictures(1)[0], kind='image', features=NET, options=options
  )[0]  # fmt: skip
  drawn, given = score(fake, labels), score(fake, labels, order='given')
  mixed = score(fake[order], labels, order='given')
  assert drawn['value'] > given['value'] + 0.1  # sorted by class
  assert mixed['value'] == pytest.approx(drawn['value'], rel=0.05)
  assert (drawn['order'], given['order']) == ('drawn', 'given')


# What a sample's number is.


def test_a_number_is_of_the_content_alone():
  fake, _ = pictures(0)
  keys = content.keys(fake)
  assert len(set(keys.tolist())) == N and keys.dtype == np.uint64
  np.testing.assert_array_equal(content.keys(fake[5:9]), keys[5:9])
  levels = np.arange(256, dtype=np.uint8)[:, None]
  floats = levels.astype(np.float64)
  for same in (
    levels / np.float32(127.5) - np.float32(1),
    (floats / 255 * 2 - 1).astype(np.float32),
    floats / 127.5 - 1,
  ):
    np.testing.assert_array_equal(content.keys(same), content.keys(levels))
  assert len(set(content.keys(levels).tolist())) == 256


@pytest.mark.parametrize('size', [1e-6, 1.0, 1e9])
def test_numbers_differ_at_every_scale(size):
  x = size * np.random.default_rng(0).normal(size=(2000, 3))
  assert len(set(content.keys(x).tolist())) == 2000
  shares = np.bincount((content.keys(x) % np.uint64(10)).astype(int)) / 2000
  assert np.abs(shares - 0.1).max() < 0.04


def test_equal_samples_are_numbered_in_turn():
  number = content.Occurrences()
  first = number(np.array([7, 7, 9], np.uint64))
  again = number(np.array([9, 7], np.uint64))
  assert first.tolist() == [0, 1, 0] and again.tolist() == [1, 2]


# Files.


def write_folder(root, pictures, labels):
  """A folder of PNGs by classes, in another order."""
  for i, (x, label) in enumerate(zip(pictures, labels, strict=True)):
    folder = root / str(label)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(x).save(folder / f'{(7 * i) % N:03}.png')


FILES = ('fid', 'intra_fid', 'kid', 'precision', 'coverage', 'vendi', 'swd')


def test_a_folder_and_an_npz_of_the_same_pictures_score_alike(tmp_path):
  """By classes in subfolders, or in one file in any order with numbers."""
  fake, labels = pictures(0)
  write_folder(tmp_path / 'fake', fake, labels)
  order = np.random.default_rng(3).permutation(N)
  np.savez(tmp_path / 'fake.npz', x=fake[order], label=labels[order])
  real, real_labels = pictures(1)
  np.savez(tmp_path / 'real.npz', x=real, label=real_labels)
  made = [
    external_samples.evaluate(
      str(tmp_path / name),
      str(tmp_path / 'real.npz'),
      metrics=FILES,
      protocol=evaluation.chosen_protocol(
        scoring.EvalProtocol(), {'space': 'pixels'}
      ),
      progress=console.Counter('samples', main=False),
      data_options={},
      samples_options={},
    )
    for name in ('fake', 'fake.npz')
  ]
  same_records.check(*made, besides=['source'])
  assert [r['metric'] for r in made[0]] == list(FILES)
