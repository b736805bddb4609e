"""A trial of the controller on a real cluster: the same load on zones that it moves and on zones that stay."""
