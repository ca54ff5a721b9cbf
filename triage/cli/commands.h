/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - one file for each command; each takes its own argument vector and returns the exit
 * status of the contract. */
#pragma once

typedef struct {
  const char *name, *arguments, *summary;
  int (*run)(int argc, char **argv);
} Command;

int command_scan(int argc, char **argv);
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
int command_formats(int argc, char **argv);
