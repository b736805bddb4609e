"""Motion: recordings of a body in several layouts, one skeleton form, and a KAN that puts them beside sentences.

:mod:`.reading` gives a :class:`.skeleton.Motion` of a file or an array; :mod:`.frames` makes features of it;
:mod:`.network` embeds them with the layers of :mod:`.kan`; :mod:`.encoder` is the
:class:`metaverse_env.contracts.Encoder` around it.
"""
