{{- /*
Public paths only, for a controller that knows ingress-nginx's annotations. An object a kind of path: those of usual size, ingress.uploads, whose bodies are passed on as they
come, and ingress.servicesOnly, which nobody outside reaches. An alias is an object of its own, because rewriting applies
to a whole one. The longest path wins, of patterns too.
*/ -}}
{{- define "common.ingress" -}}
{{- if and .values.ingress.enabled (eq .values.ingress.kind "nginx") }}
{{- with .values.ingress.path }}
{{- include "common.ingressPath" (dict "ctx" $ "kind" "usual" "name" $.name "path" . "type" "Prefix" "rewrite" "") }}
{{- else }}
{{- $kinds := list (dict "kind" "usual" "paths" (list "")) (dict "kind" "upload" "paths" .values.ingress.uploads) (dict "kind" "closed" "paths" .values.ingress.servicesOnly) -}}
{{- $ctx := . -}}
{{- $objects := list -}}
{{- range $kinds }}
{{- $kind := .kind -}}
{{- range .paths }}
{{- $path := printf "/v1/%s%s" $ctx.capability (empty . | ternary "" (printf "/%s" .)) -}}
{{- $name := printf "%s%s" $ctx.name (empty . | ternary "" (printf "-%s" (replace "/" "-" .))) -}}
{{- $plain := dict "ctx" $ctx "kind" $kind "name" $name "path" $path "type" "Prefix" "rewrite" "" "wellKnown" (empty . | ternary $ctx.values.ingress.wellKnown list) -}}
{{- $alias := dict "ctx" $ctx "kind" $kind "name" (printf "%s-alias" $name) "path" (printf "/api(%s(?:/.*)?)$" $path) "type" "ImplementationSpecific" "rewrite" "$1" -}}
{{- $objects = concat $objects (list (include "common.ingressPath" $plain) (include "common.ingressPath" $alias)) -}}
{{- end }}
{{- end }}
{{ join "\n---\n" $objects }}
{{- end }}
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
    {{- if eq .kind "closed" }}
    nginx.ingress.kubernetes.io/whitelist-source-range: 127.0.0.1/32
    {{- end }}
    nginx.ingress.kubernetes.io/proxy-body-size: {{ (eq .kind "upload" | ternary $ingress.maxUploadSize $ingress.maxBodySize) | quote }}
    nginx.ingress.kubernetes.io/proxy-request-buffering: {{ (eq .kind "upload" | ternary "off" "on") | quote }}
    {{- with $ingress.limits }}
    nginx.ingress.kubernetes.io/limit-rps: {{ .requestsPerSecond | quote }}
    nginx.ingress.kubernetes.io/limit-burst-multiplier: {{ .burstMultiplier | quote }}
    nginx.ingress.kubernetes.io/limit-connections: {{ .connections | quote }}
    {{- end }}
    nginx.ingress.kubernetes.io/proxy-read-timeout: {{ $ingress.timeoutSeconds | quote }}
    nginx.ingress.kubernetes.io/proxy-send-timeout: {{ $ingress.timeoutSeconds | quote }}
    {{- if .rewrite }}
    nginx.ingress.kubernetes.io/use-regex: "true"
    nginx.ingress.kubernetes.io/rewrite-target: {{ .rewrite }}
    {{- end }}
    {{- with $ingress.corsOrigins }}
    nginx.ingress.kubernetes.io/enable-cors: "true"
    nginx.ingress.kubernetes.io/cors-allow-origin: {{ join "," . | quote }}
    nginx.ingress.kubernetes.io/cors-allow-credentials: "false"
    nginx.ingress.kubernetes.io/cors-allow-methods: GET, POST, PUT, PATCH, DELETE
    nginx.ingress.kubernetes.io/cors-allow-headers: Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id, X-Request-Timeout-Ms
    nginx.ingress.kubernetes.io/cors-expose-headers: Chart-Description, Content-Disposition, ETag, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate, X-Castor-Adapted, X-Castor-Cache, X-Castor-Degraded, X-Request-Id
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
