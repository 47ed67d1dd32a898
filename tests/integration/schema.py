# SPDX-License-Identifier: EUPL-1.2
"""What docs/api/openapi.yaml uses of JSON Schema (2020-12), in both directions: whether a value is
one, and values that are, or nearly are."""
import json
import re
import string

TYPES = {"string": str, "integer": int, "object": dict, "array": list, "boolean": bool,
         "null": type(None), "number": (int, float)}
ODD = ["", "\0", "\n", "\u2028", "é", "\U0001f600", "a" * 300, "a" * 5000, "../../etc/passwd", "%00", "%n%s",
       "' OR 1=1 --", "<script>", "{{7*7}}", "${jndi:x}", "-1", "0", "1", "9223372036854775808",
       "1e400", "null", "true", "\ud800", "\u202e", "x\x7f", "; drop table alert", "\\", "\"", "*",
       "2026-12-23T21:47:00Z", "-7d"]


def resolve(document, schema):
    while "$ref" in schema:
        found = document
        for word in schema["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        schema = found
    return schema


def is_type(value, name):
    return isinstance(value, TYPES[name]) and not (isinstance(value, bool) and name != "boolean")


def wrong(document, schema, value, at="$"):
    """The first thing that is wrong, or None."""
    schema = resolve(document, schema)
    if "oneOf" in schema:
        fits = [s for s in schema["oneOf"] if wrong(document, s, value, at) is None]
        return None if len(fits) == 1 else f"{at}: {len(fits)} of oneOf fit"
    if "const" in schema and value != schema["const"]:
        return f"{at}: not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{at}: {value!r} is not in {schema['enum']}"
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_type(value, name) for name in names):
        return f"{at}: {value!r:.80} is no {names}"
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            return f"{at}: {value!r} is not like {schema['pattern']}"
        return None
    if isinstance(value, list):
        for number, inner in enumerate(value):
            found = wrong(document, schema.get("items", {}), inner, f"{at}[{number}]")
            if found:
                return found
    if isinstance(value, dict):
        return wrong_object(document, schema, value, at)
    if isinstance(value, int) and value < schema.get("minimum", value):
        return f"{at}: {value} is below {schema['minimum']}"
    return None


def wrong_object(document, schema, value, at):
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            return f"{at}.{name} is missing"
    if len(value) > schema.get("maxProperties", len(value)):
        return f"{at} has too many members"
    more = schema.get("additionalProperties", True)
    for name, inner in value.items():
        if name not in properties and more is False:
            return f"{at}.{name} is not told"
        of = properties.get(name, more if isinstance(more, dict) else {})
        found = wrong(document, of, inner, f"{at}.{name}")
        if found:
            return found
    return None


def text(random, schema):
    if random.random() < 0.3:
        return random.choice(ODD)
    most = min(schema.get("maxLength", 20), 40)
    return "".join(random.choice(string.ascii_letters + string.digits + "-_ ")
                   for _ in range(random.randint(min(schema.get("minLength", 0), most), most)))


def anything(random, depth=0):
    kind = random.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return random.choice([None, True, False])
    if kind == 1:
        return random.choice([0, 1, -1, 2**31, 2**53, 2**63, -2**63 - 1, 10**30])
    if kind == 2:
        return random.choice([0.5, -0.0, 1e308])
    if kind < 5:
        return random.choice(ODD)
    if kind == 5:
        return [anything(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(ODD): anything(random, depth + 1) for _ in range(random.randrange(4))}


def value_of(document, schema, random, known=None):
    """One that fits, mostly; `known` has values that mean something, by the names of members."""
    schema = resolve(document, schema)
    if random.random() < 0.03:
        return anything(random)
    if "enum" in schema:
        return random.choice(schema["enum"])
    names = schema.get("type", "object")
    name = random.choice(names) if isinstance(names, list) else names
    if name == "object":
        found = {}
        for key, inner in schema.get("properties", {}).items():
            if key in schema.get("required", []) and random.random() < 0.95 or random.random() < 0.4:
                found[key] = random.choice(known[key]) if known and key in known and \
                    random.random() < 0.8 else value_of(document, inner, random, known)
        if random.random() < 0.05:
            found[random.choice(ODD)] = anything(random)
        return found
    if name == "array":
        return [value_of(document, schema.get("items", {}), random, known) for _ in range(random.randrange(4))]
    if name == "string":
        return text(random, schema)
    if name == "integer":
        return random.choice([0, 1, 2, 3, 7, 50, 500, 501, -1, 2**31, 2**63, 10**12])
    return {"boolean": random.random() < 0.5, "null": None}.get(name)


def as_bytes(value, random):
    """JSON, or what is nearly JSON."""
    data = json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    if random.random() < 0.04 and data:
        at = random.randrange(len(data))
        data = random.choice([data[:at], data[:at] + bytes([random.randrange(256)]) + data[at + 1:],
                              data + data, b"", b"[" * 500, b"{" * 500, data[:at] + data])
    return data
