{{- define "observability.labels" -}}
app.kubernetes.io/name: castor-observability
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: castor
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
