"""How many samples a second each encoder takes, and in how much memory."""
