"""The same GANs in plain PyTorch, as a good user would write them.

The networks of torch_networks and the updates of gan_jax/game/step.py: equal
parameters, batch, Adam, alternating moves, moving average. Convolutions are in
channels_last, data in memory. How says what else PyTorch offers.
"""

import contextlib
import copy
import functools
import os
from typing import NamedTuple

import torch

from experiments.benchmarks import (
  torch_batches,
  torch_losses,
  torch_networks,
)


class How(NamedTuple):
  """Ways to run a step; eager in float32 without any.

  Attributes:
    amp: convolutions and products of matrices in bfloat16, by autocast.
    compiled: what torch.compile takes; without `func` penalties stay eager.
    func: penalties by torch.func.
    graph: the whole step is one CUDA graph, with its draws; on a CPU the same
      step on the same buffers, without a graph.
  """

  amp: bool = False
  compiled: bool = False
  func: bool = False
  graph: bool = False


EAGER = How()


def setup() -> torch.device:
  """Threads, and the precision that XLA uses on a GPU."""
  torch.set_num_threads(os.cpu_count())
  torch.set_float32_matmul_precision('high')
  torch.backends.cudnn.allow_tf32 = True
  torch.backends.cudnn.benchmark = True
  return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


class Trainer:
  """A GAN, its optimizers, its moving average and its data."""

  def __init__(
    self, config: dict, data: dict, variables: tuple, device, how: How = EAGER
  ):
    """Makes the networks, which begin with our weights.

    Args:
      config: of the case.
      data: in model range, {'x': [N, ...], 'label': [N], if there are any}.
      variables: of our G and D.
      device: where all of it is.
      how: to run a step.
    """
    self.config, self.device, self.how = config, device, how
    self.batches, self.steps = torch_batches.Batches(config, data, device), 0
    # In G's move; in ours, D's vectors have moved at the reals before.
    self.g_iterations = 1
    first = torch.arange(config['batch_size'], device=device)
    example = *self.batches.taken(first), self.batches.draw()
    shape = self.batches.shape
    nets = torch_networks.networks(config, shape, variables, example)
    self.g, self.d = (net.train() for net in nets)
    self.average = copy.deepcopy(self.g).requires_grad_(False)
    pairs = self.average.state_dict().values(), self.g.state_dict().values()
    self._averaged = [list(tensors) for tensors in pairs]
    self.d_loss, self.g_loss = torch_losses.LOSSES[config['loss']['name']]
    self.opt_g, self.opt_d = (
      self._adam(net, config['optim'][player])
      for player, net in (('g', self.g), ('d', self.d))
    )
    self._prepare()

  def _adam(self, net, own):
    betas = own['b1'], own.get('b2', 0.999)
    return torch.optim.Adam(
      net.parameters(), lr=own['learning_rate'], betas=betas,
      eps=own.get('eps', 1e-8), fused=True,
      capturable=self.how.graph and self.device.type == 'cuda',
    )  # fmt: skip

  def _prepare(self):
    """What is compiled, and the buffers of a graph."""
    compiled = self.how.compiled
    compile_ = torch.compile if compiled else lambda function: function
    whole = self.how.func and compiled
    self._run_g, self._run_d = (
      net if whole else compile_(net) for net in (self.g, self.d)
    )
    self._of_d, self._of_g, self._lazy = (
      compile_(function) if whole else function
      for function in (self._d_objective, self._g_objective, self._lazy_terms)
    )
    self._index = torch.zeros(
      self.config['batch_size'], dtype=torch.long, device=self.device
    )
    self._weight = torch.zeros((), device=self.device)  # of the new average
    self._replayed = {}

  # --------------------------------------------------------------- objectives

  def _penalties(self, every=1):
    """The penalties of every step, or those due once in so many steps."""
    return {
      name: {k: v for k, v in own.items() if k != 'every'}
      for name, own in self.config['penalties'].items()
      if own.get('every', 1) == every
    }

  def _judged(self, x, label, drawn, *, slope):
    """(Logits, their slope at x where it is wanted)."""
    if not slope:
      return self._run_d(x, label, drawn).float(), None
    # torch.compile takes no second derivative, but of torch.func.
    judge = lambda x: self.d(x, label, drawn).float()
    return torch_losses.with_slope(judge, x, func=self.how.func)

  def _d_objective(self, real, label, drawn):
    """(D's loss with its penalties, its loss)."""
    due = self._penalties()
    with torch.no_grad():
      fake = self._run_g(drawn, label)
    on_real, at_real = self._judged(real, label, drawn, slope='r1' in due)
    on_fake, at_fake = self._judged(fake, label, drawn, slope='r2' in due)
    total = loss = self.d_loss(on_real, on_fake)
    for name, slope in (('r1', at_real), ('r2', at_fake)):
      if name in due:
        total = total + torch_losses.zero_centred(slope, **due[name])
    if 'gradient_penalty' in due:
      x = torch_losses.between(real, fake, drawn['alpha'])
      _, slope = self._judged(x, label, drawn, slope=True)
      own = due['gradient_penalty']
      total = total + torch_losses.one_centred(slope, **own)
    return total, loss

  def _lazy_terms(self, real, label, drawn, every):
    """D's penalties of once in so many steps; each counts as many times."""
    due = self._penalties(every)
    assert set(due) == {'r1'}, due
    logits, slope = self._judged(real, label, drawn, slope=True)
    # Every weight has a gradient, if of zero, so that Adam moves them all.
    penalty = torch_losses.zero_centred(slope, **due['r1'])
    return every * penalty + 0 * logits.mean()

  def _g_objective(self, real, label, drawn):
    def on_real():
      with torch.no_grad():
        return self._judged(real, label, drawn, slope=False)[0]

    fake = self._run_g(drawn, label)
    on_fake, _ = self._judged(fake, label, drawn, slope=False)
    return self.g_loss(on_fake, on_real)

  # -------------------------------------------------------------------- steps

  def _autocast(self):
    if not self.how.amp:
      return contextlib.nullcontext()
    # A graph must not keep casts of weights that it changes.
    own = {'dtype': torch.bfloat16, 'cache_enabled': not self.how.graph}
    return torch.autocast(self.device.type, **own)

  def _move(self, optimizer, objective):
    """One update; returns the objective's value, which may be a pair."""
    optimizer.zero_grad()
    with self._autocast():
      value = objective()
    (value[0] if isinstance(value, tuple) else value).backward()
    optimizer.step()
    return value

  def _moves(self, real, label, of_d, of_g, due=()):
    """D moves, then G; returns D's and G's loss."""
    self.g.moves = False
    _, d_loss = self._move(self.opt_d, lambda: self._of_d(real, label, of_d))
    for every in due:
      lazy = functools.partial(self._lazy, real, label, of_d, every)
      self._move(self.opt_d, lazy)
    self.g.moves, self.d.moves = True, False
    self.d.iterations = self.g_iterations
    self.d.requires_grad_(False)  # whose gradients are not needed here
    g_loss = self._move(self.opt_g, lambda: self._of_g(real, label, of_g))
    self.d.requires_grad_(True)
    self.d.moves, self.d.iterations = True, 1
    return d_loss.detach(), g_loss.detach()

  def due(self) -> tuple[int, ...]:
    """Periods of the lazy penalties that are due in the next step."""
    periods = {p.get('every', 1) for p in self.config['penalties'].values()}
    return tuple(n for n in sorted(periods - {1}) if self.steps % n == 0)

  def _share(self) -> float:
    """Of the new weights in the average, after the next step."""
    ema, batch = self.config['ema'], self.config['batch_size']
    halflife = min(
      1000 * ema['halflife_kimg'], ema['rampup'] * batch * (self.steps + 1)
    )
    return 1 - 0.5 ** (batch / halflife)

  @torch.no_grad()
  def step(self, real, label, of_d, of_g) -> tuple:
    """D moves, then G, then the average; returns the losses as tensors."""
    with torch.enable_grad():
      losses = self._moves(real, label, of_d, of_g, self.due())
    torch._foreach_lerp_(*self._averaged, self._share())
    self.steps += 1
    return losses

  @torch.no_grad()
  def _whole(self, due) -> tuple:
    """A step on buffers alone, with its draws: what a graph records."""
    real, label = self.batches.taken(self._index)
    of_d, of_g = self.batches.draw(), self.batches.draw()
    with torch.enable_grad():
      losses = self._moves(real, label, of_d, of_g, due)
    average, new = self._averaged
    moved = torch._foreach_sub(new, average)
    torch._foreach_mul_(moved, self._weight)
    torch._foreach_add_(average, moved)
    return losses

  def _on_buffers(self) -> tuple:
    """Writes the buffers of a step and takes it."""
    self._index.copy_(self.batches.indices())
    self._weight.fill_(self._share())
    due = self.due()
    if due not in self._replayed:
      self._replayed[due] = _captured(
        functools.partial(self._whole, due), self.device
      )
    losses = self._replayed[due]()
    self.steps += 1
    return losses

  def advance(self, n: int) -> list[float]:
    """Takes n steps, sums up the losses, and waits for all that."""
    draw = self.batches.draw
    total = [torch.zeros((), device=self.device) for _ in range(2)]
    for _ in range(n):
      if self.how.graph:
        losses = self._on_buffers()
      else:
        taken = self.batches.taken(self.batches.indices())
        losses = self.step(*taken, draw(), draw())
      torch._foreach_add_(total, list(losses))
    return [t.item() for t in total]  # waits, also for a GPU

  def num_params(self) -> tuple[int, int]:
    """Of G and of D."""
    return tuple(
      sum(p.numel() for p in net.parameters()) for net in (self.g, self.d)
    )


def _captured(function, device):
  """A function of buffers as a CUDA graph; on a CPU the function itself."""
  if device.type != 'cuda':
    return function
  stream = torch.cuda.Stream()
  stream.wait_stream(torch.cuda.current_stream())
  with torch.cuda.stream(stream):
    for _ in range(3):  # chooses algorithms, fills caches
      function()
  torch.cuda.current_stream().wait_stream(stream)
  graph = torch.cuda.CUDAGraph()
  with torch.cuda.graph(graph):
    made = function()

  def replay():
    graph.replay()
    return made

  return replay
