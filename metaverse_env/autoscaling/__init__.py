"""What Kubernetes' autoscalers know about moving carefully, for controllers and for the bridge's shield alike.

Pure functions of numbers or arrays, held against Kubernetes' own unit tests: stabilisation windows
(:mod:`.stabilising`), rate policies in the shape of an autoscaler's ``behavior`` (:mod:`.behaviour`, :mod:`.shape`),
tolerances (:mod:`.tolerance`) and what follows an out-of-memory kill (:mod:`.memory`).
"""
