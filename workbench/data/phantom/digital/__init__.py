"""Digital attacks on phantom faces: morphs, swaps, re-enactment, local edits, and the traces of processing."""
