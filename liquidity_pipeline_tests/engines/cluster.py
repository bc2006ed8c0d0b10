"""A real standalone cluster of Spark on loopback: one master and two workers, each a process.

The classes are those of the PySpark wheel. Its scripts would leave daemons behind; here every
process is a child in a session of its own, so that a worker and its executors can be killed like a
machine that loses power.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SECONDS_TO_START = 90


@dataclass
class LoopbackCluster:
    """The master's URL, and the processes of its workers."""

    url: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill_worker(self, number: int) -> None:
        """Kill a worker with its executors by SIGKILL, and return when it is gone."""
        _kill(self.workers[number])


@contextmanager
def loopback_cluster(folder: Path, n_workers: int = 2) -> Iterator[LoopbackCluster]:
    """Give a cluster of workers with one core each; its logs and scratch files are in a folder."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        ready = r"Starting Spark master at (\S+)"
        master, url = _start(folder, "master", ready, _daemon("master.Master"))
        started.append(master)
        cluster = LoopbackCluster(url)
        for number in range(n_workers):
            name = f"worker{number}"
            size = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / name))
            daemon = _daemon("worker.Worker", *size, url)
            worker, _ = _start(folder, name, r"Successfully registered with (\S+)", daemon)
            started.append(worker)
            cluster.workers.append(worker)
        yield cluster
    finally:
        for process in reversed(started):
            _kill(process)


@contextmanager
def loopback_connect(folder: Path) -> Iterator[str]:
    """Give the URL of a Spark Connect server with two local cores."""
    ready = r"Spark Connect server started at: \S*?:(\d+)"
    arguments = [
        "org.apache.spark.deploy.SparkSubmit",
        *("--master", "local[2]", "--conf", "spark.connect.grpc.binding.port=0"),
        *("--conf", "spark.connect.grpc.binding.address=127.0.0.1"),
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"),
    ]
    process, port = _start(folder, "connect", ready, arguments)
    try:
        yield f"sc://127.0.0.1:{port}"
    finally:
        _kill(process)


def write_defaults(folder: Path) -> None:
    """Write Spark's configuration for small data on a small machine."""
    lines = (
        "spark.sql.shuffle.partitions 4",
        "spark.executor.memory 700m",
        "spark.ui.enabled false",
    )
    (folder / "spark-defaults.conf").write_text("\n".join(lines) + "\n")


def java() -> str | None:
    """Return the Java that Spark would use, if there is one."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which(f"{home}/bin/java") if home else shutil.which("java")


def _daemon(role: str, *more: str) -> list[str]:
    shared = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    return [f"org.apache.spark.deploy.{role}", *shared, *more]


def _start(
    folder: Path, name: str, ready: str, arguments: list[str]
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a process and return it with what the line of its log says that it is ready."""
    import pyspark

    home = Path(pyspark.__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    # The script becomes the JVM, with the options that Java 17 needs.
    command = [f"{home}/bin/spark-class", *arguments]
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=_environment(home, folder), start_new_session=True
        )
    try:
        return process, _wait_for(ready, log, process)
    except BaseException:
        _kill(process)
        raise


def _environment(home: Path, folder: Path) -> dict[str, str]:
    project = Path(__file__).parents[2]
    return {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_DAEMON_MEMORY": "600m",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(project),
    }


def _wait_for(ready: str, log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if found := re.search(ready, log.read_text(errors="replace")):
            return found.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"{log.stem} did not start: {log.read_text(errors='replace')[-2_000:]}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
