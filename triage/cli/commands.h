/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - one file for each command; each takes its own argument vector and returns the exit
 * status of the contract. */
#pragma once
#include <stdbool.h>

typedef struct {
  const char *name, *arguments, *summary;
  int (*run)(int argc, char **argv);
} Command;

/* True where the first argument asks for help. */
bool command_asks_help(int argc, char **argv);
/* Prints what a command takes, where it was asked for on standard output; returns the status. */
int command_usage(bool is_asked, const char *text);

int command_scan(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_report(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_seal(int argc, char **argv);
int command_extract(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_info(int argc, char **argv);
int command_check_rules(int argc, char **argv);
int command_index_known(int argc, char **argv);
int command_status(int argc, char **argv);
int command_merge(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_submit(int argc, char **argv);
int command_formats(int argc, char **argv);
