"""What DynamoDB can do, in the terms of Django's core, admin and tests."""

from django.db.backends.base.features import BaseDatabaseFeatures


class DatabaseFeatures(BaseDatabaseFeatures):
    minimum_database_version = None

    # One write is atomic; several are not. Blocks may be nested, and say when their writes can't be undone.
    atomic_transactions = False
    supports_transactions = False
    uses_savepoints = True
    can_rollback_ddl = False
    supports_atomic_references_rename = False

    # Written ids come back without another request.
    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    has_bulk_insert = True
    supports_ignore_conflicts = True

    # Values keep their Python types up to `attributes`.
    has_native_uuid_field = True
    has_native_duration_field = True
    has_native_json_field = False
    supports_timezones = False
    has_real_datatype = True
    supports_temporal_subtraction = True
    order_by_nulls_first = True
    supports_paramstyle_pyformat = False
    supports_comparing_boolean_expr = True

    # Not so, but then the backend's own refusal names the alternative.
    supports_over_clause = True
    supports_update_conflicts = True
    supports_update_conflicts_with_target = True

    # Nothing refers to another table.
    supports_foreign_keys = False
    can_introspect_foreign_keys = False
    supports_forward_references = False
    supports_subqueries_in_group_by = False
    allow_sliced_subqueries_with_in = False
    update_can_self_select = False
    delete_can_self_reference_subquery = False
    supports_select_union = False
    supports_select_intersection = False
    supports_select_difference = False
    supports_explaining_query_execution = False

    # Neither schema nor constraints beyond the key.
    supports_column_check_constraints = False
    supports_table_check_constraints = False
    can_introspect_check_constraints = False
    supports_deferrable_unique_constraints = False
    supports_nullable_unique_constraints = False
    supports_partially_nullable_unique_constraints = False
    supports_partial_indexes = True
    supports_functions_in_partial_indexes = False
    supports_expression_indexes = False
    supports_covering_indexes = False
    supports_expression_defaults = False
    supports_default_keyword_in_insert = False
    supports_default_keyword_in_bulk_insert = False
    supports_collation_on_charfield = False
    supports_collation_on_textfield = False
    supports_non_deterministic_collations = False
    supports_json_field_contains = False
    has_json_object_function = False
    supports_sequence_reset = False
    can_introspect_default = False
    can_introspect_json_field = False
    can_rename_index = False
    supports_regex_backreferencing = True
