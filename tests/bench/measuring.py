# SPDX-License-Identifier: Apache-2.0
"""measuring.py: a command's wall time, processor time and memory, for the benchmarks beside it."""
import os
import subprocess
import threading
import time


def tree_anonymous(root):
    """Anonymous memory of a process and its descendants, in bytes."""
    parents, pages = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/status", encoding="ascii", errors="replace") as status:
                fields = dict(line.split(":", 1) for line in status if ":" in line)
            parents[int(entry)] = int(fields["PPid"])
            pages[int(entry)] = int(fields.get("RssAnon", "0 kB").split()[0]) * 1024
        except (OSError, KeyError, ValueError):
            continue
    total = 0
    for pid in pages:
        above = pid
        while above > 1 and above != root:
            above = parents.get(above, 0)
        total += pages[pid] if above == root else 0
    return total


def measure(command, environment):
    """(wall, cpu, peak bytes, status) of a shell command."""
    peak, done = [0], threading.Event()
    begun = time.monotonic()
    process = subprocess.Popen(["bash", "-c", command], env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)

    def watch():
        while not done.wait(0.1):
            peak[0] = max(peak[0], tree_anonymous(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    done.set()
    watcher.join()
    return wall, usage.ru_utime + usage.ru_stime, peak[0], os.waitstatus_to_exitcode(status)


def facts():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown")
    with open("/proc/meminfo", encoding="utf-8") as info:
        memory = int(next(info).split()[1]) // 1024
    return f"{os.cpu_count()} processors ({model}), {memory} MiB, kernel {os.uname().release}, load at the start {os.getloadavg()[0]:.2f}"
