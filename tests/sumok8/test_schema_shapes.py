"""The API's description says what an answer holds, everywhere."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

Schema = dict[str, Any]


@pytest.fixture
def schema(client: Client, db: None) -> Schema:
    return json.loads(client.get("/schema").content)


def vague(part: Any, where: str = "") -> Iterator[str]:
    """Places that say no more than "some value", "some object" or "a list of something"."""
    if isinstance(part, list):
        for number, inner in enumerate(part):
            yield from vague(inner, f"{where}/{number}")
    if not isinstance(part, dict):
        return
    if "$ref" in part:
        return
    types = part.get("type", [])
    types = [types] if isinstance(types, str) else types
    if "object" in types and not part.get("properties") and not isinstance(part.get("additionalProperties"), dict):
        yield where
    if isinstance(part.get("additionalProperties"), dict):
        yield from vague_value(part["additionalProperties"], f"{where}/*")
    if "array" in types:
        yield from vague_value(part.get("items", {}), f"{where}/[]")
    for name, inner in part.get("properties", {}).items():
        yield from vague_value(inner, f"{where}/{name}")
    for word in ("oneOf", "anyOf", "allOf"):
        yield from vague(part.get(word, []), f"{where}/{word}")


def vague_value(part: Schema, where: str) -> Iterator[str]:
    if not part.keys() & {"type", "$ref", "oneOf", "anyOf", "allOf", "enum", "const"}:
        yield where
    else:
        yield from vague(part, where)


def named(schema: Schema, part: Schema) -> Schema:
    return schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[-1]]


def test_no_answer_is_a_vague_object(schema: Schema) -> None:
    found = []
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            for status, answer in operation.get("responses", {}).items():
                for content in answer.get("content", {}).values():
                    found += vague_value(content["schema"], f"{method} {path} {status}")
    # What SUMO's options may be is said in words; details of an error differ by its code.
    for name, part in schema["components"]["schemas"].items():
        found += [where for where in vague(part, name) if not where.endswith("/options/*")]
    assert found == []


def test_results_are_an_object_with_its_fields(schema: Schema) -> None:
    answer = schema["paths"]["/jobs/{job_id}/results"]["get"]["responses"]["200"]["content"]["application/json"]
    described = named(schema, answer["schema"])
    assert described["type"] == "object"
    assert {"job_id", "complete", "kpis", "warnings", "errors", "files"} <= described["properties"].keys()


def test_outputs_are_listed_with_those_of_every_job(schema: Schema) -> None:
    body = schema["paths"]["/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    outputs = named(schema, body)["properties"]["outputs"]
    assert {"fcd", "edgedata", "tripinfo", "summary", "statistics"} <= set(named(schema, outputs["items"])["enum"])
    assert "those of every job: statistics, summary, tripinfo." in outputs["description"]
