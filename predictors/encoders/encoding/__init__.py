"""The work of the commands of ``metaverse encode``."""
