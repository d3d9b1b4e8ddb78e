{{- /*
Weights are shares of pods, so they hold for the ingress and for peers alike. The autoscaler counts both versions' pods.
*/ -}}
{{- define "common.rollout" -}}
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  {{- include "common.replicas" . }}
  revisionHistoryLimit: 5
  progressDeadlineSeconds: 600
  progressDeadlineAbort: true
  selector:
    matchLabels:
      {{- include "common.selector" . | nindent 6 }}
  strategy:
    canary:
      maxSurge: 1
      maxUnavailable: 0
      steps:
        {{- range .values.rollout.weights }}
        - setWeight: {{ . }}
        - analysis:
            templates:
              - templateName: {{ $.name }}
            args:
              {{- include "common.analysisArguments" $ | nindent 14 }}
        {{- end }}
  template:
    {{- include "common.pod" . | nindent 4 }}
{{- end -}}

{{- define "common.analysisArguments" -}}
- name: service
  value: {{ .service }}
- name: namespace
  value: {{ .namespace }}
- name: canary-hash
  valueFrom:
    podTemplateHashValue: Latest
- name: success-rate
  value: {{ .values.analysis.successRate | quote }}
- name: p95-seconds
  value: {{ .values.analysis.p95Seconds | quote }}
{{- with .values.analysis.untimed }}
- name: untimed
  value: {{ join "|" . | quote }}
{{- end }}
{{- end -}}
