"""The same GANs in plain PyTorch, eager, as a good user would write them.

The networks and updates of gan_jax.models.dcgan, gan_jax.models.mlp and
gan_jax/game/step.py: equal parameters, batch, precision, Adam, alternating
moves, moving average. Convolutions are in channels_last, data in memory.
"""

import copy
import math
import os

import torch
import torch.nn.functional as F
from torch import nn

ACTIVATIONS = {'relu': nn.ReLU, 'leaky_relu': lambda: nn.LeakyReLU(0.2)}


def setup() -> torch.device:
  """Threads, and the precision that XLA uses on a GPU."""
  torch.set_num_threads(os.cpu_count())
  torch.set_float32_matmul_precision('high')
  torch.backends.cudnn.allow_tf32 = True
  torch.backends.cudnn.benchmark = True
  return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def mlp(sizes: list[int], activation: str) -> nn.Sequential:
  """Dense layers [B, sizes[0]] -> [B, sizes[-1]]."""
  layers = []
  for a, b in zip(sizes[:-2], sizes[1:-1], strict=True):
    layers += [nn.Linear(a, b), ACTIVATIONS[activation]()]
  return nn.Sequential(*layers, nn.Linear(*sizes[-2:]))


class Generator(nn.Module):
  """DCGAN's: [B, Z] -> [B, C, H, H] in [-1, 1]; batch norm throughout."""

  def __init__(self, shape, widths, dim):
    super().__init__()
    size, _, channels = shape
    self.base = size // 2 ** len(widths)
    self.start = nn.Linear(dim, widths[0] * self.base**2, bias=False)
    layers = []
    for a, b in zip(widths, (*widths[1:], channels), strict=True):
      last = len(layers) == 3 * (len(widths) - 1)
      layers += [
        nn.BatchNorm2d(a),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(a, b, 4, 2, 1, bias=last),
      ]
    self.body = nn.Sequential(*layers, nn.Tanh())

  def forward(self, z):
    x = self.start(z).view(len(z), -1, self.base, self.base)
    return self.body(x.contiguous(memory_format=torch.channels_last))


class Discriminator(nn.Module):
  """DCGAN's: [B, C, H, H] -> [B, 1]; batch norm but in the first stage."""

  def __init__(self, shape, widths, norm):
    super().__init__()
    size, _, channels = shape
    layers = []
    for a, b in zip((channels, *widths[:-1]), widths, strict=True):
      has_norm = bool(layers) and norm == 'batch'
      layers.append(nn.Conv2d(a, b, 4, 2, 1, bias=not has_norm))
      layers += [nn.BatchNorm2d(b)] if has_norm else []
      layers.append(nn.LeakyReLU(0.2, inplace=True))
    self.body = nn.Sequential(*layers)
    self.logits = nn.Linear(widths[-1] * (size // 2 ** len(widths)) ** 2, 1)

  def forward(self, x):
    return self.logits(self.body(x).flatten(1))


def networks(config: dict, shape: tuple) -> tuple[nn.Module, nn.Module]:
  """G and D of a config and the shape of a sample."""
  model, dim = config['model'], config['latent']['dim']
  g, d = model['g'], model['d']
  if model['name'] == 'mlp':
    n = math.prod(shape)
    return (
      mlp([dim, *g['hidden'], n], g['activation']),
      mlp([n, *d['hidden'], 1], d['activation']),
    )
  nets = (
    Generator(shape, g['widths'], dim),
    Discriminator(shape, d['widths'], d['norm']),
  )
  for net in nets:
    for module in net.modules():
      if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    net.to(memory_format=torch.channels_last)
  return nets


def cross_entropy(real, fake):
  """D's non-saturating loss of logits; the mean over the batch."""
  return F.softplus(-real).mean() + F.softplus(fake).mean()


# name -> (D's loss, G's loss). G's is given () -> logits of the reals, too.
LOSSES = {
  'cross_entropy': (cross_entropy, lambda fake, _: F.softplus(-fake).mean()),
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


def gradient_penalty(d, real, fake, alpha, weight=10.0):
  """WGAN-GP's penalty at points between the reals and the fakes."""
  alpha = alpha.view(-1, *[1] * (real.dim() - 1))
  x = torch.lerp(real, fake, alpha).requires_grad_()
  (grad,) = torch.autograd.grad(d(x).sum(), x, create_graph=True)
  norm = (grad.flatten(1).square().sum(1) + 1e-12).sqrt()
  return weight * (norm - 1).square().mean()


def r1(real, on_real, gamma):
  """R1 out of the logits of the reals, which share their forward pass."""
  (grad,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
  return gamma / 2 * grad.flatten(1).square().sum(1).mean()


class Trainer:
  """A GAN, its optimizers, its moving average and its data."""

  def __init__(self, config: dict, x, device: torch.device):
    """x: the data in model range [N, H, W, C] or [N, D], a NumPy array."""
    self.config, self.device = config, device
    g, d = networks(config, x.shape[1:])
    self.g, self.d = g.to(device).train(), d.to(device).train()
    self.average = copy.deepcopy(self.g).requires_grad_(False)
    self.d_loss, self.g_loss = LOSSES[config['loss']['name']]
    self.opt_g, self.opt_d = (
      torch.optim.Adam(
        net.parameters(),
        lr=config['optim'][player]['learning_rate'],
        betas=(config['optim'][player]['b1'], 0.999),
        fused=True,
      )
      for player, net in (('g', self.g), ('d', self.d))
    )
    x = torch.tensor(x, device=device)
    # NHWC in memory, seen as NCHW: that is channels_last.
    self.x = x.permute(0, 3, 1, 2) if x.dim() == 4 else x
    self.order, self.steps = iter(()), 0

  def batch(self):
    """The next batch of an epoch in random order; a short last one is left."""
    index = next(self.order, None)
    if index is None:
      size = self.config['batch_size']
      order = torch.randperm(len(self.x), device=self.device)
      self.order = iter(order[: len(order) // size * size].split(size))
      index = next(self.order)
    return self.x[index]

  def latent(self):
    size = self.config['batch_size'], self.config['latent']['dim']
    return torch.randn(size, device=self.device)

  def step(self, real, z_d, z_g, alpha=None):
    """D moves, then G, then the average; returns the losses as tensors."""
    # D
    with torch.no_grad():
      fake = self.g(z_d)
    penalties = self.config['penalties']
    real.requires_grad_('r1' in penalties)
    on_real = self.d(real)
    loss = d_loss = self.d_loss(on_real, self.d(fake))
    if 'r1' in penalties:
      loss = loss + r1(real, on_real, **penalties['r1'])
    if 'gradient_penalty' in penalties:
      if alpha is None:
        alpha = torch.rand(len(real), device=self.device)
      loss = loss + gradient_penalty(self.d, real, fake, alpha)
    self.opt_d.zero_grad()
    loss.backward()
    self.opt_d.step()

    # G; D's gradients are not needed here
    self.d.requires_grad_(False)
    on_real = lambda: self.d(real.detach()).detach()
    g_loss = self.g_loss(self.d(self.g(z_g)), on_real)
    self.opt_g.zero_grad()
    g_loss.backward()
    self.opt_g.step()
    self.d.requires_grad_(True)
    self.steps += 1
    self._move_average()
    return d_loss.detach(), g_loss.detach()

  @torch.no_grad()
  def _move_average(self):
    ema, batch = self.config['ema'], self.config['batch_size']
    halflife = min(
      1000 * ema['halflife_kimg'], ema['rampup'] * batch * self.steps
    )
    decay = 0.5 ** (batch / halflife)
    new = [*self.g.parameters(), *self.g.buffers()]
    old = [*self.average.parameters(), *self.average.buffers()]
    pairs = [p for p in zip(old, new, strict=True) if p[0].is_floating_point()]
    torch._foreach_lerp_(*map(list, zip(*pairs, strict=True)), 1 - decay)

  def advance(self, n: int):
    """Takes n steps, sums up the losses, and waits for all that."""
    total = [torch.zeros((), device=self.device) for _ in range(2)]
    for _ in range(n):
      losses = self.step(self.batch(), self.latent(), self.latent())
      torch._foreach_add_(total, list(losses))
    return [t.item() for t in total]  # waits, also for a GPU

  def num_params(self) -> tuple[int, int]:
    """Of G and of D."""
    return tuple(
      sum(p.numel() for p in net.parameters()) for net in (self.g, self.d)
    )
