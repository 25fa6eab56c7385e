"""Fetch reference bundles: recipes that name official addresses in, a built bundle out."""
