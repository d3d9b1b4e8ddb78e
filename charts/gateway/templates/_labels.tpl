{{- define "gateway.metadata" -}}
namespace: {{ .Release.Namespace }}
labels:
  app.kubernetes.io/name: castor-gateway
  app.kubernetes.io/instance: {{ .Release.Name }}
  app.kubernetes.io/part-of: castor
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "gateway.host" -}}
{{- $host := default (dig "castor" "ingress" "host" "" (.Values.global | default dict)) .Values.host -}}
{{ required "gateway: host is missing; give it, such as castor.example.org, or global.castor.ingress.host." $host }}
{{- end }}
