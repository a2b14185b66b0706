#!/bin/sh
# The morning pull of a CRM job: the predictions of the latest day, then what changed since the last pull.
# Run it as often as you like; README.md beside it says what it reads and writes.
set -eu
umask 077

: "${LOYALCAST_API_KEY:?is not set: the key of this job, see loyalcast keys}"
: "${PROGRAM:?is not set: the name of the program}"
url=${API_URL:-http://127.0.0.1:3000}/v1/programs/$PROGRAM
out=${OUT:-.}
for=${FOR:-}
tries=${TRIES:-8}
first_wait=${FIRST_WAIT:-1}

case $for in
'') format=ndjson last_id='.customer_id | @uri' ;;
hubspot) format=ndjson last_id='.inputs[-1].id | @uri' ;;
salesforce) format=csv last_id= ;;
*) echo "FOR is $for; it is hubspot, salesforce or empty." >&2 && exit 2 ;;
esac
file=predictions${for:+.$for}.$format
query=${for:+&for=$for}${FIELDS:+&fields=$(printf %s "$FIELDS" | jq -sRr @uri)}${ID_FIELD:+&id_field=$ID_FIELD}

# What a run leaves for the next one: "done" (day and ETag of the last pull), and of a pull that was cut off "part" (its
# rows so far), "head" (its first response's headers) and "asked" (its address).
state=$out/.pull/${for:-plain}
mkdir -p "$state"

say() { echo "$*" >&2; }

# A header of a response, the last one where there are several. header FILE NAME
header() {
  [ ! -f "$1" ] || awk -v name="$2" '{ sub(/\r$/, "") } tolower($0) ~ "^" name ":" { sub(/^[^:]*: */, ""); value = $0 } END { print value }' "$1"
}

# The status in a file of headers; empty where no answer came.
status_in() { [ ! -f "$1" ] || awk '/^HTTP\// { status = $2 } END { print status }' "$1"; }

# Asks once and appends the rows to a file. The key goes through a pipe: arguments can be seen by others on this machine.
# ask ADDRESS HEADERS-FILE ROWS-FILE [OPTIONS OF CURL …]
ask() {
  address=$1 head=$2 rows=$3
  shift 3
  rm -f "$head"
  printf 'Authorization: Bearer %s\n' "$LOYALCAST_API_KEY" |
    curl --silent --show-error --fail --no-buffer --compressed --connect-timeout 10 --speed-limit 1 --speed-time 60 \
      --header @- --dump-header "$head" "$@" "$address" >>"$rows" &&
    # To curl an answer that ends within its headers is whole.
    { [ -z "$(tail -n 1 "$head" | tr -d '\r')" ] || return 18; }
}

# Whether to ask again after curl ended with this, and waits until then. Else says why not. again CURL-EXIT HEADERS-FILE
again() {
  status=$(status_in "$2")
  case $1,$status in
  22,429 | 22,502 | 22,503 | 22,504) ;;
  22,* | 1,* | 2,* | 3,* | 23,*) return 1 ;;
  esac
  tried=$((tried + 1))
  [ "$tried" -lt "$tries" ] || return 1
  wait=$(header "$2" retry-after)
  case $wait in '' | *[!0-9]*) wait=$next_wait ;; esac
  next_wait=$((next_wait * 2 > 60 ? 60 : next_wait * 2))
  say "curl ended with $1${status:+, status $status}: again in $wait s."
  sleep "$wait"
}

# Says what the server says, and ends.
fail() {
  say "$1 could not be pulled: status ${3:-none}."
  printf 'Authorization: Bearer %s\n' "$LOYALCAST_API_KEY" |
    curl --silent --max-time 10 --header @- "$2" | head -c 10000 | jq -r '.detail // empty' >&2 || :
  exit 1
}

whole="$url/predictions.$format${query:+?${query#&}}"

forget() { rm -f "$state/part" "$state/head"; }

# Rows that came before a break stay, but for half a row at the end.
keep_whole_rows() {
  : >>"$state/part"
  [ -s "$state/part" ] && [ -n "$(tail -c 1 "$state/part")" ] || return 0
  sed '$d' "$state/part" >"$state/part.whole" && mv "$state/part.whole" "$state/part"
}

# The rows of the latest day in "part". 1: they are those of the last pull.
pull_predictions() {
  tried=0 next_wait=$first_wait
  while :; do
    ended=0
    cursor=$(header "$state/head" loyalcast-cursor)
    if [ -n "$cursor" ] && [ -n "$last_id" ]; then
      keep_whole_rows
      after=$(tail -n 1 "$state/part" | jq -r "$last_id") || { forget && continue; }
      had=$(wc -c <"$state/part")
      more="$url/predictions.$format?cursor=$cursor${after:+&after=$after}$query"
      say "Going on behind line $(wc -l <"$state/part" | tr -d ' ')."
      ask "$more" "$state/head.more" "$state/part" || ended=$?
      [ "$ended" != 0 ] || return 0
      # What the cursor walks over is kept for a day.
      case $(status_in "$state/head.more") in 400 | 410) forget && continue ;; esac
      # Only tries that bring nothing count.
      [ "$(wc -c <"$state/part")" -eq "$had" ] || { tried=0 next_wait=$first_wait; }
      again "$ended" "$state/head.more" || fail predictions "$more" "$(status_in "$state/head.more")"
    else
      forget
      known=$(sed -n 2p "$state/done" 2>/dev/null || :)
      ask "$whole" "$state/head" "$state/part" ${known:+--header "If-None-Match: $known"} || ended=$?
      [ "$(status_in "$state/head")" != 304 ] || { forget && return 1; }
      [ "$ended" != 0 ] || return 0
      again "$ended" "$state/head" || fail predictions "$whole" "$(status_in "$state/head")"
    fi
  done
}

# What changed between two days in "changes"; nothing there where the server cannot tell, as for a day that is gone.
pull_changes() {
  tried=0 next_wait=$first_wait
  address="$url/changes.ndjson?since=$1&date=$2"
  while :; do
    rm -f "$state/changes"
    ended=0
    ask "$address" "$state/head.changes" "$state/changes" || ended=$?
    [ "$ended" != 0 ] || return 0
    case $(status_in "$state/head.changes") in 400 | 404) rm -f "$state/changes" && return 0 ;; esac
    again "$ended" "$state/head.changes" || fail changes "$address" "$(status_in "$state/head.changes")"
  done
}

# Files appear whole; what is remembered is written last, so that a run that is cut off anywhere is done again.
publish() {
  day=$(header "$state/head" content-disposition | sed -n 's/.*-\([0-9]\{4\}-[0-9][0-9]-[0-9][0-9]\)\..*/\1/p')
  before=$(sed -n 1p "$state/done" 2>/dev/null || :)
  since=
  [ "$before" = "$day" ] || since=$before
  [ -z "$since" ] || pull_changes "$since" "$day"
  printf '%s\n%s\n' "$day" "$(header "$state/head" etag)" >"$state/done.new"
  mv "$state/part" "$out/$file"
  if [ -f "$state/changes" ]; then mv "$state/changes" "$out/changes.ndjson"; else rm -f "$out/changes.ndjson"; fi
  mv "$state/done.new" "$state/done"
  forget
  echo "$day: $(wc -l <"$out/$file" | tr -d ' ') lines in $out/$file"
  [ -n "$since" ] || return 0
  [ -f "$out/changes.ndjson" ] || { say "What changed since $since cannot be told any more." && return 0; }
  counts=$(jq -nr 'reduce inputs.change as $one ({}; .[$one] += 1) | [to_entries[] | "\(.value) \(.key)"] | join(", ")' "$out/changes.ndjson")
  echo "since $since: ${counts:-nothing changed}, in $out/changes.ndjson"
}

# Rows of another question are not gone on with.
[ "$(cat "$state/asked" 2>/dev/null || :)" = "$url$query" ] || { forget && rm -f "$state/done"; }
printf '%s' "$url$query" >"$state/asked"

# What an earlier run left is gone on with, unless the day is not the latest any more.
left=$(header "$state/head" etag)
if [ -n "$left" ]; then
  ask "$whole" "$state/head.check" /dev/null --head --header "If-None-Match: $left" || :
  [ "$(status_in "$state/head.check")" != 200 ] || forget
fi

if pull_predictions; then publish; else echo "nothing new"; fi
