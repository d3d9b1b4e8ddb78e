#!/usr/bin/env bash
# Rolls a release back with Helm and waits until it is in place.
#
#   roll-back.sh SERVICE NAMESPACE REVISION
#
# REVISION 0 is the newest one before that was installed: an upgrade that failed, for example in its migration, is passed
# over. Where the newest revision is a rollback itself, the one before is the release that was rolled back, so the same
# rollback is made again; where that rollback failed, Helm no longer says to which revision it went, and the revision has
# to be named. Needs helm, jq.
set -euo pipefail

service=$1 namespace=$2 revision=$3
helm history "$service" --namespace "$namespace" --max 10
if [ "$revision" = 0 ]; then
  history=$(helm history "$service" --namespace "$namespace" --max 10 --output json)
  last=$(jq -r 'last | .description' <<< "$history")
  if [[ $last =~ ^Rollback\ to\ ([0-9]+) ]]; then
    revision=${BASH_REMATCH[1]}
    echo "::notice::The newest revision of $service is a rollback to $revision: it is made again."
  # "Release ... failed" is what Helm writes when the pods of a rollback do not become ready in time.
  elif [[ $last =~ ^(Rollback|Release)\ .*\ failed ]]; then
    echo "::error::The newest revision of $service is a rollback that failed. Choose a revision above that was good" \
      "and run the workflow again with it: -f revision=<number>." >&2
    exit 1
  else
    revision=$(jq -r '[.[:-1][] | select(.description | test("^(Upgrade .* failed|Preparing upgrade)") | not)]
      | last | .revision // 0' <<< "$history")
  fi
fi
helm rollback "$service" "$revision" --namespace "$namespace" --wait --timeout 10m
