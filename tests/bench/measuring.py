# SPDX-License-Identifier: Apache-2.0
"""measuring.py: a command's wall time, processor time and memory, for the benchmarks beside it."""
import os
import signal
import subprocess
import threading
import time


def tree(root):
    """A process and its descendants."""
    pids = [root]
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as children:
                    pids += map(int, children.read().split())
        except OSError:
            continue
    return pids


def tree_anonymous(root):
    """Anonymous memory of a process and its descendants, in bytes."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
                total += sum(int(line.split()[1]) for line in status if line.startswith("RssAnon:")) * 1024
        except OSError:
            continue
    return total


def measure(command, environment, limit=None):
    """(wall, cpu, peak bytes, status) of a shell command; status None: ended after limit seconds."""
    peak, done = [0], threading.Event()
    begun = time.monotonic()
    process = subprocess.Popen(["bash", "-c", command], env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    cut = [False]

    def watch():
        while not done.wait(0.1):
            peak[0] = max(peak[0], tree_anonymous(process.pid))
            if limit is not None and not cut[0] and time.monotonic() - begun > limit:
                cut[0] = True  # what the command clears up behind its programs is still to be done
                for pid in tree(process.pid)[1:]:
                    try:
                        os.kill(pid, signal.SIGTERM)
                    except ProcessLookupError:
                        continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    done.set()
    watcher.join()
    return wall, usage.ru_utime + usage.ru_stime, peak[0], None if cut[0] else os.waitstatus_to_exitcode(status)


def facts():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown")
    with open("/proc/meminfo", encoding="utf-8") as info:
        memory = int(next(info).split()[1]) // 1024
    return f"{os.cpu_count()} processors ({model}), {memory} MiB, kernel {os.uname().release}, load at the start {os.getloadavg()[0]:.2f}"
