#!/bin/sh
# unpack.sh SOURCE_DIR TARGET_DIR NAME...: copies each file; Debian compresses the larger ones.
set -eu
from=$1
to=$2
shift 2
mkdir -p "$to"
for name in "$@"; do
  if [ -e "$from/$name.gz" ]; then
    gzip -dc "$from/$name.gz" > "$to/$name"
  else
    cp "$from/$name" "$to/$name"
  fi
done
# The examples include the config.h of QuickFIX's own build, which no package carries.
: > "$to/config.h"
