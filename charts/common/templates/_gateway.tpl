{{- /*
The public paths by the Gateway API: a route, and the policy by which the Gateway verifies the service behind it. The
Gateway proves itself by its own client certificate (charts/gateway). What nobody outside may reach is asked for at a path
that the service does not have, so that it answers 404 in its own format: the API has no answer of a Gateway's own.
*/ -}}
{{- define "common.httproute" -}}
{{- if and .values.ingress.enabled (eq .values.ingress.kind "gateway") }}
{{- $gateway := .values.ingress.gateway -}}
{{- $path := default (printf "/v1/%s" .capability) .values.ingress.path -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  {{- include "common.metadata" . | nindent 2 }}
  {{- with .values.ingress.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  parentRefs:
    - name: {{ $gateway.name }}
      namespace: {{ default .namespace $gateway.namespace }}
      {{- with $gateway.sectionName }}
      sectionName: {{ . }}
      {{- end }}
  hostnames: [{{ .values.ingress.host | quote }}]
  rules:
    - matches:
        - path: { type: PathPrefix, value: {{ $path }} }
        {{- range .values.ingress.wellKnown }}
        - path: { type: Exact, value: /.well-known/{{ . }} }
        {{- end }}
      {{- include "common.routeRule" (dict "ctx" . "rewrite" dict) | nindent 6 }}
    {{- if not .values.ingress.path }}
    - matches:
        - path: { type: PathPrefix, value: /api{{ $path }} }
      {{- include "common.routeRule" (dict "ctx" . "rewrite" (dict "type" "ReplacePrefixMatch" "replacePrefixMatch" $path)) | nindent 6 }}
    {{- end }}
    {{- with .values.ingress.servicesOnly }}
    - matches:
        {{- range . }}
        - path: { type: PathPrefix, value: {{ $path }}/{{ . }} }
        - path: { type: PathPrefix, value: /api{{ $path }}/{{ . }} }
        {{- end }}
      {{- include "common.routeRule" (dict "ctx" $ "rewrite" (dict "type" "ReplaceFullPath" "replaceFullPath" "/closed")) | nindent 6 }}
    {{- end }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  targetRefs:
    - { group: "", kind: Service, name: {{ .name }}, sectionName: api }
  validation:
    caCertificateRefs:
      - { group: "", kind: {{ $gateway.authorities.kind }}, name: {{ default (include "common.tlsSecretName" .) $gateway.authorities.name }} }
    # With names of its own in the policy, the host name is asked for and no longer compared.
    hostname: {{ .name }}
    subjectAltNames:
      - { type: URI, uri: spiffe://castor/{{ .service }} }
{{- end }}
{{- end -}}

{{- /* What happens to a matched request. No time limit: services end requests themselves, and streams are long. */ -}}
{{- define "common.routeRule" -}}
{{- $origins := .ctx.values.ingress.corsOrigins -}}
{{- if or .rewrite $origins }}
filters:
  {{- with .rewrite }}
  - type: URLRewrite
    urlRewrite: { path: {{ toJson . }} }
  {{- end }}
  {{- with $origins }}
  - type: CORS
    cors:
      allowOrigins: {{ toJson . }}
      allowMethods: [GET, POST, PUT, PATCH, DELETE]
      allowHeaders: [Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id, X-Request-Timeout-Ms]
      exposeHeaders: [Chart-Description, Content-Disposition, ETag, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate, X-Castor-Adapted, X-Castor-Cache, X-Castor-Degraded, X-Request-Id]
      maxAge: 600
  {{- end }}
{{- end }}
backendRefs:
  - { name: {{ .ctx.name }}, port: {{ .ctx.values.ports.api }} }
timeouts: { request: 0s }
{{- end -}}
