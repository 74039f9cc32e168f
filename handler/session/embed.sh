#!/bin/sh
# A template as a C source that defines template_builtin.
#   embed.sh FILE
set -eu
LC_ALL=C
export LC_ALL

printf '/* Made from %s: change that file. */\n#include "session/template.h"\n\nstatic const char bytes[] = {\n' "$1"
od -An -v -tu1 "$1" | awk '{
    for (i = 1; i <= NF; i++) printf "%s%s,", i == 1 ? "    " : " ", ($i > 127 ? "(char)" $i : $i)
    print ""
}'
printf '    0\n};\n\nconst struct view template_builtin = { bytes, sizeof bytes - 1 };\n'
