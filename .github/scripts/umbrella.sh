#!/usr/bin/env bash
# Packs the chart castor, each service in it with the signed image that it runs at a commit: packed/castor-VERSION.tgz.
#
#   umbrella.sh COMMIT VERSION
set -euo pipefail

commit=$1 version=$2
for chart in charts/*-service charts/console; do
  found=$(.github/scripts/image.sh "$(basename "$chart")" "$commit")
  declare -A image=()
  while IFS='=' read -r key value; do image[$key]=$value; done <<< "$found"
  printf '\nimage: {registry: "%s", repository: "%s", digest: "%s"}\n' \
    "${image[registry]}" "${image[repository]}" "${image[digest]}" >> "$chart/values.yaml"
  helm dependency build "$chart"
done
helm dependency build charts/castor
helm package charts/castor --version "$version" --app-version "$commit" --destination packed
