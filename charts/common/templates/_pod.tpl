{{- /* The pod template, the same for a Deployment and a Rollout. */ -}}
{{- define "common.pod" -}}
metadata:
  labels:
    {{- include "common.selector" . | nindent 4 }}
    app.kubernetes.io/part-of: castor
    app.kubernetes.io/version: {{ default .version .values.image.tag | quote }}
    {{- range prepend .values.peers "auth-service" | uniq }}
    {{- if ne . $.name }}
    castor.io/calls-{{ . }}: "true"
    {{- end }}
    {{- end }}
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    castor.io/config: {{ include "common.environment" . | sha256sum }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .name }}
  terminationGracePeriodSeconds: {{ default (include "common.endSeconds" . | int) .values.terminationGracePeriodSeconds }}
  {{- include "common.confinement" . | nindent 2 }}
  containers:
    - name: {{ .name }}
      {{- include "common.container" . | nindent 6 }}
      args: [serve]
      ports:
        - name: api
          containerPort: {{ .values.ports.api }}
        - name: management
          containerPort: {{ .values.ports.management }}
      envFrom:
        - configMapRef:
            name: {{ .name }}
      {{- with include "common.secretEnvironment" (dict "ctx" . "names" .values.secrets.required "optional" .values.secrets.optional) | trim }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      startupProbe:
        httpGet: { path: /health/live, port: management }
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: {{ div (add .values.startupSeconds 1) 2 }}
      livenessProbe:
        httpGet: { path: /health/live, port: management }
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /health/ready, port: management }
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      volumeMounts:
        - name: tls
          mountPath: /etc/castor/tls
          readOnly: true
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: tls
      secret:
        secretName: {{ include "common.tlsSecretName" . }}
        defaultMode: 0440
    - name: tmp
      emptyDir:
        sizeLimit: 256Mi
  {{- if .values.spread.enabled }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "common.selector" $ | nindent 10 }}
      matchLabelKeys: [{{ $.values.rollout.enabled | ternary "rollouts-pod-template-hash" "pod-template-hash" }}]
    {{- end }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
  {{- with get $.values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- /* The "restricted" Pod Security Standard, and a root file system that nobody writes. */ -}}
{{- define "common.confinement" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "common.container" -}}
image: {{ include "common.image" . }}
imagePullPolicy: {{ .values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "common.secretEnvironment" -}}
{{- range $name := concat .names .optional }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "common.secretName" $.ctx }}
      key: {{ $name }}
      {{- if has $name $.optional }}
      optional: true
      {{- end }}
{{- end }}
{{- end -}}
