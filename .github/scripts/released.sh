#!/usr/bin/env bash
# Prints commit=, the commit of main that the last release which succeeded was of, as an output of a step; empty before
# the first one.
#
#   released.sh
#
# A release takes in all that changed since then. The commit before the push would not do: GitHub keeps one run that
# waits, and drops it when a newer one comes, and a run may fail; what those should have released would never be built.
# Needs GITHUB_REPOSITORY, GH_TOKEN with `actions: read`, gh.
set -euo pipefail

commit=$(gh run list --repo "$GITHUB_REPOSITORY" --workflow release.yml --branch main --event push --status success \
  --limit 1 --json headSha --jq '.[].headSha')
echo "commit=$commit"
