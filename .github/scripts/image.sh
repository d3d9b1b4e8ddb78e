#!/usr/bin/env bash
# Finds the image of a service that a commit of main runs, and prints it as outputs of a step:
#   registry=, repository=, digest=, version= (the commit that it was built from).
#
#   image.sh SERVICE COMMIT
#
# Only changed services are built, so it is the image of the commit or of the nearest one before it. Only an image that
# the workflow release of this repository has signed counts; one of COMMIT itself without a signature is an error.
# That there is none, or no signature, must be said in so many words: after any other failure the image of an earlier
# commit would be taken for the newest.
# Needs GITHUB_REPOSITORY, a checkout with its history, docker (logged in), cosign.
set -euo pipefail

service=$1 wanted=$2
registry=ghcr.io
repository="${GITHUB_REPOSITORY,,}"
repository="${repository%%/*}/castor/$service"
image="$registry/$repository"
failure=$(mktemp)

signed() {
  cosign verify "$image@$1" \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity "https://github.com/$GITHUB_REPOSITORY/.github/workflows/release.yml@refs/heads/main" \
    > /dev/null 2> "$failure"
}

give_up() {
  cat "$failure" >&2
  echo "::error::$1" >&2
  exit 1
}

for commit in $(git rev-list --first-parent --max-count 500 "$wanted"); do
  if ! digest=$(docker buildx imagetools inspect "$image:$commit" --format '{{.Manifest.Digest}}' 2> "$failure"); then
    if grep --quiet --extended-regexp ': not found$|manifest unknown|name unknown' "$failure"; then continue; fi
    give_up "cannot tell whether $image:$commit exists; run this job again when the registry answers"
  fi
  if signed "$digest"; then
    printf '%s\n' "registry=$registry" "repository=$repository" "digest=$digest" "version=$commit"
    exit 0
  fi
  if [ "$commit" = "$wanted" ]; then give_up "$image@$digest is not signed by the workflow release"; fi
  if ! grep --quiet --extended-regexp 'no (matching )?signatures' "$failure"; then
    give_up "cannot tell whether $image@$digest is signed; run this job again"
  fi
done
echo "::error::no commit up to $wanted has a signed image $image" >&2
exit 1
