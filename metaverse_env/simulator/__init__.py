"""The simulated metaverse: pure physics in small files, fused into one compiled loop by :mod:`.kernel`."""
