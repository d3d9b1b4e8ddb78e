{{- /*
A hook, because the migration is one too and reads the Secret. The Secret outlives this object:
running pods need it while a new object takes over.
*/ -}}
{{- define "common.externalsecret" -}}
{{- if .values.externalSecret.enabled }}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  {{- include "common.metadata" . | nindent 2 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "-10"
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  refreshInterval: {{ .values.externalSecret.refreshInterval }}
  secretStoreRef:
    kind: {{ .values.externalSecret.store.kind }}
    name: {{ .values.externalSecret.store.name }}
  target:
    name: {{ include "common.secretName" . }}
    creationPolicy: Orphan
    deletionPolicy: Retain
  dataFrom:
    - extract:
        key: {{ default (printf "castor/%s" .service) .values.externalSecret.key }}
{{- end }}
{{- end -}}
