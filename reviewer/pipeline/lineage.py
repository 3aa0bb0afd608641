"""Where a sample comes from and what was made of it."""

from __future__ import annotations

from typing import Any

from holdfast.db.samples import Stored, children_of, load, parents_of
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.blindness import is_set_apart, shown_statuses


def ancestry(store: Store, stored: Stored) -> list[Stored]:
    """The sample and its ancestors in the store, nearest first."""
    found, seen = [stored], {stored.id}
    for each in found:
        for parent in parents_of(store, each):
            if isinstance(parent, int) and parent not in seen:
                seen.add(parent)
                found.append(load(store, parent))
    return found


def descent(store: Store, stored: Stored) -> list[Stored]:
    """The sample and its descendants, nearest first."""
    found, seen = [stored], {stored.id}
    for each in found:
        for child in children_of(store, each.uid):
            if child not in seen:
                seen.add(child)
                found.append(load(store, child))
    return found


def line_of(store: Store, stored: Stored, user: str) -> list[Stored]:
    """The sample with its ancestors and descendants in the store, oldest first.

    The user is not told of revisions, where those would say what was decided.
    """
    made_of_it = [] if is_set_apart(store, user, stored.id) else descent(store, stored)[1:]
    return [*reversed(ancestry(store, stored)), *made_of_it]


def document(store: Store, stored: Stored, user: str) -> dict[str, Any]:
    """Ancestry and descent as JSON: nodes from the oldest to the youngest, and edges from parent to child."""
    nodes = line_of(store, stored, user)
    statuses = shown_statuses(store, {node.id: node.status for node in nodes}, user)
    held = {node.uid for node in nodes}
    edges = [{"parent": parent, "child": node.uid} for node in nodes for parent in node.sample.parents]
    missing = dict.fromkeys(edge["parent"] for edge in edges if edge["parent"] not in held)
    return {
        "uid": stored.uid,
        "nodes": [
            *({"uid": uid, "held": False} for uid in missing),
            *(_node(node, statuses[node.id]) for node in nodes),
        ],
        "edges": edges,
    }


def dot(document: dict[str, Any]) -> str:
    """A lineage document as a graph for Graphviz."""
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
    for node in document["nodes"]:
        bold = ", style=bold" if node["uid"] == document["uid"] else ""
        lines.append(f"  {_quoted(node['uid'][:16])} [label={_quoted(_words(node))}{bold}];")
    for edge in document["edges"]:
        lines.append(f"  {_quoted(edge['parent'][:16])} -> {_quoted(edge['child'][:16])};")
    return "\n".join([*lines, "}"])


def label(stored: Stored) -> str:
    """A sample in a few words: its name, who wrote it, and its generation."""
    return _words(_node(stored, stored.status.value))


def _node(stored: Stored, status: str) -> dict[str, Any]:
    return {
        "uid": stored.uid,
        "held": True,
        "batch": stored.batch,
        "external_id": stored.external_id,
        "provenance": stored.sample.provenance,
        "model": stored.sample.model,
        "generation": stored.sample.generation,
        "edit_share": stored.edit_share,
        "status": status,
    }


def _words(node: dict[str, Any]) -> str:
    if not node["held"]:
        return f"{node['uid'][:12]} (not in this store)"
    generation = "" if node["generation"] is None else f"generation {node['generation']}"
    facts = ", ".join(part for part in (str(node["provenance"]), node["model"], generation) if part)
    return f"{node['batch']}/{node['external_id']} ({facts})"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
