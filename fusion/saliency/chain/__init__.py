"""Backward chains: the derivative of one fused pixel in a millisecond, without a forward pass and without autograd.

The idea
--------
A fused pixel y(i) depends on the pixels around i only, and for a fixed pair of images its derivative (paper,
equation 1) is a linear map: a product of what each layer does to a derivative. Going backward from y(i), a convolution
becomes its transpose, which spreads a window by the kernel's reach; batch norm becomes a factor for each channel; a
rectifier, a tanh or a fusion rule becomes a multiplication by its local derivative at each pixel. Only these local
derivatives depend on the images. They are computed once for a whole part of the image (*derivative maps*), and every
pixel asked for then costs a short list of small transposed convolutions and multiplications, on a window that begins
as one pixel and ends as wide as the support. Batches of pixels are batches of windows. For guidance images (equation 2)
only the diagonal dy(i)/dx(i) is wanted, so what cannot come back to the pixel any more is cut off: half of each window.

A compiler for one purpose
--------------------------
1. `graph`: the intermediate language. A network is a list of nodes (convolution, scale, sum, concatenation, pointwise,
   reduction over channels), each with the function that computes it, and `reaches` says how far each can see.
2. `trace`: the front end's ear. The network runs once on noise while torch's dispatcher is listened to, so that
   whatever Python it is written in, a flat list of torch's own operations is left. Sizes are handed out as numbers that
   refuse to be computed with, and decisions by values are refused.
3. `operations`, `rules`, `resizing`: the meaning of each operation, one rule after another; those that change an
   image's size become convolutions between grids. A network in which one has none is refused with the reason
   (`NotUnderstoodError`), and its derivatives are computed window by window instead.
4. `rewriting`: two optimisations of the graph.
5. `plan`: the back end. It goes through the graph backward and writes down `steps` between *slots*, which hold tensors
   (B, rows, columns, channels) whose middle is the fused pixel, how wide each must be, and which maps they multiply by.
   Factors of channels are moved into the weights of the next convolution.
6. `steps`, `grid_steps`, `transposing`: what is done, and how windows of one pixel, of any, or of a lattice are cut
   out of the maps (`Pixels`).

At work
-------
7. `maps`: the forward pass over tiles of the image, and the local derivatives that are kept of it: a byte for a
   rectifier, a float for all else.
8. `chain`: all of this for one network, precision and device: `Chain.jacobians`, `Chain.diagonals`.
9. `check`: before a chain is used it is compared in float64 with autograd on whole random images, at corners, borders
   and elsewhere. The rules need not be believed.
10. `cache`: chains by method, maps by pair, bounded in bytes, filled ahead of a pointer that moves on.
11. `windows` and `diagonals`: the doors for `fusion.saliency.jacobian` and `fusion.saliency.guidance`.
12. `threads` and `gpu`: single pixels on one thread of a processor or all, and as a captured graph of a GPU.

The border of the image needs no case of its own: maps are 0 outside, and where two convolutions follow each other with
nothing between them, a map of ones inside the image (`plan.INSIDE`) is multiplied by. Where a convolution reads
reflected or repeated pixels there, what comes from beyond the border is added to those pixels (`steps.Fold`).

`python -m benchmarks.chain_parts` prints what each optimisation gains, which their docstrings repeat.
"""
