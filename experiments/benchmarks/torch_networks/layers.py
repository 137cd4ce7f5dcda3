"""Layers of weights, which networks are made of; see weights.Weights."""

import torch
import torch.nn.functional as F


def bias_of(w, path):
  """A module's bias, or None."""
  return w.weight(path, 'bias') if w.has(path, 'bias') else None


def dense(w, path, x):
  """x [B, I] -> [B, O]."""
  return F.linear(x, w.weight(path, layout='matrix'), bias_of(w, path))


def conv(w, path, x):
  """A convolution that keeps the size."""
  kernel = w.weight(path, layout='conv')
  return F.conv2d(x, kernel, bias_of(w, path), padding='same')


def halving(w, path, x):
  """A convolution of 4 x 4 and stride 2."""
  kernel = w.weight(path, layout='conv')
  return F.conv2d(x, kernel, bias_of(w, path), stride=2, padding=1)


def doubling(w, path, x):
  """A transposed convolution of 4 x 4 and stride 2."""
  kernel = w.weight(path, layout='up')
  bias = bias_of(w, path)
  return F.conv_transpose2d(x, kernel, bias, stride=2, padding=1)


def along(w, path, x):
  """A convolution that keeps the length: [B, I, T] -> [B, O, T]."""
  kernel = w.weight(path, layout='along')
  return F.conv1d(x, kernel, bias_of(w, path), padding='same')


def batch_norm(w, path, x, epsilon, modulation=None):
  """By the batch's statistics; modulation(path) is (scale, shift) [B, C]."""
  running = w.running(f'{path}/batch', x)
  own = {'training': True, 'eps': epsilon}
  if modulation is None:
    pair = [w.weight(f'{path}/batch', leaf) for leaf in ('scale', 'bias')]
    return F.batch_norm(x, *running, *pair, **own)
  return scaled(w, path, F.batch_norm(x, *running, **own), modulation(path))


def scaled(w, path, x, pair=None):
  """x times a scale, plus a shift: a pair [B, C], or those that are learnt."""
  own = pair or [w.weight(path, leaf)[None] for leaf in ('scale', 'bias')]
  scale, shift = (y[(...,) + (None,) * (x.ndim - 2)] for y in own)
  return x * scale + shift


def by_class(w, label):
  """A modulation: 1 + a row of a table, and a row of another."""
  row = lambda path, name: F.embedding(
    label, w.weight(f'{path}/{name}', 'embedding')
  )
  return lambda path: (1 + row(path, 'gamma'), row(path, 'beta'))


def attention(w, path, x):
  """SAGAN's, of maxima of squares of four."""
  flat = lambda y: y.flatten(2)  # [B, C, N]
  pool = lambda y: F.max_pool2d(y, 2)
  query = flat(conv(w, f'{path}/query', x))
  key = flat(pool(conv(w, f'{path}/key', x)))
  value = flat(pool(conv(w, f'{path}/value', x)))
  weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # [B, N, M]
  y = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
  return x + w.weight(path, 'scale') * conv(w, f'{path}/output', y)


def grid(x, rows, columns):
  """[B, H W C] as our dense layer makes it -> [B, C, H, W], channels last."""
  return x.reshape(len(x), rows, columns, -1).permute(0, 3, 1, 2)


def flat(x):
  """[B, C, H, W] -> [B, H W C], as our dense layer takes it."""
  return x.permute(0, 2, 3, 1).flatten(1)


def projected(w, features, label, pooled=None):
  """The logits [B], and what the label's embedding says of the features.

  Args:
    w: the weights.
    features: [B, F].
    label: [B], or None.
    pooled: [B, C], what the label is compared with where that is not all.
  """
  logits = dense(w, 'logits', features)[:, 0]
  if label is None:
    return logits
  table = w.weight('embed', 'embedding')
  pooled = features if pooled is None else pooled
  return logits + (F.embedding(label, table) * pooled).sum(1)


def with_class(w, z, label):
  """Latents, and beside them the embedding of the class if there is one."""
  if label is None:
    return z
  table = w.weight('embed', 'embedding')
  return torch.cat([z, F.embedding(label, table)], 1)


def smooth(x, *, doubles=False, pads=None, gain=1.0):
  """A grid filtered by 1, 3, 3, 1, along rows and columns.

  Args:
    x: [B, C, H, W].
    doubles: twice as fine; else half as fine, but where it is padded.
    pads: zeros on each side; then the filter keeps every place.
    gain: of the filter.
  """
  taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8
  kernel = (gain * torch.outer(taps, taps)).expand(x.shape[1], 1, 4, 4)
  if pads is not None:
    return F.conv2d(x, kernel, padding=pads, groups=x.shape[1])
  own = {'stride': 2, 'padding': 1, 'groups': x.shape[1]}
  if doubles:
    return F.conv_transpose2d(x, 4 * kernel, **own)
  return F.conv2d(x, kernel, **own)
