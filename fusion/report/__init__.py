"""Results of trainings, put together for people: Table 1, loss curves, fused images, model cards."""
