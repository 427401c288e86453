"""What papers add and two or more studies share: explainers, training, perturbation tests."""
