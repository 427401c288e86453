"""The models: one file each, found because it is there.

A file holds ``CARD`` (no heavy imports) and ``load(path, device, backend)``.
"""
