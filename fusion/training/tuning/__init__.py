"""The search for λ and both γ of equation 4 (paper, section 4.6): what is trained, where, and what is chosen."""
