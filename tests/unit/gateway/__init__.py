"""The hospital edge, without its log."""
