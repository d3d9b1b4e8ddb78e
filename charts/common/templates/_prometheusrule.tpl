{{- define "common.prometheusrule" -}}
{{- if and .values.prometheusRule.enabled .values.prometheusRule.groups }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  {{- include "common.metadata" . | nindent 2 }}
    {{- with .values.prometheusRule.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  groups:
    {{- toYaml .values.prometheusRule.groups | nindent 4 }}
{{- end }}
{{- end -}}
