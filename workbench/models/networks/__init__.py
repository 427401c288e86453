"""Networks as torch modules, one file per architecture."""
