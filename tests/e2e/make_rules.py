#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints YARA rules as public rule sets have them, the same for the same seed: texts, hex strings with
wildcards and jumps, regular expressions, modifiers, modules, counts, loops, sets, references.

make_rules.py SEED NUMBER [WORDS...]: texts are taken from the files WORDS too, so that they match there."""
import random
import re
import sys

COMMON = """CreateObject WScript.Shell cdo.message smtpserver powershell -enc cmd.exe http:// https:// .exe .dll kernel32.dll
user32.dll LoadLibraryA GetProcAddress VirtualAlloc This.program libc.so.6 GLIBC_2. __libc_start_main /bin/sh <script eval(
document.write unescape Function Attribute.VB_Name AutoOpen Shell( Environ( From: Subject: Content-Type base64 PK [Content_Types].xml
META-INF %PDF- /JavaScript stream endobj MZ ELF JFIF IHDR OLE ThisDocument Workbook .vbs .bat schtasks ftp:// SELECT INSERT
password user admin root@ passwd shadow crontab #!/bin/ python import perl""".split()


def words_of(paths):
    found = []
    for path in paths:
        with open(path, "rb") as f:
            data = f.read(4 << 20)
        found += [w.decode() for w in re.findall(rb"[A-Za-z][A-Za-z0-9_./:-]{4,24}", data)]
    return sorted(set(found))


class Maker:
    def __init__(self, seed, words):
        self.r = random.Random(seed)
        self.words = COMMON + self.r.sample(words, min(len(words), 600))

    def word(self):
        if self.r.random() < 0.15:
            return "".join(self.r.choice("abcdefghijklmnopqrstuvwxyz_ABCXYZ0189") for _ in range(self.r.randint(4, 20)))
        return self.r.choice(self.words)

    def text(self):
        value = self.word().replace("\\", "\\\\").replace('"', '\\"')
        kind = self.r.random()
        if kind < 0.08 and len(value) > 3:
            return f'"{value}" {self.r.choice(["base64", "base64wide", "base64 base64wide"])}'
        if kind < 0.1 and len(value) > 3:
            return f'"{value}" xor{self.r.choice(["", "(1-255)", "(32)"])} {self.r.choice(["", "wide", "ascii wide"])}'
        flags = [f for f in ("nocase", "wide", "fullword") if self.r.random() < 0.35]
        return f'"{value}" {" ".join(flags)} {"ascii" if "wide" in flags and self.r.random() < 0.6 else ""}'

    def hex(self):
        value = self.word().encode()
        out = []
        for i, c in enumerate(value):
            kind = self.r.random()
            if i > 0 and i + 1 < len(value) and kind < 0.2:
                out.append(self.r.choice(["??", f"{c >> 4:X}?", f"?{c & 15:X}", f"( {c:02X} | 00 )", f"[{self.r.randint(0, 1)}-3]",
                                          f"{c:02X} [0-400]"]))
            else:
                out.append(f"{c:02X}")
        return "{ " + " ".join(out) + " }"

    def regex(self):
        value = re.sub(r"([^A-Za-z0-9_])", r"\\\1", self.word()).replace("\\ ", " ")
        end = self.r.choice([r"\.[a-z]{2,4}", r"[0-9]+", r"\s*=", "", r"(com|net|org)", r".{0,20}x", r"\b", r"[^\x00]{1,8}"])
        begin = self.r.choice(["", "", "", r"[a-z]+", r"(http|ftp)s?", r"\b", "^"])
        return f"/{begin}{value}{end}/{self.r.choice(['', 'i', 's', 'is'])} {self.r.choice(['', 'wide', 'ascii wide', 'fullword'])}"

    def string(self):
        kind = self.r.random()
        return self.text() if kind < 0.6 else self.hex() if kind < 0.8 else self.regex()

    def guard(self):
        return self.r.choice([
            "filesize < 200KB", "filesize > 100 and filesize < 5MB", "uint16(0) == 0x5A4D", "uint32(0) == 0x464C457F",
            "uint16be(0) == 0x504B", "pe.is_pe", "not pe.is_pe", "pe.number_of_sections > 2", "pe.imports(\"kernel32.dll\")",
            "math.entropy(0, filesize) < 7.5", "math.in_range(math.mean(0, filesize), 20.0, 200.0)", "elf.type == elf.ET_DYN",
            'hash.md5(0, 16) != "00"', "for any i in (0..7) : (uint8(i) == 0x50)", "filename == \"\"",
            "for any s in pe.sections : (s.name == \".text\")", "time.now() > 1"])

    def needs(self, n):
        a, b = (f"s{self.r.randrange(n)}" for _ in range(2))
        return self.r.choice([
            "any of them", "all of them", f"{min(2, n)} of them", "any of ($s*)", "40% of them", f"${a}", f"${a} and ${b}",
            f"${a} or ${b}", f"#{a} > 2", f"#{a} >= 1 and @{a} < 4000", f"${a} at 0", f"${a} in (0..1024)",
            f"#{a} in (0..8192) > 0", f"@{a} < @{b}", f"!{a}[1] > 3", "for any of them : (# > 1)",
            f"for any i in (1..#{a}) : (@{a}[i] > 64)", f"any of ($s*) in (0..filesize)", f"for all of (${a}, ${b}) : ($ in (0..65536))"])

    def lacks(self, n):
        a = f"s{self.r.randrange(n)}"
        return self.r.choice([f"not ${a}", f"#{a} == 0", "none of them", f"#{a} < 3", f"not (#{a} > 1)", "0 of them",
                              f"for all i in (1..#{a}) : (@{a}[i] > 4)", f"not any of ($s*)", "filesize < 40"])

    def condition(self, n, number):
        kind = self.r.random()
        parts = [self.needs(n)]
        if kind < 0.5:
            parts.insert(self.r.randrange(2), self.guard())
        if self.r.random() < 0.2:
            parts.append(f"not ${'s%d' % self.r.randrange(n)}" if self.r.random() < 0.5 else self.needs(n))
        text = " and ".join(f"({p})" for p in parts)
        if self.r.random() < 0.06:
            text = f"({text}) or {self.lacks(n)}" if self.r.random() < 0.5 else f"{self.guard()} and {self.lacks(n)}"
        if number > 10 and self.r.random() < 0.1:
            other = self.r.randrange(number - 10, number)
            text = f"{self.r.choice(['', '', 'not '])}rule_{other} and ({text})"
        return text

    def rule(self, number):
        n = self.r.choice([1, 1, 2, 3, 4, 5, 8])
        kind = self.r.random()
        word = "private " if kind < 0.06 else "global " if kind > 0.995 else ""
        lines = [f"{word}rule rule_{number} {{", "  strings:"]
        lines += [f"    $s{i} = {self.string()}" for i in range(n)]
        condition = "filesize >= 0 or any of them" if word == "global " else self.condition(n, number)
        lines += ["  condition:", f"    for all of them : (# >= 0) and ({condition})", "}"]
        return "\n".join(lines)


maker = Maker(int(sys.argv[1]), words_of(sys.argv[3:]))
print("\n".join(f'import "{m}"' for m in ("pe", "elf", "math", "hash", "time")))
for i in range(int(sys.argv[2])):
    print(maker.rule(i))
