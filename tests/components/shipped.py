"""The components that come with the package.

They are held to more than a new file is: to references, figures, a line in the
manual. A new file in one of these folders is held to conformance.py.
"""

SHIPPED = {
  'losses': {
    'cross_entropy', 'fgan', 'hinge', 'lsgan', 'minimax', 'nonsaturating',
    'ragan', 'rahinge', 'ralsgan', 'rpgan', 'softmax',
    'wasserstein',
  },
  'penalties': {'dragan', 'gradient_penalty', 'r1', 'r2', 'weight_clip'},
  'augment': {
    'ada', 'apa', 'blur', 'cutmix', 'diffaugment', 'diffusion_noise', 'flip',
    'instance_noise',
  },
  'dynamics': {
    'alternating', 'consensus', 'extragradient', 'lookahead',
    'negative_momentum', 'optimistic', 'proximal', 'simultaneous', 'symplectic',
    'unrolled',
  },
  'conditioning': {
    'ac', 'adc', 'concat', 'contrastive', 'd2d_ce', 'inner_product',
    'mapped_projection', 'md', 'multi_hinge', 'projection', 'tac',
    'unconditional_d',
  },
  'models': {
    'biggan', 'biggan_deep', 'char_gan', 'dcgan', 'gat', 'gru_gan',
    'gumbel_lstm', 'infogan', 'mlp', 'quantgan', 'r3gan', 'r3gan2', 'rcgan',
    'sagan', 'sndcgan', 'sngan', 'stylegan2', 'stylegan3',
  },
  'datasets': {
    'digits', 'folder', 'grammar', 'grid25', 'mnist_rows', 'npz', 'ring8',
    'sines', 'stacked_mnist', 'stocks', 'swissroll', 'table', 'text_files',
    'tfds_images', 'tiny_shakespeare',
  },
}  # fmt: skip
# The models whose samples are no images, by what one of theirs may be.
OTHER_SAMPLES = {
  'char_gan': (4, 5),
  'gru_gan': (4, 2),
  'gumbel_lstm': (4, 5),
  'quantgan': (4, 2),
  'rcgan': (4, 2),
}
# Thin networks of images, for tests that run them.
_THIN = dict.fromkeys('gd', {'widths': (4, 4)})
_UNITS = dict.fromkeys('gd', {'unit': 4, 'widths': (1, 1)})
_TOKENS = {'depth': 2, 'width': 8, 'heads': 2}
_STYLED = {'channel_max': 4, 'mapping_layers': 1}
SMALL = {
  'biggan': {'g': _UNITS['g'] | {'shared': 3}, 'd': _UNITS['d']},
  'biggan_deep': {
    'g': _UNITS['g'] | {'shared': 3, 'depth': 1},
    'd': _UNITS['d'] | {'depth': 1},
  },
  'dcgan': dict.fromkeys('gd', {'widths': (8, 8)}),
  'gat': {'g': _TOKENS | {'levels': 2}, 'd': _TOKENS},
  'infogan': dict.fromkeys('gd', {'hidden': (8,), 'widths': (4, 4)}),
  'mlp': dict.fromkeys('gd', {'hidden': (8, 8)}),
  'r3gan': dict.fromkeys('gd', {'widths': (4, 2, 4), 'group': 2}),
  'r3gan2': dict.fromkeys('gd', {'widths': (4, 2), 'group': 2, 'depth': 1}),
  'sagan': _THIN,
  'sndcgan': _THIN,
  'sngan': _THIN,
  'stylegan3': {
    'g': _STYLED | {'features': 4, 'layers': 3, 'margin': 1},
    'd': _STYLED | {'group': 2},
  },
  'stylegan2': {'g': _STYLED | {'features': 4}, 'd': _STYLED | {'group': 2}},
}
# Networks of other kinds of data, and those with encoders, likewise.
_WIDTHS, _HIDDEN = {'widths': (4, 4)}, {'hidden': (8, 8)}
_CHARACTERS = {'dim': 8, 'blocks': 1}
THIN = {
  'aae': dict.fromkeys('gde', _HIDDEN),
  'ali': {
    **dict.fromkeys('ge', _WIDTHS),
    'd': _WIDTHS | _HIDDEN | {'code_hidden': (8,)},
  },
  'char_gan': dict.fromkeys('gd', _CHARACTERS),
  'gru_gan': dict.fromkeys('gd', _HIDDEN),
  'gumbel_lstm': {'g': {'features': 8}, 'd': _CHARACTERS},
  'quantgan': dict.fromkeys('gd', {'width': 4, 'dilations': (1, 2)}),
  # A round: more of them magnify how products of fewer rows round.
  'specgan': {
    'g': _WIDTHS | {'window': 16, 'hop': 8, 'rounds': 1},
    'd': _WIDTHS,
  },
  'timegan': dict.fromkeys('gde', {'hidden': 3, 'layers': 1}),
  'vae_gan': {
    'g': {'start': 3, 'widths': (3, 3)},
    'd': {'first': 2, 'widths': (3, 3), 'hidden': 4},
    'e': {'widths': (3, 3), 'hidden': 4},
  },
}
# Those whose images have no bounds.
UNBOUNDED = {'gat', 'r3gan', 'r3gan2', 'stylegan2', 'stylegan3'}

# Of encoders, of sound, of several phases, of mere parameters: held to tests of
# their own alone.
APART = {
  'conditioning': {'infogan'},
  'dynamics': {'equilibrium', 'timegan'},
  'models': {
    'aae', 'ali', 'bigan', 'bilinear', 'dirac', 'quadratic', 'specgan',
    'timegan', 'vae_gan', 'wavegan',
  },
  'penalties': {
    'bcr', 'cr', 'fd_r1', 'fd_r2', 'feature_matching', 'gradient_normalisation',
    'icr', 'kl', 'label_flip', 'lecam', 'logan', 'logit_centring', 'max_gp',
    'mode_seeking', 'moments', 'optimal_transport', 'orthogonal', 'path_length',
    'pull_away', 'reconstruction', 'supervised', 'top_k', 'zcr',
  },
  'datasets': {'dirac', 'sounds', 'spoken_digit', 'tones'},
}  # fmt: skip


def is_new(path: str) -> bool:
  """Whether 'losses/mine' is a component that did not come with the package."""
  room, _, name = path.partition('/')
  known = SHIPPED.get(room, set()) | APART.get(room, set())
  return room in SHIPPED and '/' not in name and name not in known
