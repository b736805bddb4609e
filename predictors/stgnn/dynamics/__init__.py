"""The learned dynamics: a network that stands in for demand and service of the simulator."""
