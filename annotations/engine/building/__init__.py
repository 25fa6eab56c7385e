"""Build a reference bundle from a FASTA, a GFF3 and known-variant VCFs."""

from annotations.engine.building.build import BundleRecipe, build_bundle
from annotations.engine.building.known import KnownInput

__all__ = ["BundleRecipe", "KnownInput", "build_bundle"]
