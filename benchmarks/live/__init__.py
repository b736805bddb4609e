"""The live picture: the command `metaverse live`, and the site that shows it in browsers."""
