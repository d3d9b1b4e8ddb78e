{{- /*
What every other template works on. A library's own values lie under .Values.common; the chart's lie over them here.
*/ -}}
{{- define "common.context" -}}
{{- $values := mustMergeOverwrite (deepCopy .Values.common) (omit .Values "common" "global") -}}
name: {{ .Chart.Name }}
capability: {{ trimSuffix "-service" .Chart.Name }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
version: {{ .Chart.AppVersion | quote }}
release: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
analysis: {{ .Subcharts.common.Files.Get "files/analysis.yaml" | toJson }}
values: {{ $values | toJson }}
{{- end -}}
