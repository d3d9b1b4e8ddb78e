#!/usr/bin/env bash
# Adds charts that were pushed to the index of all of them, an asset of the release `charts`, which makes a repository of it:
#   helm repo add castor https://github.com/OWNER/REPOSITORY/releases/download/charts
# The packages stay in the OCI registry; the index leads there.
#
#   chart-index.sh OCI-FOLDER SUFFIX CHART...      a chart's version is that of its Chart.yaml with the suffix
set -euo pipefail

folder=$1 suffix=$2
shift 2
mkdir -p former pulled
for chart in "$@"; do
  version="$(awk '/^version:/ {print $2}' "charts/$chart/Chart.yaml")$suffix"
  helm pull "$folder/$chart" --version "$version" --destination pulled
done
# The first time there is no release, and no index in it. Where there is one it must be read, or all that is in it is lost.
gh release view charts > /dev/null 2>&1 || gh release create charts --title Charts --notes "The index of the Helm charts."
merge=()
assets=$(gh release view charts --json assets --jq '.assets[].name')
if grep --quiet --line-regexp index.yaml <<< "$assets"; then
  gh release download charts --pattern index.yaml --dir former
  merge=(--merge former/index.yaml)
fi
helm repo index pulled --url "$folder" "${merge[@]}"
# Helm writes addresses of files; in a registry a version is a tag.
sed -E -i 's#(oci://[^ ]+/[a-z-]+)-([0-9]+\.[0-9]+\.[0-9]+[^ ]*)\.tgz#\1:\2#' pulled/index.yaml
gh release upload charts pulled/index.yaml --clobber
