"""The sandbox beside a command: it answers, and it never outlives whoever started it."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date

import pytest
import requests

from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process

pytestmark = pytest.mark.slow

STARTS_AND_WAITS = """
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
if __name__ == "__main__":
    with run_sandbox_process(Options()) as url:
        print(url, flush=True)
        input()
"""


def ask(url: str) -> str:
    return str(requests.get(f"{url}/__health", timeout=20).json()["today"])


def is_gone(url: str) -> bool:
    time.sleep(0.1)
    try:
        ask(url)
    except requests.ConnectionError:
        return True
    return False


def test_it_answers_while_the_block_lasts_and_is_gone_after_it():
    with run_sandbox_process(Options(today=date(2026, 2, 6))) as url:
        assert ask(url) == "2026-02-06"
    with pytest.raises(requests.ConnectionError):
        ask(url)


def test_a_killed_command_leaves_no_sandbox_behind(tmp_path):
    script = tmp_path / "starts.py"
    script.write_text(STARTS_AND_WAITS)
    command = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    url = command.stdout.readline().strip()
    assert ask(url)
    command.kill()
    command.wait()
    assert any(is_gone(url) for _ in range(100))
