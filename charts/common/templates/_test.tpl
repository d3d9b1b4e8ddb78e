{{- /*
`helm test`: a pod of the release's own image and identity. auth-service is logged in to as the first administrator, for as
long as the Secret has its password. The label lets the pod reach the port of health and metrics.
*/ -}}
{{- define "common.test" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ .name }}-test
  namespace: {{ .namespace }}
  labels:
    {{- include "common.labels" (merge (dict "label" (printf "%s-test" .label)) .) | nindent 4 }}
    castor.io/calls-{{ .service }}: "true"
    castor.io/tests-{{ .service }}: "true"
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  restartPolicy: Never
  activeDeadlineSeconds: 120
  {{- include "common.confinement" . | nindent 2 }}
  {{- include "common.pullSecrets" . | nindent 2 }}
  {{- with include "common.initContainers" . | trim }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: test
      {{- include "common.container" . | nindent 6 }}
      command: [python, -c]
      args:
        - |
          {{- .releaseTest | nindent 10 }}
      {{- with .values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        {{- $tls := pick (include "common.environment" . | fromYaml) "TLS_CERT_FILE" "TLS_KEY_FILE" "TLS_CA_FILE" }}
        {{- $urls := dict "API_URL" (printf "https://%s:%v" .name .values.ports.api) "MANAGEMENT_URL" (printf "http://%s:%v" .name .values.ports.management) }}
        {{- include "common.env" (dict "ctx" . "plain" (merge $urls $tls) "required" list "optional" list) | trim | nindent 8 }}
        {{- if has "BOOTSTRAP_ADMIN_PASSWORD" .values.secrets.optional }}
        {{- range $name, $key := dict "TEST_EMAIL" "BOOTSTRAP_ADMIN_EMAIL" "TEST_PASSWORD" "BOOTSTRAP_ADMIN_PASSWORD" }}
        - name: {{ $name }}
          valueFrom: { secretKeyRef: { name: {{ include "common.secretName" $ }}, key: {{ $key }}, optional: true } }
        {{- end }}
        {{- end }}
      resources:
        requests: { cpu: 10m, memory: 32Mi }
        limits: { memory: 128Mi }
      volumeMounts:
        - name: tls
          mountPath: /etc/castor/tls
          readOnly: true
        {{- include "common.mounts" . | nindent 8 }}
  volumes:
    - name: tls
      secret:
        secretName: {{ include "common.tlsSecretName" . }}
        defaultMode: 0440
    {{- include "common.volumes" . | nindent 4 }}
  {{- include "common.scheduling" . | nindent 2 }}
{{- end -}}
