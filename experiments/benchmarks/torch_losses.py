"""What the players of torch_gans.py pay: losses of logits, penalties of D."""

import torch
import torch.nn.functional as F


def cross_entropy(real, fake):
  """D's non-saturating loss of logits; the mean over the batch."""
  return F.softplus(-real).mean() + F.softplus(fake).mean()


NONSATURATING = cross_entropy, lambda fake, _: F.softplus(-fake).mean()
# name -> (D's loss, G's loss). G's is given () -> logits of the reals, too.
LOSSES = {
  'cross_entropy': NONSATURATING,
  'nonsaturating': NONSATURATING,
  'minimax': (cross_entropy, lambda fake, _: -F.softplus(fake).mean()),
  'lsgan': (
    lambda real, fake: ((real - 1).square() + fake.square()).mean() / 2,
    lambda fake, _: (fake - 1).square().mean() / 2,
  ),
  'hinge': (
    lambda real, fake: (F.relu(1 - real) + F.relu(1 + fake)).mean(),
    lambda fake, _: -fake.mean(),
  ),
  'wasserstein': (
    lambda real, fake: fake.mean() - real.mean(),
    lambda fake, _: -fake.mean(),
  ),
  'rpgan': (
    lambda real, fake: F.softplus(fake - real).mean(),
    lambda fake, real: F.softplus(real() - fake).mean(),
  ),
}


def with_slope(judge, x, *, func: bool):
  """(Logits [B], their slope at samples), out of one forward pass.

  Args:
    judge: samples -> logits.
    x: [B, ...].
    func: by torch.func, which torch.compile knows, or by autograd, of which it
      cannot take the second derivative. Not by vmap over the examples, as D
      may look at several of them; the numbers are the same.
  """
  if func:
    logits, pull = torch.func.vjp(judge, x)
    return logits, pull(torch.ones_like(logits))[0]
  x = x.detach().requires_grad_()
  logits = judge(x)
  (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
  return logits, slope


def squared(slope):
  """The squared length of each example's slope [B]."""
  return slope.flatten(1).square().sum(1)


def zero_centred(slope, gamma):
  """R1 and R2: the squared slope at the reals, or at the fakes."""
  return gamma / 2 * squared(slope).mean()


def one_centred(slope, weight=10.0):
  """WGAN-GP's: slopes of 1."""
  norm = (squared(slope) + 1e-12).sqrt()
  return weight * (norm - 1).square().mean()


def between(real, fake, alpha):
  """Points between the reals and the fakes, as far as alpha [B] says."""
  share = alpha.view(-1, *[1] * (real.dim() - 1))
  return torch.lerp(real, fake.to(real.dtype), share)  # as under autocast
