"""A campaign's strike comes at the write that was chosen, every time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# In a process of its own: one that forks must not have started threads, as this one may have.
PROGRAM = """
import json, signal, sys
from pathlib import Path
from liquidity_pipeline_tests.struck import Moment, run_in_child

folder, scratch, ending = Path(sys.argv[1]), Path(sys.argv[2]), signal.Signals[sys.argv[3]]

def work():
    folder.mkdir()
    (folder / "lake").mkdir()
    for number in range(5):
        (folder / "lake" / f"{number}.parquet").write_text("rows")
    print("done")

moment = Moment("lake write", 4, 0.0, ending) if ending != signal.SIGCONT else None
ended = run_in_child(work, {"LIQUIDITY_DATA_DIR": str(folder)}, scratch, moment)
print(json.dumps([ended.code, ended.said, ended.struck, ended.writes]))
"""


def struck(tmp_path: Path, ending: str) -> tuple[list[object], list[str]]:
    folder = tmp_path / "data"
    words = [sys.executable, "-c", PROGRAM, str(folder), str(tmp_path), ending]
    answer = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout), sorted(path.name for path in (folder / "lake").iterdir())


def test_a_kill_comes_just_before_the_chosen_write(tmp_path: Path):
    (code, said, is_struck, _), written = struck(tmp_path, "SIGKILL")
    assert (code, said, is_struck) == (-9, "", True)
    # The first write into the lake made its folder.
    assert written == ["0.parquet", "1.parquet"]


def test_an_interrupt_ends_the_work_there(tmp_path: Path):
    (code, said, is_struck, writes), written = struck(tmp_path, "SIGINT")
    assert code == 1
    assert "KeyboardInterrupt" in str(said)
    assert is_struck
    assert writes == {"lake write": 4}
    assert written in (["0.parquet", "1.parquet"], ["0.parquet", "1.parquet", "2.parquet"])


def test_without_a_moment_nothing_is_struck(tmp_path: Path):
    (code, said, is_struck, writes), written = struck(tmp_path, "SIGCONT")
    assert (code, said, is_struck) == (0, "done\n", False)
    assert writes == {"lake write": 6}
    assert len(written) == 5
