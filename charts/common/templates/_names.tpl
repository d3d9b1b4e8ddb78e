{{- /* Selectors can never change, so they hold only what never does. */ -}}
{{- define "common.selector" -}}
app.kubernetes.io/name: {{ .label }}
app.kubernetes.io/instance: {{ .release }}
{{- end -}}

{{- define "common.labels" -}}
{{ include "common.selector" . }}
castor.io/service: {{ .service }}
app.kubernetes.io/part-of: castor
app.kubernetes.io/version: {{ .version | quote }}
app.kubernetes.io/managed-by: Helm
helm.sh/chart: {{ .chart }}
{{- end -}}

{{- define "common.metadata" -}}
name: {{ .name }}
namespace: {{ .namespace }}
labels:
  {{- include "common.labels" . | nindent 2 }}
{{- end -}}

{{- define "common.image" -}}
{{- $image := .values.image -}}
{{- $path := default (printf "castor/%s" .service) $image.repository -}}
{{- $registry := default $image.registry .registry -}}
{{- $name := empty $registry | ternary $path (printf "%s/%s" $registry $path) -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $name $image.digest }}
{{- else -}}
{{ printf "%s:%s" $name (default .version $image.tag) }}
{{- end -}}
{{- end -}}

{{- define "common.secretName" -}}
{{ default .name .values.secrets.name }}
{{- end -}}

{{- define "common.tlsSecretName" -}}
{{ default (printf "%s-tls" .name) .values.certificate.secretName }}
{{- end -}}

{{- define "common.ingressSecretName" -}}
{{ .name }}-ingress-tls
{{- end -}}

{{- /* A service's setting as text. Helm reads every number as a float, and would write 5.36870912e+08. */ -}}
{{- define "common.text" -}}
{{- if kindIs "map" . -}}
{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ toString . }}
{{- end -}}
{{- end -}}

{{- /* Seconds that a pod needs to end: by then load balancers have noticed and requests in flight are answered. */ -}}
{{- define "common.endSeconds" -}}
{{- $drain := dig "DRAIN_DELAY_SECONDS" 5 .values.config -}}
{{- $graceful := dig "GRACEFUL_SHUTDOWN_SECONDS" 30 .values.config -}}
{{ add (ceil $drain) (ceil $graceful) 15 }}
{{- end -}}
