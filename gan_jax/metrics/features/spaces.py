"""The feature nets by name, and which of them a data set has.

One of one's own is a module outside the package, requested by its dotted name:
load(shape of a sample) -> base.Features, and KNOWS, what it gives beside its
features.
"""

import ast
import hashlib
import inspect
from collections.abc import Callable

import numpy as np

from gan_jax.components import modules
from gan_jax.components import options as options_lib
from gan_jax.data import kinds
from gan_jax.metrics.features import (
  base,
  classifier,
  inception,
  inception_weights,
  pixels,
  random_conv,
  stacked,
)
from gan_jax.types import Dataset, UserError

# What each net gives beside its features: probabilities of classes, classes
# that are the data set's own, spatial features.
KNOWS = {
  'pixels': (),
  'random_conv': (),
  'classifier': ('probabilities', 'classes'),
  'inception': ('probabilities', 'spatial'),
  'stacked': ('stacked',),
}
DOWNLOAD = 'download'  # in place of a path of weights
TRAINED = ('classifier', 'stacked')  # on the data set itself
# Share of held-out examples that a classifier has right, if it is to be taken
# at its word; below, more than one sample in five counts for another class. One
# of digits has .98, one of CIFAR-10 some .8.
TRUSTED = 0.8
FOR_ALL = ('pixels', 'stacked')  # 'stacked' asks for more than a kind


def choose(dataset: Dataset, space: str = '') -> str:
  """The feature net that was requested, or the best one available.

  Args:
    dataset: types.Dataset.
    space: one of KNOWS, or a dotted name; '' for the classifier of a labelled
      image data set, and the pixels of any other.

  Raises:
    UserError: the net does not exist, or not for this data set.
  """
  channels = isinstance(dataset.modes, dict) and 'channel' in dataset.modes
  fitting = (*FOR_ALL, *kinds.of(dataset).FEATURES)
  # A classifier of one class learns nothing.
  labelled = len(dataset.class_names) > 1 and 'classifier' in fitting
  if not space:
    usual = 'classifier' if labelled else 'pixels'
    return 'stacked' if channels else usual
  if modules.is_outside(space):
    _module(space)
    return space
  if space not in KNOWS:
    there = ', '.join(KNOWS)
    raise UserError(
      f'features={space!r}: there are {there}, or the dotted name of a module.'
    )
  if space == 'classifier' and not labelled:
    there = 'only one class' if dataset.class_names else 'no classes'
    raise UserError(f'features=classifier: {dataset.name} has {there}.')
  if space == 'stacked' and not channels:
    raise UserError('features=stacked: only stacked_mnist has such classes.')
  if space not in fitting:
    raise UserError(f'features={space}: {dataset.name} has no images.')
  return space


def knows(space: str) -> tuple[str, ...]:
  """What a net gives beside its features, see measures.WHERE."""
  if modules.is_outside(space):
    return tuple(getattr(_module(space), 'KNOWS', ()))
  return KNOWS[space]


def _module(space):
  return modules.named(space, flag='features', needs=['load'])


def check_published(space: str) -> str:
  """The net that published statistics were made with.

  Raises:
    UserError: a net that is trained here, on the data set.
  """
  space = space or 'inception'
  if space in TRAINED:
    raise UserError(
      f'features={space}: published statistics were made with another net;'
      f' there are {", ".join(k for k in KNOWS if k not in TRAINED)}.'
    )
  return space


def check(
  dataset: Dataset, space: str = '', *, resize: str = '', weights: str = ''
) -> str:
  """The feature net, after every check that needs no loading.

  Args:
    dataset: types.Dataset.
    space: see choose.
    resize: see load.
    weights: see load.

  Raises:
    UserError: as `load`.
  """
  space = choose(dataset, space)
  if space != 'inception':
    if resize or weights:
      given = 'resize' if resize else 'weights'
      raise UserError(f'{given}: only for features=inception, not {space}.')
    return space
  if resize and resize not in inception.RESIZE:
    there = ', '.join(inception.RESIZE)
    raise UserError(f'resize={resize}: there are {there}.')
  if weights != DOWNLOAD:
    inception_weights.find(weights)
  return space


def load(
  dataset: Dataset,
  space: str = '',
  *,
  resize: str = '',
  weights: str = '',
  say: Callable = print,
) -> base.Features:
  """The feature net of a data set.

  Args:
    dataset: types.Dataset; the classifier learns on its labels.
    space: see choose.
    resize: how pictures are brought to the net's size: 'tf' or 'clean', only
      for inception; '' for 'tf'.
    weights: path of inception's weights; '' for where they are usually,
      'download' to fetch them there first.
    say: called with a line of text before anything that takes time.

  Raises:
    UserError: as choose; weights or a resizing that do not exist.
  """
  space = check(dataset, space, resize=resize, weights=weights)
  if modules.is_outside(space):
    return _load_own(space, tuple(dataset.shape))
  if space == 'inception':
    if weights == DOWNLOAD:
      weights = str(inception_weights.download(say=say))
    return inception.load(weights, resize=resize or 'tf', say=say)
  if space == 'classifier':
    return _trusted(classifier.load_or_train(dataset, say=say), dataset, say)
  if space == 'stacked':
    return stacked.load(dataset, say=say)
  if space == 'random_conv':
    return random_conv.load(dataset.shape)
  return pixels.load(dataset.shape)


def _trusted(net, dataset, say):
  """The classifier; says so if it is hardly one."""
  if net.accuracy < TRUSTED:
    say(
      f'warning: the classifier is right on only {net.accuracy:.0%} of held-out'
      f' {dataset.name} ({len(dataset.class_names)} classes): its scores mean'
      ' little; other nets: features=inception, random_conv, pixels'
    )
  return net


def _load_own(space, shape):
  """A feature net of one's own, tried on three samples."""
  flag, module = f'features={space}', _module(space)
  net = options_lib.call(flag, lambda: module.load(shape), {})
  if not isinstance(net, base.Features):
    raise UserError(
      f'{flag}: load gives {type(net).__name__}, not metrics.features.base'
      '.Features.'
    )
  look = lambda: net.apply(np.zeros((3, *shape), np.float32))
  seen = options_lib.call(flag, look, {})
  rows = np.shape(getattr(seen, 'features', None))
  if not isinstance(seen, base.Seen) or len(rows) != 2 or rows[0] != 3:
    raise UserError(
      f'{flag}: apply of samples [N, ...] has to give base.Seen of features'
      ' [N, D].'
    )
  # Where it names no weights, it is what its source is.
  tree = ast.dump(ast.parse(inspect.getsource(module)))
  source = hashlib.sha256(tree.encode()).hexdigest()[:16]
  return net._replace(
    name=space, hash=net.hash or source, knows=tuple(knows(space))
  )
