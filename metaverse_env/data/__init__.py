"""Tables that ship with the package; each is rebuilt by the command that it carries inside."""
