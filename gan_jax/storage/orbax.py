"""orbax.checkpoint, loaded at its first use.

It takes a quarter of a second to import, TensorStore with it, for which --help
and whoever only looks at the files of a run need not wait.
"""


def __getattr__(name: str):
  import orbax.checkpoint

  return getattr(orbax.checkpoint, name)
