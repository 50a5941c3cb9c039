"""Writes the types, calls and errors of `sampo_client` from the contract in `schemas/`.

    python tools/generate_types.py            writes
    python tools/generate_types.py --check    writes nothing, ends with 1 when a file on disk differs
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1] / "src" / "sampo_client"
SCHEMAS = Path(__file__).parents[3] / "schemas"
HEADER = '"""Generated from schemas/ by tools/generate_types.py; do not edit."""\n\nfrom __future__ import annotations\n'
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "object": "dict[str, Any]"}


def type_name(method: str) -> str:
    """`segment/prompt` becomes `SegmentPrompt`, `$/progress` becomes `Progress`."""
    parts = method.replace("$/", "").replace(".", "/").split("/")
    return "".join(part[0].upper() + part[1:] for part in parts)


class TypeWriter:
    """Collects one class or alias for each object schema, named after the place where it stands."""

    def __init__(self) -> None:
        self.blocks: list[str] = []

    def annotation(self, schema: dict[str, Any], name: str) -> str:
        """The annotation of a schema; objects inside it become classes called after `name`."""
        if "$ref" in schema:
            return schema["$ref"].rsplit("/", 1)[1]
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
        alternatives = schema.get("oneOf") or schema.get("anyOf")
        if alternatives:
            options = [self.annotation(option, option.get("title", f"{name}{index}")) for index, option in enumerate(alternatives)]
            return f"Union[{', '.join(options)}]"
        kind = schema.get("type")
        if isinstance(kind, list):
            options = [self.annotation({**schema, "type": option}, name) for option in kind]
            return f"Union[{', '.join(options)}]"
        if kind == "array":
            return f"list[{self.annotation(schema['items'], f'{name}Item') if 'items' in schema else 'Any'}]"
        if kind == "object" and schema.get("properties"):
            self.typed_dict(schema, name)
            return name
        return SCALARS.get(kind, "Any")

    def typed_dict(self, schema: dict[str, Any], name: str) -> None:
        """A TypedDict; members that may be left out stand in a class of their own, as Python 3.10 has no NotRequired."""
        required = schema.get("required", [])
        rows: dict[bool, list[str]] = {True: [], False: []}
        for member, value in schema["properties"].items():
            annotation = self.annotation(value, name + member[0].upper() + member[1:])
            comment = f"  # {value['description']}" if "description" in value else ""
            rows[member in required].append(f"    {member}: {annotation}{comment}")
        doc = f'    """{schema["description"]}"""\n\n' if "description" in schema else ""
        if rows[True] and rows[False]:
            self.blocks.append(f"class _{name}Required(TypedDict):\n" + "\n".join(rows[True]))
            self.blocks.append(f"class {name}(_{name}Required, total=False):\n{doc}" + "\n".join(rows[False]))
        else:
            total = "" if rows[True] else ", total=False"
            self.blocks.append(f"class {name}(TypedDict{total}):\n{doc}" + "\n".join(rows[True] or rows[False]))

    def named(self, schema: dict[str, Any], name: str) -> None:
        """A schema that has a name: a class, or an alias where it is no object."""
        if "oneOf" not in schema and "anyOf" not in schema and schema.get("type") == "object" and schema.get("properties"):
            self.typed_dict(schema, name)
            return
        annotation = self.annotation(schema, name)
        comment = f"#: {schema['description']}\n" if "description" in schema else ""
        self.blocks.append(f"{comment}{name} = {annotation}")


def quoted(block: str) -> str:
    """Aliases are evaluated at import and may name what comes later, so they stand in quotes; annotations of classes are not."""
    head, equals, value = block.rpartition(" = ")
    if not equals or block.startswith("class "):
        return block
    return f'{head}: TypeAlias = "{value}"'


def types_module(common: dict[str, Any], methods: list[dict[str, Any]]) -> str:
    writer = TypeWriter()
    for name, schema in common.items():
        writer.named(schema, name)
    for method in methods:
        name = type_name(method["method"])
        writer.named(method["params"], f"{name}Params")
        if method.get("result"):
            writer.named(method["result"], f"{name}Result")
    body = "\n\n\n".join(quoted(block) for block in writer.blocks)
    return f"{HEADER}\nfrom typing import Any, Literal, TypeAlias, TypedDict, Union\n\n\n{body}\n"


def calls_module(methods: list[dict[str, Any]]) -> str:
    """One overload of `call` for each request, so that an editor knows params and result of each method."""
    requests = [m for m in methods if m["kind"] == "request" and m["direction"] == "client-to-server"]
    lines = [
        HEADER,
        "from typing import Any, Callable, Literal, Optional, overload\n",
        "from . import types_gen as types\n",
        "#: Hears the `value` of each `$/progress` of a request.",
        'OnProgress = Callable[["types.ProgressParamsValue"], None]\n',
        "#: Requests a client may send, as this client knows them.",
        "REQUESTS = frozenset({\n" + "".join(f"    {m['method']!r},\n" for m in requests) + "})\n",
    ]
    for class_name, prefix in (("Calls", ""), ("AsyncCalls", "async ")):
        lines.append(f"\nclass {class_name}:\n    \"\"\"The typed face of `call`.\"\"\"\n")
        for m in requests:
            name = type_name(m["method"])
            result = f"types.{name}Result" if m.get("result") else "None"
            needed = bool(m["params"].get("required")) or "oneOf" in m["params"]
            params = f"params: types.{name}Params" + ("" if needed else " = ...")
            lines.append(
                f"    @overload\n    {prefix}def call(self, method: Literal[{m['method']!r}], {params}, "
                f"on_progress: Optional[OnProgress] = None) -> {result}: ...\n"
            )
        lines.append(
            f"    {prefix}def call(self, method: str, params: Any = None, on_progress: Optional[OnProgress] = None) -> Any:\n"
            '        """Sends a request and returns its result. Raises the error of the answer as a SampoError."""\n'
            "        raise NotImplementedError\n"
        )
    return "\n".join(lines)


def errors_module(errors: list[dict[str, Any]]) -> str:
    lines = [HEADER, "from .errors import SampoError\n"]
    for row in errors:
        lines.append(
            f"\nclass {row['name']}(SampoError):\n"
            + textwrap.indent(f'"""{row["message"][0].upper()}{row["message"][1:]}."""\n\n', "    ")
            + f"    code = {row['code']}\n    summary = {row['message']!r}\n    hint = {row['hint']!r}\n    retryable = {row['retryable']}\n"
        )
    lines.append("\n#: Name of the error table to the exception.\nERRORS: dict[str, type[SampoError]] = {\n" + "".join(f"    {row['name']!r}: {row['name']},\n" for row in errors) + "}\n")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    common = json.loads((SCHEMAS / "common.json").read_text(encoding="utf-8"))["$defs"]
    methods = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((SCHEMAS / "methods").glob("*.json"))]
    errors = json.loads((SCHEMAS / "errors.json").read_text(encoding="utf-8"))["errors"]
    outputs = {
        "types_gen.py": types_module(common, methods),
        "calls_gen.py": calls_module(methods),
        "errors_gen.py": errors_module(errors),
    }
    stale = []
    for name, text in outputs.items():
        path = PACKAGE / name
        if "--check" not in argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"out of date, run python tools/generate_types.py: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
