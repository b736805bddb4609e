"""Who may act, and when: the controller around a policy.

:mod:`.states` is the state machine, a pure function; :mod:`.cycle` what is done in every tick, in order;
:mod:`.running` the process around it. A policy comes as a name for an entry point, never as an import.
"""
