"""The fusion methods, one file each."""
