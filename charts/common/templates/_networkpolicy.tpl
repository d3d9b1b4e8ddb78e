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
        - podSelector: { matchLabels: { castor.io/calls-{{ .name }}: "true" } }
        {{- if .values.ingress.enabled }}
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ $policy.ingressNamespace }} } }
        {{- end }}
      ports: [{ port: api, protocol: TCP }]
    - from:
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ $policy.monitoringNamespace }} } }
      ports: [{ port: management, protocol: TCP }]
  egress:
    {{- include "common.dnsEgress" . | nindent 4 }}
    {{- range prepend .values.peers "auth-service" | uniq }}
    {{- if ne . $.name }}
    - to:
        - podSelector: { matchLabels: { app.kubernetes.io/name: {{ . }} } }
      ports: [{ port: {{ $.values.ports.api }}, protocol: TCP }]
    {{- end }}
    {{- end }}
    {{- if has "DATABASE_URL" .values.secrets.required }}
    {{- include "common.databaseEgress" . | nindent 4 }}
    {{- end }}
    - to:
        {{- toYaml $policy.redis | nindent 8 }}
      ports: [{ port: 6379, protocol: TCP }]
    {{- if hasKey .values.config "OTEL_EXPORTER_OTLP_ENDPOINT" }}
    - to:
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ $policy.monitoringNamespace }} } }
      ports: [{ port: 4318, protocol: TCP }]
    {{- end }}
    {{- with $policy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if $policy.internet }}
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
      ports: [{ port: 443, protocol: TCP }]
    {{- end }}
{{- end }}
{{- end -}}

{{- define "common.dnsEgress" -}}
- to:
    {{- toYaml .values.networkPolicy.dns | nindent 4 }}
  ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
{{- end -}}

{{- define "common.databaseEgress" -}}
- to:
    {{- toYaml .values.networkPolicy.postgresql | nindent 4 }}
  ports: [{ port: 5432, protocol: TCP }]
{{- end -}}
