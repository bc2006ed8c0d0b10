"""The documentation points at files that are there, and names commands and targets that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from liquidity_pipeline.cli.main import main

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "liquidity_pipeline"
PROSE = {".py", ".sql", ".j2"}
# "Stands" for "is": a stand-in, and a server that stands in for another, are plain English.
STUMBLING = re.compile(
    r"\b(?:stands?\b(?!-in| in for\b)|anew\b|whoever\b|whence\b|knows? a day\b)", re.IGNORECASE
)
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md")]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_prose_has_none_of_the_words_that_readers_stumble_over():
    files = [*PAGES, *(path for path in PACKAGE.rglob("*") if path.suffix in PROSE)]
    offenders = [
        f"{path.relative_to(ROOT)}:{number}: {found.group()}"
        for path in sorted(files)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for found in STUMBLING.finditer(line)
    ]
    assert offenders == []


def test_every_command_that_is_named_exists():
    named = {m for line in commands() for m in re.findall(r"^liquidity ([a-z]+)", line)}
    assert named
    assert named <= set(main.commands), named - set(main.commands)


def test_every_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [line for line in commands() if line.startswith("make ")]
    named = {
        word for line in lines for word in line.split()[1:] if re.fullmatch(r"[a-z0-9-]+", word)
    }
    assert named
    assert named <= targets, named - targets


def commands() -> list[str]:
    """Return what all pages show as code, in backticks or indented, without its comments."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found += [
            line.split("#")[0].strip() for line in re.findall(r"^ {4}(.*)$", text, re.MULTILINE)
        ]
        found += re.findall(r"`([^`\n]+)`", text)
    return found
