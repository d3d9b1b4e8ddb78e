{{- /* The whole release: every kind that the values ask for. The only template that a chart includes. */ -}}
{{- define "common.all" -}}
{{- $ctx := include "common.context" . | fromYaml -}}
{{- include "common.validate" $ctx -}}
{{- $kinds := list "serviceaccount" "externalsecret" "certificate" "migration" "networkpolicy" "service" "workload" -}}
{{- $kinds = concat $kinds (list "hpa" "pdb" "httproute" "ingress" "servicemonitor" "prometheusrule" "analysis" "extramanifests" "test") -}}
{{- range $kind := $kinds }}
{{- with include (printf "common.%s" $kind) $ctx | trim }}
---
{{ . }}
{{- end }}
{{- end }}
{{- end -}}
