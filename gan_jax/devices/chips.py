"""What chips can do at most, from their vendors' data sheets.

The roofline of S. Williams et al. (2009), https://doi.org/10.1145/1498765.1498785:
a program takes at least as long as its operations take at the chip's peak, and
at least as long as its bytes take to and from the chip's memory.

`bfloat16` is dense, on tensor cores or matrix units. `float32` is what JAX's
default precision does with float32: one pass in bfloat16 on a TPU, TF32 on the
tensor cores of NVIDIA's since A100. NVIDIA's pages give tensor cores' figures
with sparsity, which are twice those here.
"""

from typing import NamedTuple

TPU = 'https://cloud.google.com/tpu/docs/'
NVIDIA = 'https://www.nvidia.com/en-us/data-center/'
GB, GIB = 10**9, 2**30  # Google's GB are GiB, as libtpu counts them


class Chip(NamedTuple):
  """A chip.

  bfloat16, float32: operations a second, see above.
  bandwidth: bytes a second of its memory, whose size in bytes is `memory`.
  source: where the vendor says so.
  libtpu, host, axes: of a TPU: its name in libtpu, the accelerator type of one
    host of it, and how many numbers the shape of a slice has.
  """

  name: str
  bfloat16: float
  float32: float
  bandwidth: float
  memory: int
  source: str
  libtpu: str = ''
  host: str = ''
  axes: int = 0

  def seconds(self, flops: float, nbytes: float, dtype: str) -> float:
    """The least time of so many operations and bytes.

    Args:
      flops: operations.
      nbytes: to and from the memory.
      dtype: 'bfloat16' or 'float32'.
    """
    return max(flops / getattr(self, dtype), nbytes / self.bandwidth)


CHIPS = (
  Chip('v4', 275e12, 275e12, 1200e9, 32 * GIB, TPU + 'v4', 'v4', 'v4-8', 3),
  Chip('v5e', 197e12, 197e12, 819e9, 16 * GIB, TPU + 'v5e', 'v5e',
       'v5litepod-4', 2),
  Chip('v5p', 459e12, 459e12, 2765e9, 95 * GIB, TPU + 'v5p', 'v5p', 'v5p-8', 3),
  Chip('v6e', 918e12, 918e12, 1638e9, 32 * GIB, TPU + 'v6e', 'v6e', 'v6e-4', 2),
  Chip('L4', 121e12, 60e12, 300e9, 24 * GB, NVIDIA + 'l4/'),
  Chip('A100-80GB', 312e12, 156e12, 2039e9, 80 * GB, NVIDIA + 'a100/'),
  Chip('H100-SXM', 989e12, 495e12, 3350e9, 80 * GB, NVIDIA + 'h100/'),
  Chip('H200-SXM', 989e12, 495e12, 4800e9, 141 * GB, NVIDIA + 'h200/'),
)  # fmt: skip
