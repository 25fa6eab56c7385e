"""Filters that are asked for again and again, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from annotations.results.vocabulary import CODING_CONSEQUENCES


@dataclass(frozen=True)
class Preset:
    """A named filter, as parameters. `needs` names those that whoever uses it has to add."""

    label: str
    description: str
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        return urlencode(self.parameters, doseq=True)


PRESETS: dict[str, Preset] = {
    "rare-and-damaging": Preset(
        "Rare and damaging",
        "high or moderate impact, and a population frequency of 1 % at most, or none known",
        {"impact": ["HIGH", "MODERATE"], "max_frequency": ["0.01"]},
    ),
    "clinvar-pathogenic": Preset(
        "ClinVar pathogenic",
        "pathogenic or likely pathogenic by ClinVar",
        {"significance": ["pathogenic", "likely_pathogenic"]},
    ),
    "novel-coding": Preset(
        "Novel coding",
        "changes a coding sequence, and in no source of known variants",
        {"known": ["novel"], "consequence": CODING_CONSEQUENCES},
    ),
    "de-novo": Preset(
        "De novo in a trio",
        "carried by the child, and both parents are called without it",
        needs=("child", "mother", "father"),
    ),
}
