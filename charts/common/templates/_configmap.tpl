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

{{- define "common.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.metadata" . | nindent 2 }}
data:
  {{- include "common.environment" . | nindent 2 }}
{{- end -}}
