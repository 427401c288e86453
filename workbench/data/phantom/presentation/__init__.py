"""Attacks on presentation: prints, screens, masks and partial attacks, in RGB, depth and near-infrared alike."""
