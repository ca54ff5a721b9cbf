# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, a C file that says what this program was built from and how, where it would differ
# from what is there: COMMIT of the tree SOURCE ("+" behind it: with changes), "unknown" in a copy
# without git.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -c safe.directory=${SOURCE} -C ${SOURCE} describe --always --abbrev=40 --dirty=+
                        --exclude=*
                OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
if(failed OR NOT EXISTS ${SOURCE}/.git)
  set(commit unknown)
endif()
set(text "commit ${commit}\ncompiler ${COMPILER}\nflags ${FLAGS}")
string(REGEX REPLACE " +" " " text "${text}")
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n" text "${text}")
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#include \"engine/coord_versions.h\"\nconst char BUILD_ID[] = \"@text@\";\n" @ONLY)
