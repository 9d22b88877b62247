"""What trainings left behind, put together for people: Table 1, loss curves, fused images, model cards."""
