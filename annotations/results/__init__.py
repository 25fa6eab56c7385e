"""What a finished job has to show: its files, its variants as rows, plots of them, and exports."""
