"""Parameters of controllers searched for on training seeds, with the same budget for all."""
