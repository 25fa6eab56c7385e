"""Contig lengths of the genome builds that people use, to tell which one a file was made on.

The chromosomes' lengths in bases from the assembly reports of NCBI: GCF_000001405.12 (NCBI36), .13 (GRCh37),
.26 (GRCh38); GCF_000001635.20 (GRCm38), .27 (GRCm39). UCSC calls them hg18, hg19, hg38, mm10 and mm39.
"""

import re
from collections import Counter
from collections.abc import Mapping

_HUMAN = (*(str(number) for number in range(1, 23)), "X", "Y")
_MOUSE = (*(str(number) for number in range(1, 20)), "X", "Y")

# fmt: off
BUILDS: dict[str, dict[str, int]] = {
    "NCBI36": dict(zip(_HUMAN, (
        247_249_719, 242_951_149, 199_501_827, 191_273_063, 180_857_866, 170_899_992, 158_821_424,
        146_274_826, 140_273_252, 135_374_737, 134_452_384, 132_349_534, 114_142_980, 106_368_585,
        100_338_915, 88_827_254, 78_774_742, 76_117_153, 63_811_651, 62_435_964, 46_944_323, 49_691_432,
        154_913_754, 57_772_954,
    ), strict=True)),
    "GRCh37": dict(zip(_HUMAN, (
        249_250_621, 243_199_373, 198_022_430, 191_154_276, 180_915_260, 171_115_067, 159_138_663,
        146_364_022, 141_213_431, 135_534_747, 135_006_516, 133_851_895, 115_169_878, 107_349_540,
        102_531_392, 90_354_753, 81_195_210, 78_077_248, 59_128_983, 63_025_520, 48_129_895, 51_304_566,
        155_270_560, 59_373_566,
    ), strict=True)),
    "GRCh38": dict(zip(_HUMAN, (
        248_956_422, 242_193_529, 198_295_559, 190_214_555, 181_538_259, 170_805_979, 159_345_973,
        145_138_636, 138_394_717, 133_797_422, 135_086_622, 133_275_309, 114_364_328, 107_043_718,
        101_991_189, 90_338_345, 83_257_441, 80_373_285, 58_617_616, 64_444_167, 46_709_983, 50_818_468,
        156_040_895, 57_227_415,
    ), strict=True)),
    "GRCm38": dict(zip(_MOUSE, (
        195_471_971, 182_113_224, 160_039_680, 156_508_116, 151_834_684, 149_736_546, 145_441_459,
        129_401_213, 124_595_110, 130_694_993, 122_082_543, 120_129_022, 120_421_639, 124_902_244,
        104_043_685, 98_207_768, 94_987_271, 90_702_639, 61_431_566, 171_031_299, 91_744_698,
    ), strict=True)),
    "GRCm39": dict(zip(_MOUSE, (
        195_154_279, 181_755_017, 159_745_316, 156_860_686, 151_758_149, 149_588_044, 144_995_196,
        130_127_694, 124_359_700, 130_530_862, 121_973_369, 120_092_757, 120_883_175, 125_139_656,
        104_073_951, 98_008_968, 95_294_699, 90_720_763, 61_420_004, 169_476_592, 91_455_967,
    ), strict=True)),
}
# fmt: on

# What headers write of them, in ##reference, ##assembly and assembly=.
_SAID = {
    "NCBI36": re.compile(r"NCBI.?(Build)?.?36|hg18", re.IGNORECASE),
    "GRCh37": re.compile(r"GRCh37|hg19|hs37|\bb37|g1k_v37", re.IGNORECASE),
    "GRCh38": re.compile(r"GRCh38|hg38|hs38", re.IGNORECASE),
    "GRCm38": re.compile(r"GRCm38|mm10", re.IGNORECASE),
    "GRCm39": re.compile(r"GRCm39|mm39", re.IGNORECASE),
}


def build_by_lengths(lengths: Mapping[str, int | None]) -> str:
    """The build whose chromosomes have these lengths, by most of them; empty where none fits.

    >>> build_by_lengths({"chr21": 48_129_895})
    'GRCh37'
    """
    votes = Counter(
        build
        for name, length in lengths.items()
        for build, known in BUILDS.items()
        if length and known.get(name.removeprefix("chr")) == length
    )
    return votes.most_common(1)[0][0] if votes else ""


def build_by_text(text: str) -> str:
    """The build that a header's text names; empty where it names none, or several.

    >>> build_by_text("##reference=file:///data/hs37d5.fa")
    'GRCh37'
    """
    said = [build for build, pattern in _SAID.items() if pattern.search(text)]
    return said[0] if len(said) == 1 else ""
