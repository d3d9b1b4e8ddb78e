{{- /* Public paths only. The alias is an object of its own, because rewriting applies to a whole one. */ -}}
{{- define "common.ingress" -}}
{{- if .values.ingress.enabled }}
{{- $path := printf "/v1/%s" .capability -}}
{{- include "common.ingressPath" (dict "ctx" . "name" .name "path" $path "type" "Prefix" "rewrite" "" "wellKnown" .values.ingress.wellKnown) }}
---
{{ include "common.ingressPath" (dict "ctx" . "name" (printf "%s-alias" .name) "path" (printf "/api(%s(?:/.*)?)$" $path) "type" "ImplementationSpecific" "rewrite" "$1") }}
{{- end }}
{{- end -}}

{{- define "common.ingressPath" -}}
{{- $ingress := .ctx.values.ingress -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .name }}
  namespace: {{ .ctx.namespace }}
  labels:
    {{- include "common.labels" .ctx | nindent 4 }}
  annotations:
    nginx.ingress.kubernetes.io/backend-protocol: HTTPS
    nginx.ingress.kubernetes.io/proxy-ssl-secret: {{ .ctx.namespace }}/{{ include "common.ingressSecretName" .ctx }}
    nginx.ingress.kubernetes.io/proxy-ssl-verify: "on"
    nginx.ingress.kubernetes.io/proxy-ssl-verify-depth: "2"
    nginx.ingress.kubernetes.io/proxy-ssl-name: {{ .ctx.name }}
    nginx.ingress.kubernetes.io/proxy-ssl-server-name: "on"
    nginx.ingress.kubernetes.io/proxy-ssl-protocols: TLSv1.3
    nginx.ingress.kubernetes.io/proxy-body-size: {{ $ingress.maxBodySize | quote }}
    nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
    nginx.ingress.kubernetes.io/proxy-read-timeout: {{ $ingress.timeoutSeconds | quote }}
    nginx.ingress.kubernetes.io/proxy-send-timeout: {{ $ingress.timeoutSeconds | quote }}
    {{- if .rewrite }}
    nginx.ingress.kubernetes.io/use-regex: "true"
    nginx.ingress.kubernetes.io/rewrite-target: {{ .rewrite }}
    {{- end }}
    {{- with $ingress.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  ingressClassName: {{ $ingress.className }}
  tls:
    - hosts: [{{ $ingress.host | quote }}]
      {{- with $ingress.tlsSecretName }}
      secretName: {{ . }}
      {{- end }}
  rules:
    - host: {{ $ingress.host | quote }}
      http:
        paths:
          - path: {{ .path }}
            pathType: {{ .type }}
            backend:
              service:
                name: {{ .ctx.name }}
                port:
                  name: api
          {{- range .wellKnown }}
          - path: /.well-known/{{ . }}
            pathType: Exact
            backend:
              service:
                name: {{ $.ctx.name }}
                port:
                  name: api
          {{- end }}
{{- end -}}
