"""Damaged files without number, for whoever reads them; run by ``make fuzz`` and not with the other tests."""
