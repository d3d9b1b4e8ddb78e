{{- /* Objects of the platform that belong to the release, as they are given. */ -}}
{{- define "common.extramanifests" -}}
{{- range $index, $manifest := .values.extraManifests }}
{{- if $index }}
---
{{- end }}
{{ toYaml $manifest }}
{{- end }}
{{- end -}}
