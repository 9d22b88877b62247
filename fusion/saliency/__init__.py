"""The input pixels that made a fused pixel: Jacobian images, guidance images, support radii."""
