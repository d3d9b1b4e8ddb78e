{{- define "common.workload" -}}
{{- include (.values.rollout.enabled | ternary "common.rollout" "common.deployment") . -}}
{{- end -}}

{{- /* Who scales decides the number of pods: an upgrade must not set it back. */ -}}
{{- define "common.replicas" -}}
{{- if not .values.autoscaling.enabled }}
  replicas: {{ .values.replicas }}
{{- end }}
{{- end -}}
