"""What variants do, where they lie, and how well they are known."""

from annotations.results.conditions import frequency_sql
from annotations.results.plots.numbers import Bins, Counting, Drawing, Numbers
from annotations.results.vocabulary import CONSEQUENCES, IMPACT_LEVELS

_NOT_ANNOTATED = "not annotated"
_DENSITY_BINS = 60  # on the longest contig
_MOST_CONTIGS = 40
_FREQUENCIES = Bins(
    (1e-300, 0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5),
    ("0", "under 0.0001", "0.0001 to 0.001", "0.001 to 0.005", "0.005 to 0.01", "0.01 to 0.05",
     "0.05 to 0.1", "0.1 to 0.25", "0.25 to 0.5", "0.5 and over"),
)  # fmt: skip


def consequences(counting: Counting) -> Numbers:
    found = counting.rows("consequence, impact, count(*)", "GROUP BY ALL")
    order = {term: rank for rank, term in enumerate(CONSEQUENCES)}
    rows = sorted(found, key=lambda row: order.get(row[0], len(order)))
    named = [
        ((term or _NOT_ANNOTATED).replace("_", " "), impact or "", count) for term, impact, count in rows
    ]
    most = max(named, key=lambda row: row[2], default=None)
    summary = f"{len(named)} consequences; the most frequent is {most[0]} with {most[2]:,}." if most else ""
    drawing = Drawing(horizontal=True, logarithmic=True)
    return Numbers(("Consequence", "Impact", "Alleles"), named, summary, drawing)


def impacts(counting: Counting) -> Numbers:
    found = dict(counting.rows("impact, count(*)", "GROUP BY ALL"))
    rows = [(impact.lower(), found.get(impact, 0)) for impact in IMPACT_LEVELS]
    if found.get(None):
        rows.append((_NOT_ANNOTATED, found[None]))
    summary = ", ".join(f"{count:,} {name}" for name, count in rows) + "."
    return Numbers(("Impact", "Alleles"), rows, summary, Drawing(logarithmic=True))


def known(counting: Counting) -> Numbers:
    sources = counting.layout.sources
    is_known = " OR ".join(f'coalesce("{source}", false)' for source in sources) or "false"
    found = counting.rows(f"impact, count(*) FILTER ({is_known}), count(*)", "GROUP BY ALL")
    by_impact = {impact: (with_id, total - with_id) for impact, with_id, total in found}
    rows = [
        ((impact or _NOT_ANNOTATED).lower(), *by_impact[impact])
        for impact in (*IMPACT_LEVELS, None)
        if impact in by_impact
    ]
    with_id, without = sum(row[1] for row in rows), sum(row[2] for row in rows)
    share = f" ({100 * with_id / (with_id + without):.1f} %)" if with_id + without else ""
    summary = f"{with_id:,} known{share}, {without:,} novel."
    return Numbers(("Impact", "Known", "Novel"), rows, summary, Drawing("stack"))


def chromosomes(counting: Counting) -> Numbers:
    found = dict(counting.rows("chrom, count(*)", "GROUP BY chrom"))
    rows = [
        (contig.chrom, found[contig.chrom], round(found[contig.chrom] * 1e6 / contig.last_position, 1))
        for contig in counting.layout.contigs
        if contig.chrom in found
    ]
    summary = f"{sum(row[1] for row in rows):,} alleles on {len(rows)} contigs."
    drawing = Drawing(zoomable=len(rows) > _MOST_CONTIGS)
    return Numbers(("Contig", "Alleles", "Alleles per million bases"), rows, summary, drawing)


def density(counting: Counting) -> Numbers:
    contigs = sorted(counting.layout.contigs, key=lambda contig: -contig.last_position)[:_MOST_CONTIGS]
    width = _round_width(max((contig.last_position for contig in contigs), default=1) / _DENSITY_BINS)
    found = counting.rows(f"chrom, (pos - 1) // {width} AS bin, count(*)", "GROUP BY ALL")
    order = {contig.chrom: rank for rank, contig in enumerate(counting.layout.contigs)}
    shown = {contig.chrom for contig in contigs}
    rows = sorted((row for row in found if row[0] in shown), key=lambda row: (order[row[0]], row[1]))
    named = [(chrom, int(place) * width + 1, (int(place) + 1) * width, count) for chrom, place, count in rows]
    fullest = max(named, key=lambda row: row[3], default=None)
    summary = (
        f"In stretches of {width:,} bases; the fullest is {fullest[0]}:{fullest[1]:,}-{fullest[2]:,} "
        f"with {fullest[3]:,}."
        if fullest
        else ""
    )
    return Numbers(("Contig", "Start", "End", "Alleles"), named, summary, Drawing("dots", x_title="Position"))


def frequencies(counting: Counting) -> Numbers:
    frequency = frequency_sql(counting.layout, None)
    found = counting.rows(f"{_FREQUENCIES.sql(frequency)}, count(*)", "GROUP BY ALL") if frequency else []
    rows = _FREQUENCIES.counted(found, "not known")
    rare = sum(count for name, count in rows[:5])
    summary = f"{rare:,} alleles with a frequency under 1 %." if frequency else "No frequencies are known."
    return Numbers(("Population frequency", "Alleles"), rows, summary, Drawing())


def _round_width(width: float) -> int:
    """1, 2 or 5 times a power of ten, not under `width`.

    >>> _round_width(3_300_000), _round_width(61), _round_width(0.2)
    (5000000, 100, 1)
    """
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= width:
                return step * power
        power *= 10
