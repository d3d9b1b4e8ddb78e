{{- /* What decides is in files/analysis.yaml, the same for all; .Subcharts leads to the library's own files. */ -}}
{{- define "common.analysis" -}}
{{- if .values.rollout.enabled }}
{{- $spec := .analysis | fromYaml -}}
{{- range $metric := $spec.metrics -}}
{{- $_ := set $metric.provider.prometheus "address" $.values.analysis.prometheus -}}
{{- end -}}
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  {{- toYaml $spec | nindent 2 }}
{{- end }}
{{- end -}}
