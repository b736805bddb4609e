"""The spatio-temporal graph network for any panel: a linear skip, and what a network adds to it."""
