{{- define "trial.metadata" -}}
namespace: {{ .Release.Namespace }}
labels:
  app.kubernetes.io/instance: {{ .Release.Name }}
  app.kubernetes.io/part-of: castor
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* The services with a database, which is called like its role, and its extensions that a superuser has to create. */ -}}
{{- define "trial.databases" -}}
auth: []
openai: []
twitter: [unaccent]
trending: []
rag: [vector, unaccent]
forecast: []
{{- end }}

{{- /* A value of a Secret that is there already, or a new one: context, name of the Secret, key, new value. */ -}}
{{- define "trial.kept" -}}
{{- $there := lookup "v1" "Secret" .ctx.Release.Namespace .name -}}
{{- $data := dig "data" dict ($there | default dict) -}}
{{- hasKey $data .key | ternary (get $data .key | default "" | b64dec) .new -}}
{{- end }}
