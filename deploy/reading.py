"""The CloudFormation templates, read as CloudFormation reads them."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent / "templates"
# In the order in which they are brought up: each imports only what those before it export.
NAMES = ("network", "messages", "storage", "data", "access", "web", "workers", "control", "observability")


class _Loader(yaml.SafeLoader):
    """Short forms of functions become the long ones: `!Ref x` is {"Ref": "x"}."""


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101  for the type checker
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _function)


@cache
def template(name: str) -> Any:
    return yaml.load((FOLDER / f"{name}.yaml").read_text(), _Loader)  # noqa: S506  a SafeLoader


def resources(name: str, kind: str | None = None) -> dict[str, Any]:
    """By logical id, those of one AWS type or all."""
    found: dict[str, Any] = template(name)["Resources"]
    return {key: value for key, value in found.items() if kind in {None, value["Type"]}}


def properties(name: str, logical_id: str) -> Any:
    return template(name)["Resources"][logical_id].get("Properties", {})


def every(kind: str) -> dict[str, Any]:
    """Resources of one type in all templates, by "template.LogicalId"."""
    return {f"{name}.{key}": value for name in NAMES for key, value in resources(name, kind).items()}


def plain(value: Any, **parameters: str) -> str:
    """A text with `${...}` filled in, as far as one can without an account."""
    filled = {
        "Service": "gas",
        "AWS::Partition": "aws",
        "AWS::Region": "eu-central-1",
        "AWS::AccountId": "111122223333",
    } | parameters
    if isinstance(value, dict):
        (function, argument), *_ = value.items()
        if function == "Ref":
            return filled.get(argument, f"<{argument}>")
        if function == "Fn::Sub":
            text = argument if isinstance(argument, str) else argument[0]
            for name, known in filled.items():
                text = text.replace(f"${{{name}}}", known)
            return str(text)
        if function == "Fn::ImportValue":
            return _exported(plain(argument, **parameters).removeprefix("gas-"))
        if function == "Fn::Join":
            return str(argument[0]).join(plain(part, **parameters) for part in argument[1])
        if function == "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
        raise ValueError(f"no meaning is known for {function}")
    return str(value)


def _exported(name: str) -> str:
    """What another template exports under this name, as the ARN of the resource where that is one."""
    arns = {
        "JobsTable": "arn:aws:dynamodb:eu-central-1:111122223333:table/gas-annotations_job",
        "ShardsTable": "arn:aws:dynamodb:eu-central-1:111122223333:table/gas-annotations_shard",
        "JobResultsTopic": "arn:aws:sns:eu-central-1:111122223333:gas-job-results",
    }
    return arns.get(name, f"<{name}>")


def exports(name: str) -> set[str]:
    outputs = template(name).get("Outputs", {}).values()
    return {plain(output["Export"]["Name"]) for output in outputs if "Export" in output}


def imports(value: Any) -> set[str]:
    """Names that a template, or a part of one, imports."""
    if isinstance(value, dict):
        found: set[str] = set()
        for key, part in value.items():
            found |= {plain(part)} if key == "Fn::ImportValue" else imports(part)
        return found
    if isinstance(value, list):
        return set().union(*map(imports, value))
    return set()
