"""Filters are read from the parameters of an address, and written back into them."""

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.results.filters import PARAMETERS, Genotype, Region, ResultFilter, Trio
from annotations.results.presets import PRESETS
from annotations.results.problems import FilterRefused
from annotations.results.vocabulary import CONSEQUENCES, IMPACT_LEVELS, SIGNIFICANCES, Novelty, Zygosity


def parsed(query: str) -> ResultFilter:
    return ResultFilter.parse(QueryDict(query))


def problems(query: str) -> list[str]:
    with pytest.raises(FilterRefused) as refused:
        parsed(query)
    return [str(problem) for problem in refused.value.problems]


def test_no_parameters_or_empty_ones_want_every_row():
    assert parsed("") == parsed("gene=&region=+&impact=&min_quality=") == ResultFilter()
    assert not parsed("gene=")


def test_every_parameter_is_read_as_its_type():
    assert parsed(
        "gene=APP,+SOD1&region=chr21:25,880,550-26,171,128+MT&consequence=missense_variant&impact=HIGH&impact=LOW"
        "&significance=pathogenic&known=novel&min_frequency=0&max_frequency=0.01&frequency_in=gnomad_AF"
        "&genotype=het:my+sample:1&child=C&mother=M&father=F&min_quality=30.5&filter=PASS&id=rs1*"
    ) == ResultFilter(
        genes=("APP", "SOD1"),
        regions=(Region("chr21", 25_880_550, 26_171_128), Region("MT")),
        consequences=("missense_variant",),
        impacts=("HIGH", "LOW"),
        significances=("pathogenic",),
        novelty=Novelty.NOVEL,
        min_frequency=0,
        max_frequency=0.01,
        frequency_column="gnomad_AF",
        genotypes=(Genotype(Zygosity.HET, "my sample:1"),),
        trio=Trio("C", "M", "F"),
        min_quality=30.5,
        filters=("PASS",),
        ids=("rs1*",),
    )


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("1", (Region("1"),)),
        ("1:5", (Region("1", 5, 5),)),
        ("1:1,000-2,000, X:7-8;Y", (Region("1", 1000, 2000), Region("X", 7, 8), Region("Y"))),
        ("HLA-A*01:01:01:1-20", (Region("HLA-A*01:01:01", 1, 20),)),
        ("HLA-A*01:01:01:01", (Region("HLA-A*01:01:01", 1, 1, "HLA-A*01:01:01:01"),)),
        ("HLA-C*07:01:01:14Q", (Region("HLA-C*07:01:01:14Q"),)),
    ],
)
def test_regions_are_read_as_people_write_them(text: str, regions: tuple[Region, ...]):
    assert ResultFilter.parse({"region": [text]}).regions == regions


def test_a_form_names_the_sample_and_its_genotype_apart():
    assert parsed("sample=NA1&zygosity=hom") == parsed("genotype=hom:NA1")
    assert parsed("sample=NA1&zygosity=") == ResultFilter()
    assert problems("zygosity=hom") == ["sample: expected the name of a sample beside zygosity; found none."]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("impact=HIHG", "impact: expected HIGH; found “HIHG”."),
        ("known=maybe", "known: expected one of known, novel; found “maybe”."),
        ("known=known+novel", "known: expected one value; found 2."),
        ("max_frequency=2", "max_frequency: expected a number from 0 to 1; found “2”."),
        ("min_quality=nan", "min_quality: expected a number of 0 or more; found “nan”."),
        ("min_frequency=0.5&max_frequency=0.1",
         "min_frequency: expected no more than max_frequency, which is 0.1; found 0.5."),
        ("region=1:9-3", "region: expected a start of 1 or more and an end not before it; found “1:9-3”."),
        ("region=1:0", "region: expected a start of 1 or more and an end not before it; found “1:0”."),
        ("genotype=NA1", "genotype: expected het|hom|ref|carrier|missing, a colon and a sample's name; "
         "found “NA1”."),
        ("mother=M&father=F", "child: expected the name of a sample, as child, mother and father are needed "
         "together; found none."),
        ("child=A&mother=A&father=B",
         "child: expected three different samples as child, mother and father; found one of them twice."),
        ("min_quality=1&min_quality=2", "min_quality: expected one value; found 2."),
        ("gen=APP", "gen: expected gene, perhaps; found a parameter of this name."),
        ("preset=rare", f"preset: expected one of {', '.join(PRESETS)}; found “rare”."),
        (f"gene={'A' * 201}", "gene: expected values of up to 200 characters; found 201."),
        (f"gene={','.join(map(str, range(501)))}", "gene: expected up to 500 values; found 501."),
        ("gene=a%00b", "gene: expected text without null characters; found one with them."),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_what_was_expected(query: str, problem: str):
    assert problems(query) == [problem]


def test_all_that_is_wrong_is_said_at_once():
    assert len(problems("impact=x&known=y&min_quality=z")) == 3


def test_a_preset_stands_for_its_parameters_where_they_are_not_given():
    assert parsed("preset=rare-and-damaging") == parsed("impact=HIGH&impact=MODERATE&max_frequency=0.01")
    assert parsed("preset=rare-and-damaging&max_frequency=0.001").max_frequency == 0.001


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_filter_that_can_be_used(name: str):
    needed = "&".join(f"{role}={role}" for role in PRESETS[name].needs)
    assert parsed(f"preset={name}&{needed}")


def test_every_parameter_of_a_filter_is_in_the_list():
    written = {name for name, _ in FULL.parameters()}
    assert written == set(PARAMETERS)


FULL = parsed(
    "gene=A&region=1:2-3&consequence=stop_gained&impact=HIGH&significance=benign&known=known&min_frequency=0"
    "&max_frequency=1&frequency_in=x&genotype=het:S&child=C&mother=M&father=F&min_quality=1&filter=PASS&id=rs1"
)

names = st.text("ABCxyz019_-.*:é'\"%", min_size=1, max_size=12)
samples = st.text("ABCxyz 019:é'\"%&=,", min_size=1, max_size=12).filter(lambda name: name == name.strip())
filters = st.builds(
    ResultFilter,
    genes=st.lists(names, max_size=3, unique=True).map(tuple),
    regions=st.lists(
        st.builds(Region, st.sampled_from(["1", "chrX", "GL000.1"]), st.just(5), st.integers(5, 2**31 - 1)),
        max_size=3,
        unique=True,
    ).map(tuple),
    consequences=st.lists(st.sampled_from(CONSEQUENCES), max_size=3, unique=True).map(tuple),
    impacts=st.lists(st.sampled_from(IMPACT_LEVELS), max_size=3, unique=True).map(tuple),
    significances=st.lists(st.sampled_from(sorted(SIGNIFICANCES)), max_size=3, unique=True).map(tuple),
    novelty=st.none() | st.sampled_from(Novelty),
    max_frequency=st.none() | st.floats(0, 1),
    genotypes=st.lists(st.builds(Genotype, st.sampled_from(Zygosity), samples), max_size=3, unique=True).map(
        tuple
    ),
    min_quality=st.none() | st.floats(0, 1e9),
    ids=st.lists(names, max_size=3, unique=True).map(tuple),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(filters)
def test_a_filter_is_read_back_from_its_own_address_as_it_was(one: ResultFilter):
    assert parsed(one.query(page=2).removesuffix("page=2").rstrip("&")) == one
