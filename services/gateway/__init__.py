"""The hospital edge: translates messages both ways and decides nothing."""
