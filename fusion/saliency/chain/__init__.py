"""The derivative of a fixed pair's fused image as a chain of small transposed convolutions.

For a fixed pair the derivative is a linear map. What the forward pass decides (which rectifiers are on, the
derivatives of tanh and of the fusion rule) is kept once; the Jacobian images of a pixel are then a backward
chain that grows from that pixel, without any forward pass and without autograd. `tracing` derives the chain
from a network's own program, `keeping` keeps what it multiplies by, `steps` are what it does, `checking`
holds it against autograd before it is used. docs/architecture.md says how the files follow each other.
"""
