#!/bin/sh
":" /*
# The daemon is launched as the command is, by the file beside this one: its sh half looks for Node, then Node starts
# below again.
file=$0
while [ -L "$file" ]; do
  target=$(PATH=$PATH:/usr/bin:/bin readlink "$file")
  case $target in /*) file=$target ;; *) file=${file%/[!/]*}/$target ;; esac
done
is_daemon=yes
. "${file%tsrepmgrd.js}tsrepmgr.js"
*/;

require("./tsrepmgr.js");
