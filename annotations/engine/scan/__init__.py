"""Check an upload and lay it out for annotation; htslib is no validator, so this is our own."""
