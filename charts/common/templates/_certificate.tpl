{{- define "common.certificate" -}}
{{- if .values.certificate.enabled }}
{{- $names := list .name (printf "%s.%s" .name .namespace) (printf "%s.%s.svc" .name .namespace) (printf "%s.%s.svc.cluster.local" .name .namespace) -}}
{{- include "common.leaf" (dict "ctx" . "name" .name "secret" (include "common.tlsSecretName" .) "identity" .service "dns" $names) }}
{{- if and .values.ingress.enabled (eq .values.ingress.kind "nginx") }}
---
{{- /* The ingress has one identity; each release holds a certificate of it, so that each is installed alone. */}}
{{ include "common.leaf" (dict "ctx" . "name" (printf "%s-ingress" .name) "secret" (include "common.ingressSecretName" .) "identity" "ingress" "dns" (list "ingress")) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.leaf" -}}
{{- $certificate := .ctx.values.certificate -}}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ .name }}
  namespace: {{ .ctx.namespace }}
  labels:
    {{- include "common.labels" .ctx | nindent 4 }}
spec:
  secretName: {{ .secret }}
  duration: {{ $certificate.duration }}
  renewBefore: {{ $certificate.renewBefore }}
  privateKey:
    algorithm: ECDSA
    size: 256
    rotationPolicy: Always
  usages: [digital signature, server auth, client auth]
  uris: ["spiffe://castor/{{ .identity }}"]
  dnsNames:
    {{- toYaml .dns | nindent 4 }}
  issuerRef:
    group: cert-manager.io
    kind: {{ $certificate.issuer.kind }}
    name: {{ $certificate.issuer.name }}
{{- end -}}
