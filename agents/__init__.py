"""Who decides: classical controllers and learned agents behind one contract, :class:`metaverse_env.contracts.Policy`.

Agents know worlds only by that contract and never import the bridges. Nothing is imported with the package itself.
"""
