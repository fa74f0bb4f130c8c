"""The description: complete, sound, and true to what is answered."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app.api.openapi import api_rules, describe
from tests.api.conftest import Client

Json = dict[str, Any]


@pytest.fixture
def spec(stranger: Client) -> Json:
    found: Json = stranger.get("/openapi.json").get_json()
    return found


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {str(value["$ref"])} if "$ref" in value else set()
        return own.union(*(references(one) for one in value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def fits(value: object, schema: Json, spec: Json) -> bool:
    """Whether a value is what a schema of ours says; enough of JSON Schema for what we use."""
    if "$ref" in schema:
        return fits(value, spec["components"]["schemas"][schema["$ref"].rsplit("/")[-1]], spec)
    if "anyOf" in schema:
        return any(fits(value, one, spec) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kinds = {"string": str, "integer": int, "number": (int, float), "null": type(None),
             "boolean": bool, "array": list, "object": dict}  # fmt: skip
    if not isinstance(value, kinds[schema["type"]]):  # type: ignore[arg-type]
        return False
    if isinstance(value, list):
        return all(fits(one, schema["items"], spec) for one in value)
    if isinstance(value, dict) and "additionalProperties" in schema:
        return all(fits(one, schema["additionalProperties"], spec) for one in value.values())
    if isinstance(value, dict) and "properties" in schema:
        known, least = schema["properties"], set(schema["required"])
        is_shaped = least <= value.keys() <= known.keys()
        return is_shaped and all(fits(value[k], known[k], spec) for k in value)
    return True


def test_every_route_is_described_once(app: Flask, spec: Json) -> None:
    described = {
        operation["operationId"] for path in spec["paths"].values() for operation in path.values()
    }

    assert spec["openapi"].startswith("3.1.")
    assert len(described) == sum(len(path) for path in spec["paths"].values())
    assert len(described) == len(list(api_rules(app)))


def test_every_reference_leads_somewhere(spec: Json) -> None:
    kinds = ("schemas", "examples")
    known = {f"#/components/{kind}/{name}" for kind in kinds for name in spec["components"][kind]}

    assert references(spec) <= known


def test_every_operation_says_what_it_does_and_refuses(spec: Json) -> None:
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert {"429", "500"} <= operation["responses"].keys()
            assert ("401" in operation["responses"]) >= ("security" in operation)


def test_answers_are_what_the_description_says(
    spec: Json, as_bob: Client, readable: dict[str, str]
) -> None:
    for described, address in readable.items():
        answer = spec["paths"][described]["get"]["responses"]["200"]
        schema = answer["content"]["application/json"]["schema"]
        assert fits(as_bob.get(address).get_json(), schema, spec), described
    assert len(readable) >= 20


def contents(spec: Json) -> Iterator[tuple[str, str, Json]]:
    """Each answer that has a body: where, its status, what the description says of the body."""
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                if "content" in answer:
                    yield f"{method} {path}", status, answer["content"]["application/json"]


def test_every_answer_has_an_example_that_fits(spec: Json) -> None:
    seen = 0
    for where, status, content in contents(spec):
        if status < "300":
            assert fits(content["example"], content["schema"], spec), where
            seen += 1
    assert seen >= 20


def test_every_refusal_has_an_example_that_fits(spec: Json) -> None:
    for where, status, content in contents(spec):
        if status < "300" or "examples" not in content:
            continue
        said = spec["paths"][where.partition(" ")[2]][where.partition(" ")[0]]["responses"][status]
        assert set(content["examples"]) == set(re.findall(r"`(\w+)`", said["description"])), where
        for code, example in content["examples"].items():
            shown = example.get("value") or spec["components"]["examples"][code]["value"]
            shape = spec["components"]["schemas"]["Error"]["properties"]["error"]
            assert fits(shown["error"], shape, spec), (where, code)
            assert shown["error"]["code"] == code
            assert len(shown) > 1, (where, code)


def test_every_example_says_something(spec: Json) -> None:
    silent = [where for where, _status, content in contents(spec) if "…" in str(content)]

    assert silent == [], "give the fields of these answers a value in app/api/example_values.py"
    assert "…" not in str(spec["components"])


def test_description_is_english_whoever_asks_first(app: Flask) -> None:
    asked = Client(app.test_client()).get("/openapi.json", headers={"Accept-Language": "ko"})

    example = asked.get_json()["components"]["examples"]["not_found"]["value"]
    assert example["error"]["message"] == "Not found."


def test_description_is_the_same_each_time(app: Flask, spec: Json) -> None:
    assert json.loads(json.dumps(describe(app))) == spec
