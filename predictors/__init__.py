"""What is believed about the future: the networks behind the default forecaster and the learned dynamics.

They are trained here with torch and exported to ONNX, so that the environments run them without torch. Nothing is
imported with the package itself.
"""
