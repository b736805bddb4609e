"""Controllers that learn: one policy for every zone, trained with Stable-Baselines3, run with NumPy alone."""
