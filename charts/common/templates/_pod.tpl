{{- /* The pod template, the same for a Deployment and a Rollout. */ -}}
{{- define "common.pod" -}}
metadata:
  labels:
    {{- include "common.selector" . | nindent 4 }}
    castor.io/service: {{ .service }}
    app.kubernetes.io/part-of: castor
    app.kubernetes.io/version: {{ default .version .values.image.tag | quote }}
    {{- range prepend .values.peers "auth-service" | uniq }}
    {{- if ne . $.service }}
    castor.io/calls-{{ . }}: "true"
    {{- end }}
    {{- end }}
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ .name }}
  terminationGracePeriodSeconds: {{ default (include "common.endSeconds" . | int) .values.terminationGracePeriodSeconds }}
  {{- include "common.confinement" . | nindent 2 }}
  {{- with include "common.initContainers" . | trim }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .service }}
      {{- include "common.container" . | nindent 6 }}
      args: [serve]
      ports:
        - name: api
          containerPort: {{ .values.ports.api }}
        - name: management
          containerPort: {{ .values.ports.management }}
      {{- with .values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        {{- $plain := include "common.environment" . | fromYaml }}
        {{- include "common.env" (dict "ctx" . "plain" $plain "required" .values.secrets.required "optional" .values.secrets.optional) | trim | nindent 8 }}
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
        {{- include "common.mounts" . | nindent 8 }}
  volumes:
    - name: tls
      secret:
        secretName: {{ include "common.tlsSecretName" . }}
        defaultMode: 0440
    {{- include "common.volumes" . | nindent 4 }}
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
  {{- include "common.scheduling" . | nindent 2 }}
{{- end -}}

{{- /* Init containers, and side containers as Kubernetes has them: a Job ends although they run on. */ -}}
{{- define "common.initContainers" -}}
{{- with .values.initContainers }}
{{ toYaml . }}
{{- end }}
{{- range .values.sidecars }}
- {{ toYaml (merge (dict "restartPolicy" "Always") .) | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{- define "common.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if include "common.caVolume" . }}
- name: ca-bundle
  mountPath: /etc/castor/ca-bundle
  readOnly: true
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "common.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- include "common.caVolume" . }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "common.scheduling" -}}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $.values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- /*
The "restricted" Pod Security Standard, and a root file system that nobody writes. OpenShift chooses the ids itself and
refuses others; elsewhere they are those of the image.
*/ -}}
{{- define "common.confinement" -}}
{{- $ids := .openshift | ternary dict (dict "runAsUser" 10001 "runAsGroup" 10001 "fsGroup" 10001) -}}
{{- $restricted := dict "runAsNonRoot" true "fsGroupChangePolicy" "OnRootMismatch" "seccompProfile" (dict "type" "RuntimeDefault") -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml (mustMergeOverwrite $restricted $ids (deepCopy .values.podSecurityContext)) | nindent 2 }}
{{- end -}}

{{- define "common.container" -}}
{{- $restricted := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
image: {{ include "common.image" . }}
imagePullPolicy: {{ .values.image.pullPolicy }}
securityContext:
  {{- toYaml (mustMergeOverwrite $restricted (deepCopy .values.securityContext)) | nindent 2 }}
{{- end -}}

{{- define "common.pullSecrets" -}}
{{- with .pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ kindIs "map" . | ternary . (dict "name" .) | dig "name" "" }}
  {{- end }}
{{- end }}
{{- end -}}
