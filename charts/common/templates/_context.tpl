{{- /*
What every other template works on. The library's defaults lie under .Values.common; over them lie the values of all
services, global.castor, and over those the chart's own.
  service  the chart's name: the identity, the addresses of peers, the label `job` of metrics
  name     the name of the objects
*/ -}}
{{- define "common.context" -}}
{{- $global := .Values.global | default dict -}}
{{- $all := deepCopy (dig "castor" dict $global) -}}
{{- $values := mustMergeOverwrite (deepCopy .Values.common) $all (omit .Values "common" "global") -}}
{{- $label := default .Chart.Name $values.nameOverride -}}
service: {{ .Chart.Name }}
label: {{ $label | quote }}
name: {{ default $label $values.fullnameOverride | quote }}
capability: {{ trimSuffix "-service" .Chart.Name }}
chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
version: {{ .Chart.AppVersion | quote }}
release: {{ .Release.Name }}
revision: {{ .Release.Revision }}
namespace: {{ .Release.Namespace }}
registry: {{ dig "imageRegistry" "" $global | quote }}
pullSecrets: {{ concat (dig "imagePullSecrets" list $global) $values.image.pullSecrets | toJson }}
openshift: {{ .Capabilities.APIVersions.Has "security.openshift.io/v1" }}
analysis: {{ .Subcharts.common.Files.Get "files/analysis.yaml" | toJson }}
releaseTest: {{ .Subcharts.common.Files.Get "files/release_test.py" | toJson }}
values: {{ $values | toJson }}
{{- end -}}
