"""How close a learned world is to the one it stands for: its looks, what an allocation changes, who does best in it.

The physics is the reference, since only of it everything can be known. Beside every distance stands the one between two
runs of the physics that differ in the noise alone: what is not larger than that says nothing.
"""
