{{- /* Every setting that is no secret: where we listen, who we are, where the peers are, and what the values say. */ -}}
{{- define "common.environment" -}}
API_HOST: 0.0.0.0
API_PORT: {{ .values.ports.api | quote }}
MANAGEMENT_HOST: 0.0.0.0
MANAGEMENT_PORT: {{ .values.ports.management | quote }}
TLS_CERT_FILE: /etc/castor/tls/tls.crt
TLS_KEY_FILE: /etc/castor/tls/tls.key
TLS_CA_FILE: /etc/castor/tls/ca.crt
{{- range $peer := prepend .values.peers "auth-service" | uniq }}
{{ trimSuffix "-service" $peer | upper }}_URL: https://{{ $peer }}:{{ $.values.ports.api }}
{{- end }}
{{- range $name, $value := .values.config }}
{{ $name }}: {{ include "common.text" $value | quote }}
{{- end }}
{{- end -}}

{{- /*
The variables of a container. They stand in the pod, not in a ConfigMap: a ConfigMap of a fixed name would reach the
stable pods while a canary is judged, and would stay when it is aborted.
An entry of extraEnv replaces the chart's of the same name, because a name may be given once.
  ctx, plain: names and values, required and optional: names of secret settings
*/ -}}
{{- define "common.env" -}}
{{- $taken := dict -}}
{{- range .ctx.values.extraEnv -}}
{{- $_ := set $taken .name true -}}
{{- end -}}
{{- range $name, $value := merge (include "common.trust" .ctx | fromYaml) .plain }}
{{- if not (hasKey $taken $name) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $name := concat .required .optional }}
{{- if not (hasKey $taken $name) }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "common.secretName" $.ctx }}
      key: {{ $name }}
      {{- if has $name $.optional }}
      optional: true
      {{- end }}
{{- end }}
{{- end }}
{{- with .ctx.values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* OpenSSL adds SSL_CERT_FILE to the system's folder of authorities; PGSSLROOTCERT is for sslmode=verify-full. */ -}}
{{- define "common.trust" -}}
{{- if include "common.caVolume" . }}
SSL_CERT_FILE: /etc/castor/ca-bundle/{{ .values.caBundle.key }}
PGSSLROOTCERT: /etc/castor/ca-bundle/{{ .values.caBundle.key }}
{{- end }}
{{- end -}}

{{- define "common.caVolume" -}}
{{- $bundle := .values.caBundle -}}
{{- if or $bundle.configMap $bundle.secret }}
- name: ca-bundle
  {{- if $bundle.configMap }}
  configMap: { name: {{ $bundle.configMap }} }
  {{- else }}
  secret: { secretName: {{ $bundle.secret }}, defaultMode: 0444 }
  {{- end }}
{{- end }}
{{- end -}}
