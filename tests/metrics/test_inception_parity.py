"""Inception-v3 against the packages whose figures people compare.

Their networks get the random weights of test_inception.py, since what is
compared is the arithmetic. They come with the extra `parity`; without it these
tests are skipped.
"""

import functools
import importlib.util
import sys

import jax
import numpy as np
import pytest
from flax import traverse_util

from gan_jax.metrics.features import (
  inception,
  inception_weights,
  resize,
  torch_checkpoint,
)
from tests.metrics import test_inception

torch = pytest.importorskip('torch', reason='the extra parity')
for name in ('torchvision', 'pytorch_fid', 'torch_fidelity', 'cleanfid'):
  if importlib.util.find_spec(name) is None:
    pytest.skip(f'the extra parity: no {name}', allow_module_level=True)


def import_torchvision():
  """Imports it even where its operators are for CUDA and PyTorch is not."""
  try:
    import torchvision  # noqa: F401
  except RuntimeError:
    for name in [n for n in sys.modules if n.startswith('torchvision')]:
      del sys.modules[name]
    operators = torch.library.Library('torchvision', 'DEF')
    for name in ('nms', 'qnms'):
      operators.define(f'{name}(Tensor a, Tensor b, float c) -> Tensor')
    import torchvision  # noqa: F401

    return operators  # which live as long as this does


OPERATORS = import_torchvision()


@pytest.fixture(scope='module')
def tensors():
  shapes = inception.shapes()
  return test_inception.random_tensors(
    inception_weights.checkpoint_shapes(shapes)
  )


@pytest.fixture(scope='module')
def net(tensors):
  """The network of pytorch-fid with these weights."""
  from pytorch_fid import inception as theirs

  state = {k: torch.from_numpy(x) for k, x in tensors.items()}
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(theirs, 'load_state_dict_from_url', lambda *a, **k: state)
    return theirs.fid_inception_v3().eval()


@pytest.fixture(scope='module', params=['zip', 'legacy'])
def path(request, net, tmp_path_factory):
  """Its state dict as torch.save writes it."""
  path = tmp_path_factory.mktemp(request.param) / 'random.pth'
  torch.save(
    net.state_dict(),
    path,
    _use_new_zipfile_serialization=request.param == 'zip',
  )
  return path


def see(net, x):
  """Features, logits and the spatial features of images [N, H, W, 3]."""
  kept = {}
  keep = lambda name: lambda module, args, out: kept.update({name: out})
  hooks = [
    net.avgpool.register_forward_hook(keep('features')),
    net.Mixed_6d.branch1x1.register_forward_hook(keep('spatial')),
  ]
  with torch.no_grad():
    logits = net(torch.from_numpy(x.transpose(0, 3, 1, 2)).contiguous())
  for hook in hooks:
    hook.remove()
  spatial = kept['spatial'][:, :7].permute(0, 2, 3, 1).flatten(1)
  features = kept['features'].flatten(1)
  return [y.numpy() for y in (features, logits, spatial)]


@functools.cache
def our_net():
  return jax.jit(lambda p, x: inception.Inception().apply({'params': p}, x))


def test_names_and_shapes_of_the_checkpoint(net):
  ours = inception_weights.checkpoint_shapes(inception.shapes())
  theirs = {
    k: tuple(x.shape)
    for k, x in net.state_dict().items()
    if not k.endswith('num_batches_tracked')
  }
  assert ours == theirs
  assert sum(p.numel() for p in net.parameters()) == 23_850_960


def test_reader_reads_what_torch_saved(net, path):
  ours, theirs = torch_checkpoint.read(path), net.state_dict()
  assert list(ours) == list(theirs)
  for name, x in ours.items():
    np.testing.assert_array_equal(x, theirs[name].numpy())


def test_pytorch_fid_sees_the_same(net, path):
  arrays = inception_weights.read(path, inception.shapes())
  params = traverse_util.unflatten_dict(arrays, sep='/')
  x = test_inception.random_images(3, 299)
  ours = [np.asarray(y) for y in our_net()(params, x)]
  for name, a, b in zip(
    ('features', 'logits', 'spatial'), ours, see(net, x), strict=True
  ):
    assert a.shape == b.shape
    absolute = np.abs(a - b).max()
    relative = absolute / b.std()
    assert absolute < 1e-4 and relative < 1e-4, (name, absolute, relative)


def test_frozen_figures_are_those_of_pytorch_fid(net):
  found = see(net, test_inception.random_images(2, test_inception.SIDE))
  for got, want in zip(found, test_inception.FROZEN.values(), strict=True):
    test_inception.close(test_inception.summary(got), want)


def test_torch_fidelity_sees_the_same(path, monkeypatch):
  # From small 8-bit images: resizing and scaling are in it.
  from torch_fidelity import feature_extractor_inceptionv3 as theirs

  asked = ['2048', 'logits_unbiased', 'logits']
  extractor = theirs.FeatureExtractorInceptionV3(
    'inception-v3-compat', asked, feature_extractor_weights_path=str(path)
  )
  x = np.random.default_rng(1).integers(0, 256, (2, 32, 40, 3), np.uint8)
  with torch.no_grad():
    want = extractor(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
  features, unbiased, logits = (y.numpy() for y in want)
  monkeypatch.setattr(inception, 'BATCH', 1)
  quiet = lambda line: None
  seen = inception.load(str(path), say=quiet).apply(x)
  biased = inception.load(str(path), biased=True, say=quiet).apply(x)
  np.testing.assert_allclose(seen.features, features, atol=1e-4)
  softmax = lambda y: np.asarray(jax.nn.softmax(y))
  np.testing.assert_allclose(seen.probabilities, softmax(unbiased), rtol=1e-3)
  np.testing.assert_allclose(biased.probabilities, softmax(logits), rtol=1e-3)


@pytest.mark.parametrize('side', [32, 100, 299, 512])
def test_tf_resizing(side):
  from torch_fidelity import interpolate_compat_tensorflow as theirs

  x = np.random.default_rng(2).integers(0, 256, (2, side, side + 5, 3))
  x = x.astype(np.float32)
  want = theirs.interpolate_bilinear_2d_like_tensorflow1x(
    torch.from_numpy(x.transpose(0, 3, 1, 2).copy()),
    size=(299, 299),
    align_corners=False,
  )
  want = want.numpy().transpose(0, 2, 3, 1)
  np.testing.assert_allclose(resize.tf_bilinear(x), want, atol=2e-4)


@pytest.mark.parametrize('side', [32, 299, 512])
def test_clean_resizing(side):
  from cleanfid import resize as theirs

  x = np.random.default_rng(3).integers(0, 256, (2, side, side, 3), np.uint8)
  resizer = theirs.build_resizer('clean')
  want = np.stack([resizer(image) for image in x])
  np.testing.assert_array_equal(resize.clean(x), want)
