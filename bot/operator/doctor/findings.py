"""What ``doctor`` says: one finding a line, each with what to do, as text or as JSON. Secrets are taken out here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from bot.logs import one_line
from bot.rules.redaction import LogRedactor


class Verdict(StrEnum):
    """``NEED``: nothing is wrong, but real Discord wants it; the sandbox does without."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    NEED = "need"
    WARN = "warn"
    FAIL = "fail"


COLOURS = {Verdict.PASS: 32, Verdict.NEED: 36, Verdict.WARN: 33, Verdict.FAIL: 31}
BOLD = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """``says`` is what was found, ``fix`` what to do about it (empty where there is nothing to do)."""

    check: str
    verdict: Verdict
    says: str
    fix: str = ""
    group: str = ""


def passed(check: str, says: str) -> Finding:
    return Finding(check, Verdict.PASS, says)


def needed(check: str, says: str, fix: str) -> Finding:
    return Finding(check, Verdict.NEED, says, fix)


def warned(check: str, says: str, fix: str) -> Finding:
    return Finding(check, Verdict.WARN, says, fix)


def failed(check: str, says: str, fix: str) -> Finding:
    return Finding(check, Verdict.FAIL, says, fix)


def exit_code(findings: Sequence[Finding]) -> int:
    return 1 if any(finding.verdict is Verdict.FAIL for finding in findings) else 0


def as_text(findings: Sequence[Finding], redactor: LogRedactor, *, colour: bool = False) -> str:
    """How it stands, a line a finding by groups with the remedy below it, a summary, and the one next step."""

    def shown(text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    def clean(text: str) -> str:
        return one_line(redactor.clean(text))

    lines = [shown(clean(_outcome(findings)), BOLD)]
    for group, members in groupby(findings, lambda finding: finding.group):
        lines += ["", shown(clean(group), BOLD)] if group else [""]
        for one in members:
            lines.append(f"{shown(f'{one.verdict:<4}', COLOURS[one.verdict])}  {clean(f'{one.check}: {one.says}')}")
            if one.fix:
                lines.append(f"      -> {clean(one.fix)}")
    count = {verdict: _count(findings, verdict) for verdict in Verdict}
    warnings = f"{count[Verdict.WARN]} warning{'' if count[Verdict.WARN] == 1 else 's'}"
    lines += ["", f"{count[Verdict.PASS]} passed, {warnings}, {count[Verdict.FAIL]} failed"]
    if step := _next_step(findings):
        lines.append(shown(clean(f"Next: {step.check}: {step.fix}"), BOLD))
    return "\n".join(lines)


def _outcome(findings: Sequence[Finding]) -> str:
    """How it stands, in one line."""
    needs = [finding.check for finding in findings if finding.verdict is Verdict.NEED]
    if faults := _count(findings, Verdict.FAIL):
        return f"{'One thing keeps' if faults == 1 else f'{faults} things keep'} Easel from working as configured."
    if needs:
        return f"Sandbox: ready. For real Discord you still need: {', '.join(needs)}."
    return "Ready."


def _next_step(findings: Sequence[Finding]) -> Finding | None:
    """What to do first: what is wrong, then what is needed, then what was warned of."""
    for verdict in (Verdict.FAIL, Verdict.NEED, Verdict.WARN):
        for finding in findings:
            if finding.verdict is verdict and finding.fix:
                return finding
    return None


def _count(findings: Sequence[Finding], verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for finding in findings)


def as_json(findings: Sequence[Finding], redactor: LogRedactor) -> str:
    """``{"ok": bool, "findings": [{"group", "check", "verdict", "says", "fix"}]}``."""
    rows = [
        {
            "group": f.group,
            "check": f.check,
            "verdict": str(f.verdict),
            "says": redactor.clean(f.says),
            "fix": redactor.clean(f.fix),
        }
        for f in findings
    ]
    return json.dumps({"ok": exit_code(findings) == 0, "findings": rows}, indent=2, ensure_ascii=False)
