"""`liquidity brief` on a published sandbox file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from liquidity_pipeline.cli.main import main
from liquidity_pipeline.pipeline import Pipeline


def ask(data_dir: Path, *arguments: str):
    command = ["brief", "--data-dir", str(data_dir), "--sandbox", *arguments]
    return CliRunner().invoke(main, command)


@pytest.mark.parametrize(
    ("language", "form", "opening"),
    [
        ("en", "md", "# Liquidity brief, 6 Feb 2026"),
        ("zh", "md", "# 流动性简报，2026年2月6日"),
        ("en", "json", '{"schema": "liquidity-brief/'),
        ("zh", "html", '<!doctype html>\n<html lang="zh-Hans">'),
    ],
)
def test_it_prints_the_brief(briefed: Pipeline, language: str, form: str, opening: str):
    answer = ask(briefed.settings.data_dir, "--lang", language, "--format", form)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith(opening)


def test_it_writes_a_file(briefed: Pipeline, tmp_path: Path):
    target = tmp_path / "a brief.md"
    answer = ask(briefed.settings.data_dir, "--output", str(target))
    assert answer.exit_code == 0, answer.output
    assert answer.stdout == ""
    assert target.read_text().startswith("# Liquidity brief")


def test_it_asks_for_a_run_where_nothing_is_published(tmp_path: Path):
    answer = ask(tmp_path)
    assert answer.exit_code == 2
    assert "run `liquidity run`" in answer.output
