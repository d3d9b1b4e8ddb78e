{{- /*
An edge is written once, as a peer in the caller's values: there it opens the way out and labels the pods, and the
callee lets in whoever bears the label, so it need not be installed anew for a new caller. Who a caller is, mTLS proves.
kubelet needs no rule: a node always reaches its own pods.
*/ -}}
{{- define "common.networkpolicy" -}}
{{- $policy := .values.networkPolicy -}}
{{- if $policy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: { matchLabels: { castor.io/calls-{{ .service }}: "true" } }
        {{- if .values.ingress.enabled }}
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ include "common.ingressNamespace" . }} } }
        {{- end }}
      ports: [{ port: api, protocol: TCP }]
    - from:
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ $policy.monitoringNamespace }} } }
        - podSelector: { matchLabels: { castor.io/tests-{{ .service }}: "true" } }
      ports: [{ port: management, protocol: TCP }]
  egress:
    {{- include "common.egress" $policy.dns | nindent 4 }}
    {{- range prepend .values.peers "auth-service" | uniq }}
    {{- if ne . $.service }}
    - to:
        - podSelector: { matchLabels: { app.kubernetes.io/name: {{ . }} } }
        - podSelector: { matchLabels: { castor.io/service: {{ . }} } }
      ports: [{ port: {{ $.values.ports.api }}, protocol: TCP }]
    {{- end }}
    {{- end }}
    {{- if has "DATABASE_URL" .values.secrets.required }}
    {{- include "common.egress" $policy.postgresql | nindent 4 }}
    {{- end }}
    {{- include "common.egress" $policy.redis | nindent 4 }}
    {{- if include "common.isSet" (dict "ctx" . "name" "OTEL_EXPORTER_OTLP_ENDPOINT") }}
    {{- include "common.egress" $policy.otlp | nindent 4 }}
    {{- end }}
    {{- if eq (dig "NOTIFIER" "" .values.config) "smtp" }}
    {{- include "common.egress" $policy.smtp | nindent 4 }}
    {{- end }}
    {{- with $policy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if $policy.internet }}
    {{- include "common.egress" (dict "to" list "ports" (list 443)) | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}

{{- /* A rule to some targets at some ports; without targets, to public addresses. `udp` opens both protocols. */ -}}
{{- define "common.egress" -}}
- to:
    {{- if .to }}
    {{- toYaml .to | nindent 4 }}
    {{- else }}
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
    {{- end }}
  ports:
    {{- range $port := .ports }}
    {{- range $protocol := dig "udp" false $ | ternary (list "UDP" "TCP") (list "TCP") }}
    - { port: {{ $port }}, protocol: {{ $protocol }} }
    {{- end }}
    {{- end }}
{{- end -}}

{{- /* Where the pods are that pass public requests on. */ -}}
{{- define "common.ingressNamespace" -}}
{{- $ingress := .values.ingress -}}
{{- $usual := eq $ingress.kind "gateway" | ternary (default .namespace $ingress.gateway.namespace) "ingress-nginx" -}}
{{ default $usual .values.networkPolicy.ingressNamespace }}
{{- end -}}

{{- /* Whether a variable is among the settings or the extra variables. */ -}}
{{- define "common.isSet" -}}
{{- if hasKey .ctx.values.config .name }}yes{{ end -}}
{{- range .ctx.values.extraEnv }}{{ if eq .name $.name }}yes{{ end }}{{ end -}}
{{- end -}}
