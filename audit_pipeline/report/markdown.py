"""The report as GitHub-flavoured Markdown: the page without its pictures, for pull requests and archives."""

from __future__ import annotations

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.evidence import Evidence, Footprint
from audit_pipeline.report import sealing
from audit_pipeline.report.answers import answers
from audit_pipeline.report.headline import headline
from audit_pipeline.report.markdown_compression import compression_section
from audit_pipeline.report.markdown_findings import findings_section
from audit_pipeline.report.markdown_groups import exemplars_section, groups_section
from audit_pipeline.report.markdown_notices import changes_and_waivers, notices
from audit_pipeline.report.markdown_sections import section_text
from audit_pipeline.report.markdown_text import people, sentence_text, table, text
from audit_pipeline.report.population import counted, facts
from audit_pipeline.report.privacy import privacy_sections
from audit_pipeline.report.verification import about_the_signer, verify_commands
from audit_pipeline.report.wording import count, items, size


def render_markdown(evidence: Evidence) -> str:
    """The whole report; the same evidence gives the same text. What came from outside is escaped, on one line."""
    parts = [
        _opening(evidence),
        groups_section(evidence),
        *([] if evidence.exemplars is None else [exemplars_section(evidence.exemplars)]),
        findings_section(evidence),
        "## Privacy",
        *map(section_text, privacy_sections(evidence)),
        compression_section(evidence),
        _footprint(evidence.footprint),
        _arithmetic(evidence),
        _data(evidence),
        _answers(evidence),
        *changes_and_waivers(evidence),
        _provenance(evidence),
        f"## How to verify\n\n```sh\n{verify_commands(evidence)}\n```\n\n{about_the_signer(evidence)}",
    ]
    return "\n\n".join(parts) + "\n"


def _opening(evidence: Evidence) -> str:
    said = headline(evidence)
    kind = "**synthetic** data" if evidence.data.synthetic else "data"
    lines = [f"# {said.word}: {said.meaning}", said.tally]
    if evidence.data.synthetic:
        lines.append(
            f"> **SYNTHETIC DATA.** The data set “{text(evidence.data.name)}” is generated. It describes no real "
            "people, and nothing here says how the model works on them."
        )
    lines.append(
        f"**{text(evidence.source.file)}** for **{text(evidence.footprint.board)}** under policy "
        f"**{text(evidence.policy.name)}**, on {kind} **{text(evidence.data.name)}**. Run {text(evidence.run.id)}, "
        f"{text(evidence.run.created)}, by {text(evidence.run.tool)} ({text(evidence.run.command)})."
    )
    lines += notices(evidence)
    if evidence.verdict.reasons:
        lines.append("## Why\n\n" + "\n".join(f"- {sentence_text(reason)}" for reason in evidence.verdict.reasons))
    return "\n\n".join(lines)


def _footprint(footprint: Footprint) -> str:
    arena = "the device cannot run it" if footprint.arena_bytes is None else f"{count(footprint.arena_bytes)} bytes"
    rows = [
        ("Flash (model)", f"{count(footprint.flash_bytes)} bytes", size(footprint.flash_limit)),
        ("RAM (tensor arena)", arena, size(footprint.arena_limit)),
    ]
    operators = ", ".join(
        f"{count(each.count)} × {text(each.name)}{'' if each.supported else ' (**no kernel in tflite-micro**)'}"
        for each in footprint.operators
    )
    return "\n\n".join(
        [
            "## Footprint",
            f"On {text(footprint.board)} ({text(footprint.board_source)}) the model "
            f"**{'fits' if footprint.fits else 'does not fit'}**. One inference takes {count(footprint.macs)} "
            "multiply-accumulates.",
            table(["Memory", "Needed", "Limit"], rows, (1, 2)),
            f"Operators: {operators or 'none'}.",
        ]
    )


def _arithmetic(evidence: Evidence) -> str:
    kernels = evidence.kernels
    if kernels is None:
        said = "The device cannot run this model, so there are no device figures."
    else:
        said = (
            f"The “after” figures were computed by **{kernels.used}**, held against {text(kernels.authority)} on "
            f"{count(kernels.sample_rows, 'row')}: {count(kernels.differing_rows)} differed, by at most "
            f"{count(kernels.largest_step, 'quantization step')}. {text(kernels.note)}"
        )
    return f"## Device arithmetic\n\n{said}"


def _data(evidence: Evidence) -> str:
    data = evidence.data
    mark = " (synthetic)" if data.synthetic else ""
    rows = [
        (split.name, count(split.rows), people(split.subjects), _counts(split.classes), _by_column(split.groups))
        for split in data.splits
    ]
    return "\n\n".join(
        [
            f"## Data{mark}",
            f"**{text(data.name)}**{mark}. {text(data.description)}",
            "\n".join(f"- {term}: {text(words)}" for term, words in facts(evidence)),
            table(["Split", "Rows", "People", "Rows by class", "Rows by group"], rows, (1, 2)),
        ]
    )


def _counts(rows: dict[str, int]) -> str:
    shown, rest = counted(rows)
    named = ", ".join(f"{text(name)} {number}" for name, number in shown)
    return f"{named} {rest}".strip() or "–"


def _by_column(groups: dict[str, dict[str, int]]) -> str:
    return "; ".join(f"{text(column)}: {_counts(values)}" for column, values in items(groups))


def _answers(evidence: Evidence) -> str:
    given = [
        f"- **{question}** {' · '.join(map(text, texts))}" for question, texts in answers(evidence.policy.document)
    ]
    return "\n".join(["## Human-centred answers", "", *given])


def _provenance(evidence: Evidence) -> str:
    rows = [
        ("Policy", text(evidence.policy.file), evidence.policy.sha256),
        ("Trained model", text(evidence.source.file), evidence.source.sha256),
        ("Device model", f"model.tflite, {count(evidence.candidate.size_bytes)} bytes", evidence.candidate.sha256),
        ("Data set", text(evidence.data.name), evidence.data.sha256),
        ("Evidence", "evidence.json", sha256_hex(evidence.canonical())),
    ]
    if trail := evidence.trail:
        rows.append(("Trail root", f"{count(trail.size, 'entry')}, policy is entry {trail.policy_index}", trail.root))
    if seal := evidence.seal:
        rows += [
            ("Image", f"version {text(seal.version)}, counter {seal.security_counter}", seal.image_sha256),
            ("Signed by key", sealing.algorithms(seal), seal.signer),
            ("Encrypted for key", f"for {text(sealing.device(seal))}", seal.recipient),
        ]
        if seal.model_signer:
            rows.append(("Model signed by key", "", seal.model_signer))
    digests = table(["What", "Which", "SHA-256"], [(what, which, f"`{digest}`") for what, which, digest in rows])
    software = "; ".join([text(evidence.run.tool), *(f"{text(n)} {text(v)}" for n, v in items(evidence.run.libraries))])
    return "\n\n".join(["## Provenance", digests, f"Software: {software}"])
