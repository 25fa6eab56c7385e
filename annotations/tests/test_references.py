"""Which reference bundles are offered."""

from typing import Any

from annotations import references
from annotations.tests.bundles import write_bundle


def labels() -> list[str]:
    return [references.label(bundle) for bundle in references.available()]


def test_the_newest_version_of_each_name_comes_first(settings: Any):
    for name, version in [("GRCh38", "9"), ("GRCh38", "110"), ("GRCh37", "87"), ("GRCh38", "110.1")]:
        write_bundle(settings.REFERENCES_DIR, name, version)
    assert labels() == ["GRCh37/87", "GRCh38/110.1", "GRCh38/110", "GRCh38/9"]


def test_a_broken_bundle_is_left_out_and_the_others_stay(settings: Any, caplog: Any):
    write_bundle(settings.REFERENCES_DIR)
    (write_bundle(settings.REFERENCES_DIR, "broken") / "manifest.json").write_text("{")
    assert labels() == ["demo/1"]


def test_a_bundle_in_a_folder_of_another_name_is_left_out(settings: Any):
    folder = write_bundle(settings.REFERENCES_DIR, "GRCh38", "110")
    folder.rename(folder.with_name("111"))
    assert labels() == []


def test_a_bundle_that_is_being_built_is_not_offered(settings: Any):
    folder = write_bundle(settings.REFERENCES_DIR)
    folder.rename(folder.with_name(".1.building"))
    assert labels() == []


def test_no_folder_of_references_is_no_error(settings: Any, tmp_path: Any):
    settings.REFERENCES_DIR = tmp_path / "none"
    assert labels() == []


def test_a_reference_is_found_by_name_and_version(settings: Any):
    write_bundle(settings.REFERENCES_DIR)
    found = references.find("demo/1")
    assert found is not None and found.description == "A small genome."
    assert references.find("demo/2") is None
