# Runs a command and takes away the note that it was due. $1 note, then the command
note=$1
shift
"$@" && rm -f -- "$note"
