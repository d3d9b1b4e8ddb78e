#!/usr/bin/env bash
# Waits until Argo Rollouts has decided about a release, and ends with 0 if the new version is fully in place.
#
#   await-rollout.sh SERVICE NAMESPACE
#
# The phase counts only when Argo has observed the newest generation: before that it is the former release's.
# Healthy: every step was good. Degraded: the analysis failed and Argo has rolled back already. Paused to the end: too
# little traffic for a verdict; a person decides with `kubectl argo rollouts promote|abort`.
# Prints phase=<the last one> as an output of a step. Environment: ATTEMPTS (160), PAUSE_SECONDS (15).
set -euo pipefail

service=$1 namespace=$2 phase=unknown
for _ in $(seq "${ATTEMPTS:-160}"); do
  state=$(kubectl get rollout "$service" --namespace "$namespace" --output \
    jsonpath='{.metadata.generation} {.status.observedGeneration} {.status.phase}') || state=""
  read -r generation observed phase <<< "$state"
  # An object without a status has one field; Argo writes the observed generation as text.
  if [ -z "$phase" ] || [ "$generation" != "$observed" ]; then phase=unobserved; fi
  case "$phase" in Healthy | Degraded) break ;; esac
  sleep "${PAUSE_SECONDS:-15}"
done

echo "phase=$phase"
if [ "$phase" = Healthy ]; then exit 0; fi
echo "::error::$service is $phase in the canary" >&2
kubectl get analysisrun --namespace "$namespace" --selector "app.kubernetes.io/name=$service" --output yaml | tail -n 100 >&2
exit 1
