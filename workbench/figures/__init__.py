"""Results as matplotlib figures and as pages; nothing here computes a number."""
