/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_view_table.c - the one table of views, in the order in which they are made. */
#include "unpack/unpack_view.h"

#define VIEW(WORD, TITLE, SPEC, LIMITATIONS, SMELL, MAKE, CONTEXT)                                 \
  {                                                                                                \
    .row = {.stage = "view",                                                                       \
            .name = WORD,                                                                          \
            .title = TITLE,                                                                        \
            .spec = SPEC,                                                                          \
            .library = "",                                                                         \
            .limitations = LIMITATIONS,                                                            \
            .available = true},                                                                    \
    .smell = SMELL, .make = MAKE, .context = CONTEXT                                               \
  }

static const View UTF16LE =
    VIEW("utf-16le", "UTF-16 text, little-endian, whole or in runs inside other data",
         "Unicode 15, 3.10", "a run inside other data begins at eight characters of ASCII in a row",
         SMELL_UTF16, utf16le_make, 0);
static const View UTF16BE = VIEW(
    "utf-16be", "UTF-16 text, big-endian, whole or in runs inside other data", "Unicode 15, 3.10",
    "a run that could be of either order counts as little-endian; it begins at eight characters of "
    "ASCII in a row",
    SMELL_UTF16, utf16be_make, 0);
static const View UTF32 = VIEW("utf-32", "UTF-32 text of either order, in runs", "Unicode 15, 3.10",
                               "other characters than ASCII end a run", SMELL_UTF32, utf32_make, 0);
static const View VBE =
    VIEW("vbe", "Scripts of Microsoft's Script Encoder (VBE, JSE)", "screnc.exe",
         "bytes of double-byte code pages stand as they are; the checksum is not verified",
         SMELL_VBE, vbe_make, 0);
static const View POWERSHELL =
    VIEW("powershell", "PowerShell's -EncodedCommand", "about_PowerShell_exe",
         "option names broken up by ^ or ` are not recognised: the block is then base64",
         SMELL_COMMAND, powershell_make, 0);
static const View BASE64 =
    VIEW("base64", "base64 blocks in other text", "RFC 4648",
         "blocks under 24 characters, the URL alphabet, and blocks broken by other text than line "
         "breaks, also written \\r\\n or \\n, are not decoded",
         SMELL_BASE64, base64_make, 0);
static const View LINES =
    VIEW("base64-lines", "base64 blocks in lines of 16 to 23 characters", "RFC 4648",
         "the first line's length is a multiple of four, and so long are all but the last, which "
         "has at least eight characters where it is the second",
         SMELL_LINES, base64_lines_make, 0);
static const View CODES = VIEW(
    "codes", "Bytes and characters as lists of numbers: Array(67,68), 0x43,0x44, hex:43,00",
    "VBA, VBScript, JScript, PowerShell, regedit",
    "of fewer than ten numbers, with anything but commas between them, or with arithmetic in them, "
    "no list is read",
    SMELL_CODES, codes_make, 0);
static const View UTF7 =
    VIEW("utf-7", "UTF-7 sequences in other text", "RFC 2152",
         "a sequence that does not end in - is left", SMELL_UTF7, utf7_make, LIMIT_VIEW_CONTEXT);
static const View HTML = VIEW("entities", "HTML and XML character references", "HTML 5",
                              "of named references those of ASCII are known; one among text of "
                              "other alphabets is left",
                              SMELL_ENTITIES, entities_make, LIMIT_VIEW_CONTEXT);
static const View ESCAPES = VIEW(
    "escapes", "Escapes of strings and URLs: \\x43, \\u0043, %43, %u0043", "ECMA-262, RFC 3986",
    "of octal escapes letters and signs alone; those among text of other alphabets are left, and "
    "those for other characters than letters where there are fewer than three",
    SMELL_ESCAPES, escapes_make, LIMIT_VIEW_CONTEXT);
static const View FOLDED = VIEW(
    "folded", "Constant strings of scripts put together: \"a\" & \"b\", Chr(), StrReverse()",
    "VBA, VBScript, JScript, PowerShell",
    "of variables what they were last set to from the top down is known, while that is no more "
    "than 32 KiB, and of 4,096 of them; loops and functions of the script's own are not "
    "followed, nor calls nested more than 16 deep; a constant of more than 16 MiB is folded in "
    "pieces",
    SMELL_FOLDED, fold_make, LIMIT_VIEW_CONTEXT);

static const View SHELL =
    VIEW("shell",
         "Scripts as cmd and PowerShell read them: c^d^o, Mes`sage, and what echo writes to a file",
         "cmd, about_Special_Characters",
         "a caret or backtick counts between two letters, in words of six letters and more, or as "
         "^&; lines of echo are read where there is one of these, up to 8,192 bytes of each",
         SMELL_SHELL, shell_make, LIMIT_VIEW_CONTEXT);

static const View *const TABLE[] = {&UTF16LE, &UTF16BE, &UTF32, &VBE,  &POWERSHELL,
                                    &BASE64,  &LINES,   &CODES, &UTF7, &HTML,
                                    &ESCAPES, &SHELL,   &FOLDED};

const View *const *view_table(size_t *n) {
  *n = G_N_ELEMENTS(TABLE);
  return TABLE;
}

const Row *const *unpack_view_rows(size_t *n) {
  G_STATIC_ASSERT(G_STRUCT_OFFSET(View, row) == 0);
  *n = G_N_ELEMENTS(TABLE);
  return (const Row *const *)(const void *)TABLE;
}
