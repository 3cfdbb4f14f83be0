"""A FAIL turned into a PASS, with as much made to fit as the forger thinks will be looked at."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from forger import Forger
from rewrite import Family
from story import Told, index, story
from tables import Tables, header

from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note_key import NoteSigner
from audit_pipeline.trail.redaction import sign_redaction

PARTIAL = Family("made to fit in part")

_FAIL = index("verdict", "spring")


def _pass(tables: Tables) -> None:
    row = tables.entry[_FAIL]
    row["canonical"] = row["canonical"].replace('"FAIL"', '"PASS"')


@PARTIAL.by_hand
def the_text_alone(forger: Forger) -> None:
    forger.change(_pass, rehash=False, sign=False)


@PARTIAL.by_hand
def text_and_signatures_over_the_genuine_heads(forger: Forger) -> None:
    forger.change(_pass, rehash=False)


def _only(*columns: str) -> None:
    """Make these columns of that one row fit, and nothing else."""

    def change(tables: Tables) -> None:
        before = [dict(row) for row in tables.entry]
        frontier = tables.frontier
        _pass(tables)
        tables.rehash()
        fitting = tables.entry[_FAIL]
        tables.entry, tables.frontier = before, frontier
        tables.entry[_FAIL].update({column: fitting[column] for column in ("canonical", *columns)})

    PARTIAL.enter(f"text and {' and '.join(columns)} of one entry", lambda forger: forger.change(change, rehash=False))


_only("leaf_hash")
_only("leaf_hash", "root")
_only("leaf_hash", "root", "nodes")


def _all_but(*columns: str) -> None:
    """Make everything fit but these columns, which stay genuine."""

    def change(tables: Tables) -> None:
        genuine = [{column: row[column] for column in columns} for row in tables.entry]
        _pass(tables)
        tables.rehash()
        for row, kept in zip(tables.entry, genuine, strict=True):
            row.update(kept)

    PARTIAL.enter(f"everything but {' and '.join(columns)}", lambda forger: forger.change(change, rehash=False))


_all_but("leaf_hash")
_all_but("root")
_all_but("nodes")
_all_but("leaf_hash", "nodes")
_all_but("root", "nodes")


@PARTIAL.by_hand
def everything_but_the_frontier(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        genuine = tables.frontier
        _pass(tables)
        tables.rehash()
        tables.frontier = genuine

    forger.change(change, rehash=False)


@PARTIAL.by_hand
def everything_but_the_checkpoints(forger: Forger) -> None:
    forger.change(_pass, sign=False)


@PARTIAL.by_hand
def everything_but_the_checkpoints_which_are_gone(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        _pass(tables)
        tables.checkpoint.clear()

    forger.change(change, sign=False)


@PARTIAL.by_hand
def everything_but_the_memory(forger: Forger) -> None:
    memory = forger.memory
    forger.change(_pass)
    forger.remember(memory)


@PARTIAL.by_hand
def everything_and_the_genuine_checkpoints_before_the_new_ones(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        genuine = list(tables.checkpoint)
        _pass(tables)
        tables.rehash()
        tables.sign(forger.signer)
        tables.checkpoint = _numbered([*genuine, *tables.checkpoint])

    forger.change(change, rehash=False, sign=False)


@PARTIAL.by_hand
def everything_and_the_genuine_checkpoints_behind_the_new_ones(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        genuine = list(tables.checkpoint)
        _pass(tables)
        tables.rehash()
        tables.sign(forger.signer)
        tables.checkpoint = _numbered([*tables.checkpoint, *genuine])

    forger.change(change, rehash=False, sign=False)


@PARTIAL.by_hand
def everything_and_the_genuine_cosignatures_under_the_new_checkpoints(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        genuine = {row["size"]: row["note"] for row in tables.checkpoint}
        _pass(tables)
        tables.rehash()
        tables.sign(forger.signer)
        for row in tables.checkpoint:
            lines = genuine.get(row["size"], "").partition("\n\n")[2].splitlines(keepends=True)
            row["note"] += "".join(lines[1:])

    forger.change(change, rehash=False, sign=False)


@PARTIAL.by_hand
def the_genuine_nodes_where_the_pinned_root_is_read_from(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        genuine = [row["nodes"] for row in tables.entry]
        _pass(tables)
        tables.rehash()
        for at in (15, len(tables.entry) - 1):
            tables.entry[at]["nodes"] = genuine[at]

    forger.change(change, rehash=False)


@PARTIAL.by_hand
def the_genuine_peaks_over_other_entries(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        peaks, last = tables.frontier[0]["peaks"], tables.entry[-1]["root"]
        _pass(tables)
        tables.rehash()
        tables.frontier[0]["peaks"] = peaks
        tables.entry[-1]["root"] = last

    forger.change(change, rehash=False, sign=False)


@PARTIAL.by_hand
def a_checkpoint_of_entries_that_there_are_not(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        _pass(tables)
        tables.rehash()
        tables.sign(forger.signer)
        _claim(tables, forger.signer, TreeHead(len(tables.entry) + 9, tables.head.root))

    forger.change(change, rehash=False, sign=False)


@PARTIAL.by_hand
def a_checkpoint_of_the_genuine_root_at_another_size(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        genuine = tables.head
        tables.entry.pop()
        tables.rehash()
        tables.sign(forger.signer)
        _claim(tables, forger.signer, TreeHead(len(tables.entry), genuine.root))

    forger.change(change, rehash=False, sign=False)


@PARTIAL.by_hand
def half_as_many_entries_with_the_same_root(forger: Forger) -> None:
    """Each pair of entries becomes one, whose leaf hash is the node over both."""

    def change(tables: Tables) -> None:
        pairs = tables.entry[1::2]
        tables.entry = [
            {**row, "index": at, "leaf_hash": row["nodes"][:64], "nodes": row["nodes"][64:]}
            for at, row in enumerate(pairs)
        ]
        tables.frontier[0]["size"] = len(pairs)

    forger.change(change, rehash=False, sign=False)


@PARTIAL.by_hand
def two_texts_swapped_under_their_hashes(forger: Forger) -> None:
    def change(tables: Tables) -> None:
        one, other = tables.entry[_FAIL], tables.entry[index("verdict", "autumn")]
        one["canonical"], other["canonical"] = other["canonical"], one["canonical"]

    forger.change(change, rehash=False, sign=False)


def _column(name: str, at: int, value: str) -> None:
    """The hashed text stays; what is selected by says something else."""
    told = story()[at]

    def carry_out(forger: Forger) -> None:
        forger.change(lambda tables: tables.entry[at].update({name: value}), rehash=False, sign=False)

    PARTIAL.enter(f"column {name} of the {told['kind']} of {told['run']} says {value}", carry_out)


_column("run", index("revocation", "autumn"), "summer")
_column("run", index("incident", "autumn"), "elsewhere")
_column("run", _FAIL, "winter")
_column("kind", index("revocation", "autumn"), "incident")
_column("kind", _FAIL, "aborted")
_column("at", index("policy", "summer"), "2026-05-01T12:00:00Z")


def _text(name: str, at: int, old: str, new: str) -> None:
    """Text that another reader might take otherwise, with everything made to fit."""

    def change(tables: Tables) -> None:
        row = tables.entry[at]
        assert old in row["canonical"]
        row["canonical"] = row["canonical"].replace(old, new, 1)

    PARTIAL.enter(name, lambda forger: forger.change(change))


_text("the outcome twice in one text", _FAIL, '"outcome":"FAIL"', '"outcome":"FAIL","outcome":"PASS"')
_text("white space in a text", _FAIL, '"outcome":"FAIL"', '"outcome": "FAIL"')
_text("a letter of a key escaped", _FAIL, '"outcome"', '"\\u006futcome"')
_text("another number in the text than its place", _FAIL, f'"index":{_FAIL}', f'"index":{_FAIL + 1}')
_text("another format", _FAIL, '"format":2', '"format":3')
_text("the first format, without a salt", _FAIL, '"format":2', '"format":1')
_text("a field that no entry has", _FAIL, '"format":2', '"extra":0,"format":2')


def _taken_out(tables: Tables, at: int) -> None:
    row = tables.entry[at]
    row["canonical"] = header(row["canonical"])


def _hidden(name: str, at: int) -> None:
    PARTIAL.enter(name, lambda forger: forger.change(lambda tables: _taken_out(tables, at), rehash=False, sign=False))


_hidden("the text of a verdict taken out without a word", _FAIL)
_hidden("the text of an incident taken out without a word", index("incident", "autumn"))
_hidden("the text of an approval taken out without a word", index("approval", "autumn"))


@PARTIAL.by_hand
def a_text_emptied_over_its_genuine_hash(forger: Forger) -> None:
    forger.change(lambda tables: tables.entry[_FAIL].update(canonical=""), rehash=False, sign=False)


@PARTIAL.by_hand
def a_text_taken_out_with_a_redaction_that_nobody_signed(forger: Forger) -> None:
    at = index("incident", "autumn")

    def change(tables: Tables) -> None:
        row = tables.entry[at]
        fields = {name: row[name] for name in ("index", "leaf_hash", "kind", "run", "at")}
        body = {**fields, "reason": "personal data", "envelope": "{}"}
        tables.retell([*tables.story(), Told(kind="redaction", run=row["run"], at="2026-05-25T12:00:00Z", body=body)])
        _taken_out(tables, at)

    forger.change(change, rehash=False)


def _disguised(name: str, at: int, **other: str) -> None:
    """A text taken out with a rightly signed redaction, which says of what is left that it was something else."""

    def change(tables: Tables) -> None:
        row, size = tables.entry[at], len(tables.entry)
        entry = Entry.parse(row["canonical"].encode())
        body = sign_redaction(replace(entry, **other), "personal data", Signer.of(Ed25519PrivateKey.generate()))
        told = Told(kind="redaction", run=row["run"], at="2026-05-25T12:00:00Z", body=body)
        row.update(
            other, canonical=json.dumps({**json.loads(header(row["canonical"])), **other}, separators=(",", ":"))
        )
        tables.add(told)
        tables.rehash(size)

    PARTIAL.enter(name, lambda forger: forger.change(change, rehash=False))


_disguised(
    "a withdrawal that is made to look like an incident without a text", index("revocation", "autumn"), kind="incident"
)
_disguised("a withdrawal that is made to look like another run's", index("revocation", "autumn"), run="summer")
_disguised(
    "an approval that is made to look like an incident without a text", index("approval", "autumn"), kind="incident"
)


@PARTIAL.by_hand
def numbers_that_begin_at_one(forger: Forger) -> None:
    forger.change(lambda tables: [row.update(index=row["index"] + 1) for row in tables.entry], rehash=False, sign=False)


@PARTIAL.by_hand
def an_entry_before_number_0(forger: Forger) -> None:
    forger.change(lambda tables: tables.entry.insert(0, {**tables.entry[0], "index": -1}), rehash=False, sign=False)


@PARTIAL.by_hand
def entries_and_no_frontier(forger: Forger) -> None:
    forger.change(lambda tables: tables.frontier.clear(), rehash=False, sign=False)


@PARTIAL.by_hand
def a_text_that_is_no_text(forger: Forger) -> None:
    with closing(sqlite3.connect(forger.database)) as connection:
        connection.execute("DROP TRIGGER entry_update")
        connection.execute("UPDATE entry SET canonical = CAST(x'7bff7d' AS TEXT) WHERE \"index\" = ?", (_FAIL,))
        connection.commit()


@PARTIAL.by_hand
def a_page_of_zeroes(forger: Forger) -> None:
    content = bytearray(forger.database.read_bytes())
    page = content.index(b"arrest at home") // 4096 * 4096
    content[page : page + 4096] = bytes(4096)
    forger.database.write_bytes(content)


def _index_without(column: str, at: int) -> None:
    """The table is genuine; what is looked up by this column finds one entry less."""
    told = story()[at]

    def carry_out(forger: Forger) -> None:
        with closing(sqlite3.connect(forger.database)) as connection:
            name = f"ix_entry_{column}"
            (whole,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
            connection.execute(f"DROP INDEX {name}")
            connection.execute(f'{whole} WHERE "index" <> {at}')
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (whole, name))
            connection.commit()

    PARTIAL.enter(f"an index by {column} without the {told['kind']} of {told['run']}", carry_out)


_index_without("run", index("revocation", "autumn"))
_index_without("run", _FAIL)
_index_without("kind", index("revocation", "autumn"))
_index_without("kind", index("keys", "trust", 1))


@PARTIAL.by_hand
def a_view_that_hides_a_revocation_half_of_the_time(forger: Forger) -> None:
    with closing(sqlite3.connect(forger.database)) as connection:
        for (guard,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {guard}")
        connection.execute("ALTER TABLE entry RENAME TO entries")
        hidden = f'"index" = {index("revocation", "autumn")} AND random() > 0'
        connection.execute(f"CREATE VIEW entry AS SELECT * FROM entries WHERE NOT ({hidden})")
        connection.commit()


def _claim(tables: Tables, signer: NoteSigner, head: TreeHead) -> None:
    note = sign_checkpoint(signer, head).to_bytes().decode()
    tables.checkpoint.append({"number": len(tables.checkpoint), "size": head.size, "note": note})


def _numbered(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**row, "number": number} for number, row in enumerate(rows)]
