"""DynamoDB as a database of Django's: `ENGINE = "annotations.dynamodb"`. docs/dynamodb.md says how to use it.

It knows nothing of the rest of the project. What each file does:

base            the connection, its options, and what autocommit means for `atomic`
client          the AWS command line as `manage.py dbshell`
requests        requests to DynamoDB: timeouts, retries, errors in Django's terms
attributes      values of model fields as attributes of items, and back
expressions     expressions (F, Value, arithmetic, functions), computed from an item
lookups         lookups (`field__lt=3`) as predicates
predicates      three-valued logic: judged here, and as far as possible by DynamoDB too
planner         which key, index or scan answers a query
reads, writes   plans carried out; each write is one conditional request
compiler        a QuerySet's query, executed
aggregates      Count, Min, Max, Sum, Avg
indexes         which of a model's indexes are global secondary indexes, and of what form
schema          tables and indexes for migrations
operations, features, creation, introspection, validation    as in every backend of Django's
"""
