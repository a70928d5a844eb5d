"""What ``doctor`` says: one finding a line, each with what to do, as text or as JSON. Secrets are taken out here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.logs import one_line
from bot.rules.redaction import LogRedactor


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """``says`` is what was found, ``fix`` what to do about it (empty where there is nothing to do)."""

    check: str
    verdict: Verdict
    says: str
    fix: str = ""


def passed(check: str, says: str) -> Finding:
    return Finding(check, Verdict.PASS, says)


def warned(check: str, says: str, fix: str) -> Finding:
    return Finding(check, Verdict.WARN, says, fix)


def failed(check: str, says: str, fix: str) -> Finding:
    return Finding(check, Verdict.FAIL, says, fix)


def exit_code(findings: Sequence[Finding]) -> int:
    return 1 if any(finding.verdict is Verdict.FAIL for finding in findings) else 0


def as_text(findings: Sequence[Finding], redactor: LogRedactor) -> str:
    """A line a finding, the remedy below it, and a summary."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.verdict:<4}  {finding.check}: {finding.says}")
        if finding.fix:
            lines.append(f"      -> {finding.fix}")
    count = {verdict: sum(f.verdict is verdict for f in findings) for verdict in Verdict}
    lines.append(f"\n{count[Verdict.PASS]} passed, {count[Verdict.WARN]} warnings, {count[Verdict.FAIL]} failed")
    return "\n".join(one_line(redactor.clean(line)) if line[:1] != "\n" else line for line in lines)


def as_json(findings: Sequence[Finding], redactor: LogRedactor) -> str:
    """``{"ok": bool, "findings": [{"check", "verdict", "says", "fix"}]}``."""
    rows = [
        {"check": f.check, "verdict": str(f.verdict), "says": redactor.clean(f.says), "fix": redactor.clean(f.fix)}
        for f in findings
    ]
    return json.dumps({"ok": exit_code(findings) == 0, "findings": rows}, indent=2, ensure_ascii=False)
