"""Standardized uptake values of PET: activity by injected dose and body weight, so that 1 g/ml is the body's mean."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pydicom

SUV = "numbers are standardized uptake values (SUV by body weight)"


def uptake(header: pydicom.Dataset) -> tuple[float, str] | None:
    """Return by what the numbers of a DICOM file become uptake values, and what to say of them.

    SUV = activity (Bq/ml) · weight (g) / dose (Bq), the dose decayed to the time for which activity is given.

    Parameters
    ----------
    header : pydicom.Dataset
        Of any file.

    Returns
    -------
    tuple of (float, str) or None
        1 and the reason where the header does not allow it; ``None`` for what is not PET.
    """
    if str(header.get("Modality") or "") != "PT":
        return None
    units = str(header.get("Units") or "")
    if units == "GML":
        return 1.0, SUV
    if units != "BQML":
        return 1.0, f"numbers are {units or 'of an unknown unit'}, not uptake values"
    try:
        grams, dose = 1000 * _positive(header, "PatientWeight"), _decayed_dose(header)
    except ValueError as error:
        return 1.0, f"numbers are activities in Bq/ml, not uptake values: {error}"
    return grams / dose, SUV


def _decayed_dose(header: pydicom.Dataset) -> float:
    """Return the dose at the time for which activities are given, Bq."""
    sequence = header.get("RadiopharmaceuticalInformationSequence")
    if not sequence:
        raise ValueError("the header tells nothing of the tracer")
    tracer = sequence[0]
    dose = _positive(tracer, "RadionuclideTotalDose")
    corrected = [str(one) for one in _list(header.get("CorrectedImage"))]
    if not {"ATTN", "DECY"} <= set(corrected):
        raise ValueError("they are not corrected for attenuation and decay")
    decay = str(header.get("DecayCorrection") or "")
    if decay == "ADMIN":
        return dose
    if decay != "START":
        raise ValueError("the header does not say for which time decay was corrected")
    start = _scan_start(header)
    injected = _time(tracer.get("RadiopharmaceuticalStartDateTime"))
    if injected is None:
        injected = _time(f"{start:%Y%m%d}{tracer.get('RadiopharmaceuticalStartTime') or ''}")
        if injected is None:
            raise ValueError("the header does not say when the tracer was injected")
        if injected > start:  # before midnight
            injected -= timedelta(days=1)
    elapsed = (start - injected).total_seconds()
    if elapsed < 0:
        raise ValueError("the tracer was injected after the scan, as the header has it")
    return float(dose * 2 ** (-elapsed / _positive(tracer, "RadionuclideHalfLife")))


def _scan_start(header: pydicom.Dataset) -> datetime:
    """Return when the series began: its own time, unless that is when it was made of another one."""
    found = [
        _time(f"{header.get(f'{kind}Date') or ''}{header.get(f'{kind}Time') or ''}")
        for kind in ("Series", "Acquisition")
    ]
    known = [time for time in found if time is not None]
    if not known:
        raise ValueError("the header does not say when it was acquired")
    return min(known)


def _time(text: Any) -> datetime | None:
    """Return a time as DICOM writes it, seconds and their fractions if need be; ``None`` where it is none."""
    digits = str(text or "").split("+")[0].split(".")[0].strip()
    try:
        return datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S") if len(digits) >= 12 else None
    except ValueError:
        return None


def _positive(header: pydicom.Dataset, name: str) -> float:
    try:
        value = float(header.get(name) or 0)
    except (TypeError, ValueError):
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"the header has no {_WORDS[name]}")
    return value


def _list(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


_WORDS = {
    "PatientWeight": "body weight",
    "RadionuclideTotalDose": "dose",
    "RadionuclideHalfLife": "half-life",
}
