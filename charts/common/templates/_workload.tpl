{{- define "common.workload" -}}
{{- include (.values.rollout.enabled | ternary "common.rollout" "common.deployment") . -}}
{{- end -}}

{{- /*
Who scales decides the number of pods. An upgrade keeps the number that is there: a manifest without one would set a
workload back to 1 pod when autoscaling is turned on. Rendered without a cluster there is none to keep.
*/ -}}
{{- define "common.replicas" -}}
{{- $rollout := .values.rollout.enabled -}}
{{- if not .values.autoscaling.enabled }}
  replicas: {{ .values.replicas }}
{{- else }}
{{- with lookup ($rollout | ternary "argoproj.io/v1alpha1" "apps/v1") ($rollout | ternary "Rollout" "Deployment") .namespace .name }}
  replicas: {{ max (int .spec.replicas) (int $.values.autoscaling.min) }}
{{- end }}
{{- end }}
{{- end -}}
