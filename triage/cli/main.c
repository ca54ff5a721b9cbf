/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - picks the command. */
#include "cli/commands.h"
#include "engine/coord.h"
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const Command COMMANDS[] = {
    {"scan", "-o CASE [OPTION...] EVIDENCE...", "examine evidence, write a case directory",
     command_scan},
    {"watch", "DIR -o CASES [OPTION...]", "scan each image that arrives in a folder",
     command_watch},
    {"report", "CASE [--format LIST]", "write the reports again from the case's store",
     command_report},
    {"status", "CASE", "say where a case stands, while it is written too", command_status},
    {"merge", "-o CASE SHARD...", "join the shards of one scan to its case", command_merge},
    {"compare", "-o DIR CASE...", "what the hits of one or many cases have in common",
     command_compare},
    {"submit", "--slurm -o CASE [OPTION...] EVIDENCE...",
     "examine evidence on a Slurm cluster: shards, then their merge", command_submit},
    {"verify", "CASE [--verify-signature CERT]",
     "check a case: files, rules, evidence, and every hit read again", command_verify},
    {"seal", "CASE [--sign KEY] [--timestamp-request] [--timestamp-reply FILE]",
     "sign a case's manifest, have its time stamped", command_seal},
    {"extract", "CASE HIT_ID... -o FILE.zip", "copy hit objects out of the evidence, encrypted",
     command_extract},
    {"explain", "CASE HIT_ID", "the grounds for and against the verdict on one hit",
     command_explain},
    {"info", "EVIDENCE", "say what the evidence is; examines nothing", command_info},
    {"check-rules", "[-v] FILE...", "compile rules and profiles, say what is wrong and where",
     command_check_rules},
    {"index-known", "LIST -o FILE", "make an index of a list of known files, for --known",
     command_index_known},
    {"formats", "", "list everything that can be read or written, with its limits",
     command_formats},
};

bool command_asks_help(int argc, char **argv) {
  return argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

int command_usage(bool is_asked, const char *text) {
  if (is_asked)
    g_print("%s", text);
  else
    g_printerr("%s", text);
  return is_asked ? EXIT_COMPLETE : EXIT_UNUSABLE;
}

static int run(const Command *command, int argc, char **argv) {
  g_autofree char *name = g_strconcat("triage ", command->name, NULL);
  g_set_prgname(name); /* as help names it */
  return command->run(argc, argv);
}

static void print_help(void) {
  g_print(
      "triage - finds scripts that send mail (or anything a YARA rule describes) in disk images\n"
      "and archives, and says what it could not examine.\n\n"
      "Usage:\n");
  for (gsize i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
    g_print("  triage %s%s%s\n      %s\n", COMMANDS[i].name, *COMMANDS[i].arguments ? " " : "",
            COMMANDS[i].arguments, COMMANDS[i].summary);
  g_print(
      "  triage --version\n      the versions of triage and of every library it uses\n\n"
      "'triage scan --help' lists the options. EVIDENCE is a disk image (raw, split raw, E01,\n"
      "VHD, VMDK, QCOW; named by its first segment), an archive, a single file or a directory.\n"
      "It is opened for reading only.\n\n"
      "Exit status: 0 everything examined; 1 finished, but something could not be fully examined\n"
      "(coverage.csv says what and why); 2 wrong usage or unusable input; 3 stopped part-way.\n");
}

int main(int argc, char **argv) {
  setlocale(LC_ALL, "C.UTF-8");
  if (argc < 2) {
    g_printerr("triage: name a command; 'triage --help' lists them\n");
    return EXIT_UNUSABLE;
  }
  if (command_asks_help(argc, argv) || strcmp(argv[1], "help") == 0) {
    print_help();
    return EXIT_COMPLETE;
  }
  if (strcmp(argv[1], "--version") == 0)
    return coord_versions();
  for (gsize i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
    if (strcmp(argv[1], COMMANDS[i].name) == 0)
      return run(&COMMANDS[i], argc - 1, argv + 1);
  g_printerr("triage: '%s' is no command; 'triage --help' lists them\n", argv[1]);
  return EXIT_UNUSABLE;
}
