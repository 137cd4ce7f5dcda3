"""The few structures that every part of the package shares."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

Tree = Any  # any pytree of arrays
Metrics = dict[str, jax.Array]  # scalars by name

# The two players of every game, by which configs and states name them.
G, D = 'g', 'd'
E = 'e'  # the encoder of those that have one

MOST_SHOWN = 1200  # characters of an error


class UserError(ValueError):
  """A user's mistake, told in one line; the commands exit with code 2."""

  def __str__(self):
    line = one_line(super().__str__())
    if len(line) <= MOST_SHOWN:
      return line
    return f'{line[: MOST_SHOWN // 2]} ... {line[-MOST_SHOWN // 4 :]}'


def one_line(text: Any) -> str:
  """Text on one line that a terminal or a page shows as it stands.

  A stranger's file name may hold anything: what is not printable is escaped.
  """
  words = ' '.join(str(text).split())
  return ''.join(c if c.isprintable() else ascii(c)[1:-1] for c in words)


class Player(NamedTuple):
  """All that one network learns."""

  params: Tree
  vars: Tree  # other collections: batch statistics, spectral-norm vectors
  opt: Tree  # the optimizer's state


class State(NamedTuple):
  """All training state, one pytree. Nothing random is in it."""

  step: jax.Array  # [], int32: updates of G so far
  players: dict[str, Player]  # G, D, and whoever else the model brings
  ema: dict[str, Tree]  # moving averages: {player: {'params', 'vars'}}
  memo: dict[str, Tree]  # what terms and the augmentation remember, by name


class Dataset(NamedTuple):
  """Examples behind one interface, wherever they lie.

  The kind says what `x` means and what it is in model range: for images uint8,
  meaning [-1, 1] by x / 127.5 - 1, or float32 as it is.
  """

  name: str
  kind: str  # what a sample is: a file of kinds/, see its README.md
  shape: tuple[int, ...]  # of one sample in model range, (H, W, C) or (D,)
  size: int  # number of examples
  # rows [n] -> {'x': [n, ...], 'label': [n] int32, or [n, C] float32, if any}
  read: Callable
  nbytes: int  # of all examples in memory
  class_names: tuple[str, ...] = ()  # label k means class_names[k]
  attributes: tuple[str, ...] = ()  # [C]: a label is a vector of such numbers
  modes: Any = None  # known modes: {'centers': [M, D], 'std': float}
  fingerprint: str = ''  # sha256 of the content and its preparation
  about: Any = None  # what its kind alone needs: a sample rate, an alphabet
  # (rows | None) -> [C] examples of each class among them, or all, at little
  # cost; None: all labels are read, see data/classes.
  count_classes: Callable | None = None
  # rows [n] -> labels at little cost; None: of `read`, see data/conditions.
  read_labels: Callable | None = None
  # Whether its files might as well hold the examples in another order, which
  # then must not matter to a score; data of a name have their publisher's.
  any_order: bool = False


MAX_SIZE = 2**27  # examples, so that `locate` stays within 32 bits


class Loss(NamedTuple):
  """Both players' objectives: logits [B], [B] -> [B]."""

  d_loss: Callable
  g_loss: Callable


class Penalty(NamedTuple):
  """What a file of gan_jax/penalties gives, its options bound.

  One or several of: a penalty on D, (critic, real, fake, memo, *, key) -> ([B],
  memo) with one key per example, key [B]; terms of any players, see game/terms;
  changes of an adversarial loss, see game/changes; a projection of D's
  parameters after each of its updates; what moves latents before they are
  played, (latent, net, label, *, key) -> latent.
  """

  init: Callable
  penalty: Callable | None
  project: Callable | None
  terms: dict[str, Callable]  # {player: term}, of functions named PLAYER_term
  per_example: bool  # meaningless where D's logits depend on the batch
  every: int = 1  # steps
  # Options that follow the steps: {name: step [] -> []}.
  rates: dict[str, Callable] = {}
  changes: dict[str, Callable] = {}  # {player: change}, of PLAYER_change
  # A penalty on D's slope where `at` says, 'real' or 'fake', as a function of
  # that slope, [B, ...] -> [B]: those of both places share a backward pass.
  at: str = ''
  of_gradient: Callable | None = None
  move_latent: Callable | None = None


class Conditioning(NamedTuple):
  """How D learns of labels: a head, and terms if it adds to the losses."""

  head: Callable  # of (dense=, embed=, num_classes=): a module
  terms: dict[str, Callable]  # {player: term}
  init: Callable = tuple  # () -> memo, of each of these
  in_place_of: str = ''  # the loss that these terms are, if they are one
  sees_label: bool = True  # whether it means to tell D of labels at all


class Augmentation(NamedTuple):
  """What D is shown in place of a sample; a term's critic sees it as well.

  A file of gan_jax/augment gives these, its options bound; all but `apply` may
  be left out.
  """

  apply: Callable = lambda x, memo, *, key: x  # key: one for each example
  update: Callable = lambda memo, real_logits: memo
  init: Callable = tuple  # () -> memo
  # (real, fake, memo, *, key) -> what stands in the place of the reals.
  replace: Callable = lambda real, fake, memo, *, key: real
  measured: Callable = lambda memo: {}  # memo -> {metric: []}
  # `apply` for a critic, where no example may see another one.
  alone: Callable | None = None
  synced: bool = False  # whether the fake of a pair gets the real's draws
  # step [] -> the same, where options follow the steps.
  at: Callable | None = None


class Dynamics(NamedTuple):
  """How moves make a step: a file of gan_jax/dynamics, its options bound."""

  make: Callable  # Game -> step(state, batch, key) -> (state, metrics)
  init: Callable | None = None  # (Game, State) -> memo, if it remembers
  period: Callable | None = None  # () -> steps, if they are not all alike

  def __call__(self, game: Any) -> Callable:
    """The step of a game."""
    return self.make(game)


class Model(NamedTuple):
  """The networks, and what else a file of gan_jax/models gives."""

  nets: dict  # flax.linen modules by player
  play: Callable | None  # in place of the usual one
  make_prior: Callable | None  # in place of those of game/latents
  adversarial: Callable | None = None  # Loss -> Loss, as this game needs it
  project: Callable | None = None  # params -> params, after a player's update
