#!/usr/bin/env python3
"""Verify an export of Guardia's audit chain with nothing of Guardia: this file, Python 3.11 and `cryptography`.

    verify_audit.py EXPORT.jsonl [--key FIRST.pub.pem] [--checkpoints DIR] [--json]
    verify_audit.py --proof PROOF.json --key FIRST.pub.pem

Written from docs/audit-format.md alone. Prints what holds, and names the first bad entry and what is wrong with it.
`--key` is the public key you trust for the first checkpoint: take it from a place that the database's administrator
can't write. `--checkpoints` is a directory of checkpoints kept elsewhere. Exit code: 0 intact, 1 broken, 2 unreadable.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OLD_FIELDS = {"format", "chain", "number", "prev_hash", "recorded_at", "action", "actor", "task_id", "object_type"}
OLD_FIELDS |= {"object_id", "object", "summary", "source_ip", "channel", "run_id", "facts"}
SECOND_FIELDS = OLD_FIELDS | {"system", "server", "step", "commands", "result_code", "output_sha256"}
BODY_FIELDS = {1: OLD_FIELDS, 2: SECOND_FIELDS, 3: SECOND_FIELDS | {"personal"}}
COPIED = ("prev_hash", "recorded_at", "action", "actor", "task_id", "object_type", "object_id")
DOCUMENT_FIELDS = {"format", "number", "previous", "made_at", "reason", "key_id", "next_key", "root", "chains"}


# -- bytes ---------------------------------------------------------------------------------------------------


def no_float(text):
    raise ValueError(f"not a canonical number: {text}")


def parse(text):
    return json.loads(text, parse_float=no_float, parse_constant=no_float)


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def holds_nul(value):
    if isinstance(value, dict):
        return any(holds_nul(key) or holds_nul(item) for key, item in value.items())
    return any(map(holds_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def genesis(key):
    return sha(b"\0guardia-chain-1\0", key.encode()).hex()


class Tree:
    """A Merkle tree (RFC 6962) that only keeps the roots of its full subtrees: (leaves, root)."""

    def __init__(self):
        self.parts = []

    def add(self, leaf):
        size = 1
        while self.parts and self.parts[-1][0] == size:
            leaf = sha(b"\1", self.parts.pop()[1], leaf)
            size *= 2
        self.parts.append((size, leaf))

    def root(self):
        if not self.parts:
            return sha(b"")
        whole = self.parts[-1][1]
        for _size, left in self.parts[-2::-1]:
            whole = sha(b"\1", left, whole)
        return whole


def root_by_path(leaf, index, size, path):
    """RFC 9162 2.1.3.2: the root that `path` gives for leaf `index` of `size`; None where the path doesn't fit."""
    if index >= size:
        return None
    at, last, value = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            value = sha(b"\1", step, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = sha(b"\1", value, step)
        at, last = at >> 1, last >> 1
    return value if last == 0 else None


def is_consistent(old_size, new_size, old_root, new_root, path):
    """RFC 9162 2.1.4.2."""
    if old_size == new_size:
        return not path and old_root == new_root
    if not 0 < old_size < new_size:
        return False
    path = ([old_root] if old_size & (old_size - 1) == 0 else []) + path
    if not path:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = sha(b"\1", step, old), sha(b"\1", step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = sha(b"\1", new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and (old, new) == (old_root, new_root)


# -- checkpoints ---------------------------------------------------------------------------------------------


def key_name(pem):
    key = serialization.load_pem_public_key(pem.encode())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha(key.public_bytes(serialization.Encoding.DER, form)).hex()[:16]


def signature_holds(pem, document, signature):
    try:
        key = serialization.load_pem_public_key(pem.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            return False
        key.verify(bytes.fromhex(signature), signed_bytes(document), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_bytes(document):
    return b"guardia-checkpoint-1\0" + canonical(document).encode()


def read_checkpoint(line):
    """The checkpoint as a dict, or None where the line isn't exactly one."""
    try:
        value = parse(line)
        names = set(value)
        if canonical(value) != line or names not in (
            {"document", "heads", "signature"},
            {"document", "heads", "paths", "signature"},
        ):
            return None
        document, heads = value["document"], value["heads"]
        keys = [key for key, _length, _hash, _root in heads]
        fits = set(document) == DOCUMENT_FIELDS and document["format"] == 1 and keys == sorted(set(keys))
        fits = fits and type(document["number"]) is int and isinstance(value["signature"], str)
        for _key, length, digest, root in heads:
            fits = fits and type(length) is int and length > 0 and isinstance(digest, str) and isinstance(root, str)
        return value if fits else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def heads_match_root(checkpoint):
    leaves = [sha(b"\0", canonical(head).encode()) for head in checkpoint["heads"]]
    root, size = checkpoint["document"]["root"], checkpoint["document"]["chains"]
    if "paths" in checkpoint:
        if len(checkpoint["paths"]) != len(leaves):
            return False
        for leaf, (index, path) in zip(leaves, checkpoint["paths"], strict=True):
            found = root_by_path(leaf, index, size, [bytes.fromhex(step) for step in path])
            if found is None or found.hex() != root:
                return False
        return True
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return len(leaves) == size and tree.root().hex() == root


def walk_checkpoints(lines, pem):
    """(the checkpoints that hold, the first fault or None)"""
    good, previous = [], "0" * 64
    for place, line in enumerate(lines, start=1):
        checkpoint = read_checkpoint(line)
        if checkpoint is None:
            return good, ("checkpoints", place, "altered")
        document = checkpoint["document"]
        number = document["number"]
        if number < place:
            return good, ("checkpoints", number, "inserted")
        if number > place:
            later = [read_checkpoint(other) for other in lines[place:]]
            is_there = any(other and other["document"]["number"] == place for other in later)
            return good, ("checkpoints", place, "reordered" if is_there else "missing_checkpoint")
        if (
            not pem
            or document["key_id"] != key_name(pem)
            or not signature_holds(pem, document, checkpoint["signature"])
        ):
            return good, ("checkpoints", place, "bad_signature")
        if document["previous"] != previous:
            return good, ("checkpoints", place, "rewritten")
        if not heads_match_root(checkpoint):
            return good, ("checkpoints", place, "altered")
        if good and shrinks(good[-1]["heads"], checkpoint["heads"]):
            return good, ("checkpoints", place, "rewritten")
        if document["next_key"] is not None:
            pem = next_key(document["next_key"])
            if pem is None:
                return good, ("checkpoints", place, "altered")
        previous = sha(signed_bytes(document)).hex()
        good.append(checkpoint)
    return good, None


def shrinks(before, after):
    now = {head[0]: head for head in after}
    for head in before:
        other = now.get(head[0])
        if other is None or other[1] < head[1] or (other[1] == head[1] and other != head):
            return True
    return False


def next_key(value):
    try:
        return value["public_key"] if key_name(value["public_key"]) == value["key_id"] and len(value) == 2 else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


# -- entries -------------------------------------------------------------------------------------------------


def sealed_body(row):
    """What the row's body says, when hash, form and copies agree; else None."""
    raw = row["body"].encode("utf-8", "surrogatepass")
    if sha(b"\0", raw).hex() != row["hash"]:
        return None
    try:
        body = parse(row["body"])
        is_form = isinstance(body, dict) and canonical(body).encode() == raw and not holds_nul(body)
    except (ValueError, RecursionError):
        return None
    if not is_form or type(body.get("format")) is not int or set(body) != BODY_FIELDS.get(body["format"]):
        return None
    if type(body["number"]) is not int or not isinstance(body["chain"], str):
        return None
    return body if all(row[name] == body[name] for name in COPIED) else None


class Chain:
    """One chain of an export, walked row by row; `fault` is (chain, number, kind) once something is wrong."""

    def __init__(self, head, anchors):
        self.key, self.head = head["key"], head
        self.anchors = anchors
        self.hashes = bytearray(bytes.fromhex(genesis(self.key)))  # 32 bytes for each sound entry, after the genesis
        self.tree, self.sound, self.vouched = Tree(), 0, 0
        self.fault = None
        self.suspect = None
        self.follower = None
        self.has_follower = self.found_later = False

    def last(self):
        return self.hashes[-32:].hex()

    def take(self, row):
        if self.fault is not None:
            return
        if self.suspect is not None:
            self.look_beyond(row)
            return
        expected, body = self.sound + 1, sealed_body(row)
        in_place = body is not None and (row["number"], body["number"], body["chain"]) == (expected, expected, self.key)
        if not in_place or body["prev_hash"] != self.last():
            self.suspect = (row, body)
            if row["number"] > expected:
                self.look_beyond(row)
            return
        leaf = bytes.fromhex(row["hash"])
        self.hashes += leaf
        self.tree.add(leaf)
        self.sound = expected
        anchor = self.anchors.pop(expected, None)
        if anchor is not None:
            if anchor[2] != row["hash"] or anchor[3] != self.tree.root().hex():
                self.fault = (self.key, self.vouched + 1, "rewritten")
            self.vouched = expected

    def look_beyond(self, row):
        body = sealed_body(row)
        if not self.has_follower and row is not self.suspect[0]:
            self.has_follower, self.follower = True, body
        wanted = (self.key, self.sound + 1, self.last())
        if body is not None and (body["chain"], body["number"], body["prev_hash"]) == wanted:
            self.found_later = True

    def end(self):
        if self.fault is None:
            self.fault = self.judge() if self.suspect is not None else self.judge_end()
        return self.fault

    def judge(self):
        row, body = self.suspect
        expected, stored = self.sound + 1, row["number"]
        if stored < expected:
            return self.key, stored, "inserted"
        if stored == expected:
            if body is None:
                return self.key, expected, "altered"
            if body["chain"] != self.key:
                return self.key, expected, "reordered"
            sealed = body["number"]
            if sealed == expected:
                return self.key, expected - 1 if expected > 1 and self.is_vouched_for(row) else expected, "altered"
            if sealed < expected:
                before = self.hashes[32 * (sealed - 1) : 32 * sealed].hex() if sealed >= 1 else ""
                if before == body["prev_hash"]:
                    return self.key, sealed, "inserted"
                return self.key, expected, "reordered"
        return self.key, expected, "reordered" if self.found_later else "deleted"

    def is_vouched_for(self, row):
        if not self.has_follower:
            return self.head["head_hash"] == row["hash"]
        after = self.follower
        return after is not None and after["number"] == self.sound + 2 and after["prev_hash"] == row["hash"]

    def judge_end(self):
        longest = max([self.head["head_number"], *self.anchors])
        if longest > self.sound:
            return self.key, self.sound + 1, "cut_tail"
        if self.head["head_number"] < self.sound:
            return self.key, self.head["head_number"] + 1, "inserted"
        if self.head["head_hash"] != self.last():
            return self.key, self.sound, "altered"
        return None


# -- the export ----------------------------------------------------------------------------------------------


class Unreadable(Exception):
    pass


def verify(lines, pem, kept):
    """The result of an export given as an iterator of lines; `kept` are lines of checkpoints from elsewhere."""
    lines = map(read_export_line, lines)
    manifest = next(lines, {"type": ""})
    if manifest["type"] != "manifest" or manifest.get("format") != "guardia-export-1":
        raise Unreadable("this is not an export of Guardia")
    value, sealed = next(lines, None), []
    while value is not None and value["type"] == "checkpoint":
        sealed.append(value["line"])
        value = next(lines, None)
    good, faults = compare_checkpoints(sealed, kept, pem or manifest["first_key"], manifest["checkpoints"])
    anchors = {}
    for checkpoint in good:
        for head in checkpoint["heads"]:
            anchors.setdefault(head[0], {}).setdefault(head[1], head)
    if not manifest["is_all"]:
        anchors = {key: heads for key, heads in anchors.items() if key in manifest["chains"]}
    chains, current = [], None
    while value is not None and value["type"] in ("chain", "entry"):
        if value["type"] == "chain":
            current = Chain(value, dict(anchors.pop(value["key"], {})))
            chains.append(current)
        elif current is not None:
            current.take(value)
        value = next(lines, None)
    if value is None or value["type"] != "end":
        raise Unreadable("the export is cut off: it has no end line")
    for chain in chains:
        if chain.end() is not None:
            faults.append(chain.fault)
    faults += [(key, 1, "cut_tail") for key in sorted(anchors)]
    return {
        "intact": not faults,
        "key_pinned": bool(pem),
        "checkpoints": len(good),
        "entries": sum(chain.sound for chain in chains),
        "chains": {chain.key: chain.sound for chain in chains},
        "faults": [{"chain": chain, "number": number, "kind": kind} for chain, number, kind in faults],
    }


def compare_checkpoints(sealed, kept, pem, promised):
    """(the longest sequence that holds, a list with the first fault of both)"""
    ours, our_fault = walk_checkpoints(sealed, pem)
    theirs, their_fault = walk_checkpoints(kept, pem)
    faults = [fault for fault in (our_fault, their_fault) if fault is not None]
    for one, other in zip(ours, theirs, strict=False):
        if one["document"] != other["document"]:
            faults.append(("checkpoints", one["document"]["number"], "rewritten"))
            break
    if our_fault is None and len(ours) < max(len(theirs), promised):
        faults.append(("checkpoints", len(ours) + 1, "missing_checkpoint"))
    return max(ours, theirs, key=len), sorted(faults, key=lambda fault: fault[1])[:1]


def read_export_line(line):
    try:
        value = json.loads(line)
        return value if isinstance(value, dict) and "type" in value else {"type": "?"}
    except ValueError:
        return {"type": "?"}


def verify_proof(proof, pem):
    """Problems of an inclusion and consistency proof, as texts."""
    keys, problems = proof["keys"], []
    if keys[0]["public_key"].strip() != pem.strip():
        return ["the proof begins with another key than the trusted one"]
    heads = []
    for name in ("checkpoint", "older_checkpoint"):
        checkpoint = read_checkpoint(proof[name])
        if checkpoint is None or not heads_match_root(checkpoint):
            return [f"{name}: it is not whole"]
        number = checkpoint["document"]["number"]
        in_force = [key["public_key"] for key in keys if key["from"] <= number][-1]
        if key_name(in_force) != checkpoint["document"]["key_id"] or not signature_holds(
            in_force, checkpoint["document"], checkpoint["signature"]
        ):
            problems.append(f"{name}: the signature is wrong")
        heads.append(next(head for head in checkpoint["heads"] if head[0] == proof["chain"]))
    newest, oldest = heads
    body = parse(proof["body"])
    if (body["chain"], body["number"]) != (proof["chain"], proof["number"]):
        problems.append("the body belongs to another place")
    path = [bytes.fromhex(step) for step in proof["path"]]
    root = root_by_path(sha(b"\0", proof["body"].encode()), proof["number"] - 1, newest[1], path)
    if root is None or root.hex() != newest[3]:
        problems.append("the entry is not under the checkpoint's root")
    steps = [bytes.fromhex(step) for step in proof["consistency"]]
    if not is_consistent(oldest[1], newest[1], bytes.fromhex(oldest[3]), bytes.fromhex(newest[3]), steps):
        problems.append("the older checkpoint is not the beginning of the newer one")
    return problems


def kept_lines(folder):
    names = sorted(path for path in Path(folder).iterdir() if re.fullmatch(r"\d{12}\.json", path.name))
    return [path.read_text("utf-8", "replace").removesuffix("\n") for path in names]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Verify an export of Guardia's audit chain, without Guardia.")
    parser.add_argument("export", nargs="?", type=Path)
    parser.add_argument("--key", type=Path, help="the trusted public key of the first checkpoint (PEM)")
    parser.add_argument("--checkpoints", type=Path, help="a directory of checkpoints that was kept elsewhere")
    parser.add_argument("--proof", type=Path, help="verify one proof instead of an export; needs --key")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    pem = options.key.read_text() if options.key else ""
    if options.proof:
        problems = verify_proof(json.loads(options.proof.read_text(encoding="utf-8")), pem)
        print("\n".join(problems) or "the proof holds")
        return 1 if problems else 0
    if options.export is None:
        parser.error("name an export, or a proof")
    try:
        with options.export.open(encoding="utf-8", newline="\n") as lines:
            result = verify(lines, pem, kept_lines(options.checkpoints) if options.checkpoints else [])
    except (Unreadable, OSError, KeyError, UnicodeDecodeError) as error:
        print(f"unreadable: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, ensure_ascii=False, indent=2) if options.json else told(result))
    return 0 if result["intact"] else 1


def told(result):
    bad = [f"BROKEN  {fault['chain']}: {fault['number']} {fault['kind']}" for fault in result["faults"]]
    counts = f"{result['entries']} entries of {len(result['chains'])} chains, {result['checkpoints']} checkpoints"
    pinned = (
        ""
        if result["key_pinned"]
        else "\nnote: the key was taken from the export itself; name a trusted one with --key"
    )
    return "\n".join(bad or [f"intact  {counts}"]) + pinned


if __name__ == "__main__":
    sys.exit(main())
