#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pick_rules.py RULES < output of check-rules -v: prints of RULES what is proved, so that the prefilter works. A rule that
refers to one left out is left out too."""
import re
import sys

proved = set(re.findall(r"^rule (\w+): (?:false|never|private)", sys.stdin.read(), re.M))
with open(sys.argv[1], encoding="utf-8") as f:
    head, *rules = re.split(r"^(?=(?:private |global )?rule )", f.read(), flags=re.M)
print(head, end="")
kept = set()
for rule in rules:
    name = re.search(r"rule (\w+)", rule).group(1)
    if name in proved and set(re.findall(r"\b(rule_\d+)\b", rule)) - {name} <= kept:
        kept.add(name)
        print(rule, end="")
