{{- /*
Before the first pod of a version, and before nothing else: a rollback finds a schema that it understands.
The Job's name has the revision: an upgrade never deletes a migration that still runs, and the lock in the database makes
the second wait for the first. A Job that failed stays for a day, for its log.
*/ -}}
{{- define "common.migration" -}}
{{- if .values.migration.enabled }}
{{- if .values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.migrationMetadata" (dict "ctx" . "weight" "-5" "suffix" "") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.migrationSelector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "common.egress" .values.networkPolicy.dns | nindent 4 }}
    {{- include "common.egress" .values.networkPolicy.postgresql | nindent 4 }}
    {{- with .values.networkPolicy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
---
{{- end }}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "common.migrationMetadata" (dict "ctx" . "weight" "0" "suffix" (printf "-%v" .revision)) | nindent 2 }}
spec:
  backoffLimit: 3
  activeDeadlineSeconds: {{ .values.migration.deadlineSeconds }}
  ttlSecondsAfterFinished: 86400
  template:
    metadata:
      labels:
        {{- include "common.migrationSelector" . | nindent 8 }}
        {{- with .values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      restartPolicy: Never
      {{- include "common.confinement" . | nindent 6 }}
      {{- include "common.pullSecrets" . | nindent 6 }}
      {{- with include "common.initContainers" . | trim }}
      initContainers:
        {{- . | nindent 8 }}
      {{- end }}
      containers:
        - name: migrate
          {{- include "common.container" . | nindent 10 }}
          args: [migrate]
          {{- with .values.extraEnvFrom }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          env:
            {{- include "common.env" (dict "ctx" . "plain" dict "required" .values.secrets.required "optional" list) | trim | nindent 12 }}
          resources:
            {{- toYaml .values.migration.resources | nindent 12 }}
          volumeMounts:
            {{- include "common.mounts" . | nindent 12 }}
      volumes:
        {{- include "common.volumes" . | nindent 8 }}
      {{- include "common.scheduling" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "common.migrationSelector" -}}
app.kubernetes.io/name: {{ .label }}-migrate
app.kubernetes.io/instance: {{ .release }}
{{- end -}}

{{- define "common.migrationMetadata" -}}
name: {{ .ctx.name }}-migrate{{ .suffix }}
namespace: {{ .ctx.namespace }}
labels:
  {{- include "common.labels" (merge (dict "label" (printf "%s-migrate" .ctx.label)) .ctx) | nindent 2 }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
