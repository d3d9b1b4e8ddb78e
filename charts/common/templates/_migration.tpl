{{- /* Before the first pod of a version, and before nothing else: a rollback finds a schema that it understands. */ -}}
{{- define "common.migration" -}}
{{- if .values.migration.enabled }}
{{- if .values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.migrationMetadata" (dict "ctx" . "weight" "-5") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ .name }}-migrate
      app.kubernetes.io/instance: {{ .release }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "common.dnsEgress" . | nindent 4 }}
    {{- include "common.databaseEgress" . | nindent 4 }}
---
{{- end }}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "common.migrationMetadata" (dict "ctx" . "weight" "0") | nindent 2 }}
spec:
  backoffLimit: 3
  activeDeadlineSeconds: {{ .values.migration.deadlineSeconds }}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {{ .name }}-migrate
        app.kubernetes.io/instance: {{ .release }}
    spec:
      restartPolicy: Never
      {{- include "common.confinement" . | nindent 6 }}
      {{- with .values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      containers:
        - name: migrate
          {{- include "common.container" . | nindent 10 }}
          args: [migrate]
          env:
            {{- include "common.secretEnvironment" (dict "ctx" . "names" .values.secrets.required "optional" list) | trim | nindent 12 }}
          resources:
            requests: { cpu: 50m, memory: 128Mi }
            limits: { memory: 512Mi }
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {}
{{- end }}
{{- end -}}

{{- define "common.migrationMetadata" -}}
name: {{ .ctx.name }}-migrate
namespace: {{ .ctx.namespace }}
labels:
  {{- include "common.labels" .ctx | replace (printf "name: %s\n" .ctx.name) (printf "name: %s-migrate\n" .ctx.name) | nindent 2 }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
