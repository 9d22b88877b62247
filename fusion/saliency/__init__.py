"""Which input pixels made a fused pixel: Jacobian images, guidance images, support radii."""
