{{- define "common.servicemonitor" -}}
{{- if .values.serviceMonitor.enabled }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "common.metadata" . | nindent 2 }}
    {{- with .values.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  # The label `job` of every metric is the service's name, whatever the object is called.
  jobLabel: castor.io/service
  selector:
    matchLabels:
      {{- include "common.selector" . | nindent 6 }}
  # Tells the canary's pods from the others'.
  podTargetLabels: [rollouts-pod-template-hash]
  endpoints:
    - port: management
      path: /metrics
      interval: {{ .values.serviceMonitor.interval }}
{{- end }}
{{- end -}}
