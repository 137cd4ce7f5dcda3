"""Inception's published weights: located, downloaded, read and folded."""

import contextlib
import http.client
import os
import pathlib
import tempfile
import urllib.request
from collections.abc import Callable

import numpy as np

from gan_jax.metrics.features import store, torch_checkpoint
from gan_jax.storage import paths
from gan_jax.types import UserError

FILE = 'pt_inception-2015-12-05-6726825d.pth'
URL = (
  'https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/'
  + FILE
)
CONVERTED = 'pt_inception-2015-12-05.npz'
EPSILON = 1e-3  # of the batch norms
# What the checkpoint holds of a convolution, and of the last layer.
NORMED = (
  'conv.weight',
  'bn.weight',
  'bn.bias',
  'bn.running_mean',
  'bn.running_var',
)
DENSE = ('weight', 'bias')


# ------------------------------------------------------- locating them


def find(path: str = '') -> pathlib.Path:
  """Locates the weights, without the network.

  Args:
    path: of the file; '' for $GAN_JAX_INCEPTION if that is set, and otherwise
      the cache folder, $GAN_JAX_CACHE or ~/.cache/gan_jax, converted or as
      published.

  Raises:
    UserError: not there; the message says what to do.
  """
  path = path or os.environ.get('GAN_JAX_INCEPTION', '')
  if path:
    file = paths.expand(path)
    if not file.is_file():
      raise UserError(f'inception: there are no weights at {path}')
    return file
  folder = store.cache_dir()
  for name in (CONVERTED, FILE):
    if (folder / name).is_file():
      return folder / name
  raise UserError(_absent(folder))


def download(
  path: str = '', *, url: str = URL, timeout: float = 30, say: Callable = print
) -> pathlib.Path:
  """Downloads the published checkpoint; only called on request.

  Args:
    path: of the result; default where `find` finds it.
    url: of the file; wherever it is, its sha256 must be the published one.
    timeout: seconds of silence after which to give up.
    say: called with a line of text at each stage.

  Returns:
    Path of the file, whole and verified.

  Raises:
    UserError: no connection, or another file; nothing is saved then.
  """
  target = paths.expand(path) if path else store.cache_dir() / FILE
  with contextlib.suppress(OSError, UserError):
    torch_checkpoint.check_digest(target, FILE)
    return target
  say(f'inception: fetching {url}')
  try:
    _fetch(url, target, timeout)
  except (OSError, http.client.HTTPException, ValueError) as e:
    if isinstance(e, UserError):
      raise
    raise UserError(f'{_absent(target.parent)} ({e})') from e
  say(f'inception: saved as {target}')
  return target


def _fetch(url, target, timeout):
  target.parent.mkdir(parents=True, exist_ok=True)
  with tempfile.TemporaryDirectory(dir=target.parent) as folder:
    fetched = pathlib.Path(folder) / FILE
    with urllib.request.urlopen(url, timeout=timeout) as r:
      with fetched.open('wb') as f:
        while part := r.read(2**20):
          f.write(part)
    torch_checkpoint.check_digest(fetched)
    os.replace(fetched, target)  # whole and checked, or not at all


def _absent(folder):
  return (
    f'inception: no weights: download {URL} to {folder}, or set '
    '$GAN_JAX_INCEPTION to its path; the features classifier, random_conv and '
    'pixels need nothing from the network'
  )


# -------------------------------------------------- as the net needs them


def read(path: pathlib.Path, shapes: dict) -> dict[str, np.ndarray]:
  """The weights of the net, batch norm folded into kernels and biases.

  Args:
    path: of a checkpoint (.pth, either layout) or of what `write` wrote (.npz).
    shapes: by name, something with the shape of each array: inception.shapes.

  Returns:
    float32 arrays by the names of `shapes`.

  Raises:
    UserError: absent, damaged, of another net (missing, extra and wrongly
      shaped arrays are named), or not the file that its name promises.
  """
  if path.suffix != '.npz':
    return fold(torch_checkpoint.read(path), shapes, path.name)
  arrays = _read_npz(path)
  _check(arrays, {k: v.shape for k, v in shapes.items()}, path.name)
  return {k: x.astype(np.float32) for k, x in arrays.items()}


def fold(tensors: dict, shapes: dict, name: str) -> dict[str, np.ndarray]:
  """Kernels and biases that do what convolution and batch norm did.

  Args:
    tensors: of the checkpoint by name, [O, I, h, w] and [O].
    shapes: as for `read`.
    name: what to call the checkpoint in an error.

  Returns:
    float32 arrays by the names of `shapes`, [h, w, I, O] and [O].

  Raises:
    UserError: names what is missing, unexpected, wrongly shaped or not finite.
  """
  counters = '.num_batches_tracked'  # in newer checkpoints, never used
  tensors = {k: x for k, x in tensors.items() if not k.endswith(counters)}
  _check(tensors, checkpoint_shapes(shapes), name)
  arrays = {}
  for module in _modules(shapes):
    dense = len(shapes[f'{module}/kernel'].shape) == 2
    own = [
      tensors[f'{module.replace("/", ".")}.{part}'].astype(np.float64)
      for part in (DENSE if dense else NORMED)
    ]
    kernel, bias = (own[0].T, own[1]) if dense else _fold_norm(*own)
    arrays |= {f'{module}/kernel': kernel, f'{module}/bias': bias}
  return {k: np.ascontiguousarray(x, np.float32) for k, x in arrays.items()}


def write(path: pathlib.Path, arrays: dict):
  """Writes what `read` reads as .npz, atomically.

  Raises:
    UserError: the path cannot be written, or does not end in .npz.
  """
  if path.suffix != '.npz':
    raise UserError(f'inception: converted weights end in .npz, not {path}')
  store.write_arrays(path, arrays)
  written = store.read_arrays(path)
  if not written or store.weights_hash(written) != store.weights_hash(arrays):
    raise UserError(f'inception: {path} cannot be written')


def checkpoint_shapes(shapes: dict) -> dict[str, tuple[int, ...]]:
  """Shapes of the checkpoint's tensors by name, for those of the net.

  Args:
    shapes: by name, something with the shape of each array: inception.shapes.
  """
  wanted = {}
  for name in _modules(shapes):
    kernel = shapes[f'{name}/kernel'].shape
    if len(kernel) == 2:
      parts = zip(DENSE, (kernel[::-1], kernel[1:]), strict=True)
    else:
      order = (kernel[3], kernel[2], *kernel[:2])  # [O, I, h, w]
      parts = zip(NORMED, [order] + [kernel[3:]] * 4, strict=True)
    of = name.replace('/', '.')
    wanted |= {f'{of}.{part}': shape for part, shape in parts}
  return wanted


def _modules(shapes):
  return [k.removesuffix('/kernel') for k in shapes if k.endswith('/kernel')]


def _check(arrays, wanted, name):
  """Names what is missing, unexpected, wrongly shaped or not finite."""
  faults = {
    'missing': wanted.keys() - arrays.keys(),
    'not of this net': arrays.keys() - wanted.keys(),
    'of another shape': {
      f'{k} {list(arrays[k].shape)} for {list(wanted[k])}'
      for k in wanted.keys() & arrays.keys()
      if arrays[k].shape != wanted[k]
    },
    'not finite numbers': {
      k
      for k in wanted.keys() & arrays.keys()
      # A tensor of another shape may repeat one number endlessly.
      if arrays[k].shape == wanted[k]
      and (arrays[k].dtype.kind != 'f' or not np.isfinite(arrays[k]).all())
    },
  }
  problems = [
    f'{what}: {_some(names)}' for what, names in faults.items() if names
  ]
  if problems:
    raise UserError(f'inception: {name}: {"; ".join(problems)}')


def _some(names):
  more = f' and {len(names) - 3} more' if len(names) > 3 else ''
  return ', '.join(sorted(names)[:3]) + more


def _fold_norm(kernel, gamma, beta, mean, variance):
  """gamma (k x - mean) / sqrt(variance + eps) + beta as one convolution."""
  scale = gamma / np.sqrt(variance + EPSILON)
  return kernel.transpose(2, 3, 1, 0) * scale, beta - mean * scale


def _read_npz(path):
  if not path.is_file():
    raise UserError(f'inception: there are no weights at {path}')
  arrays = store.read_arrays(path)
  if arrays is None:
    raise UserError(
      f'inception: {path.name} is damaged or holds something else'
    )
  return arrays
