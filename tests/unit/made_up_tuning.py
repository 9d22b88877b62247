"""Made-up instances of a search, for tests that train nothing."""

from __future__ import annotations

from fusion.training.tuning.instance import Instance, InstanceResult, InstanceTask, InstanceTraining, Trained

TRAINING = InstanceTraining("funfusean", steps=7)


def made_up_result(
    lambda_: float = 0.99,
    gamma_ssim: float = 0.5,
    gamma_l2: float = 0.5,
    ssim: tuple[float, float] = (0.25, 0.25),
    l2: tuple[float, float] = (0.01, 0.01),
    background: float | None = 0.0,
    shift: float | None = 0.0,
    error: str | None = None,
    stage: str = "grid",
) -> InstanceResult:
    """Return a row of the table; by default balanced and clean."""
    instance = Instance(lambda_, gamma_ssim, gamma_l2)
    if error is not None:
        return InstanceResult(instance, stage, {}, {}, error=error)
    losses = {"total": 0.1, "ssim_mri": ssim[0], "ssim_pet": ssim[1], "l2_mri": l2[0], "l2_pet": l2[1]}
    brightness = {"background": background, "shift": shift, "frame": 0.0}
    return InstanceResult(instance, stage, losses, brightness, 2.0)


def trained(instance: Instance) -> Trained:
    """Return what a network might come to: balanced at γ = (0.42, 0.5), bright at λ above 0.999."""
    tilt_ssim, tilt_l2 = 0.4 * (instance.gamma_ssim - 0.42), 0.02 * (instance.gamma_l2 - 0.5)
    loss = 0.3 - 0.1 * instance.lambda_ + tilt_ssim**2
    losses = {
        "total": loss,
        "ssim_mri": loss - tilt_ssim,
        "ssim_pet": loss + tilt_ssim,
        "l2_mri": 0.015 - tilt_l2,
        "l2_pet": 0.015 + tilt_l2,
    }
    shift = 0.3 if instance.lambda_ > 0.999 else 0.05
    return Trained(losses, {"background": 0.001, "shift": shift, "frame": 0.002}, 1.5)


def train_made_up(task: InstanceTask) -> Trained:
    """Stand in for the training on workers; those with γ_ssim 0.1 fail."""
    if task.instance.gamma_ssim == 0.1:
        raise RuntimeError("made to fail")
    return trained(task.instance)
