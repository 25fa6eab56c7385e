"""Plots of the rows that a filter finds: the numbers are counted here, and drawn by the browser."""
