{{- define "common.hpa" -}}
{{- $scale := .values.autoscaling -}}
{{- if $scale.enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: {{ .values.rollout.enabled | ternary "argoproj.io/v1alpha1" "apps/v1" }}
    kind: {{ .values.rollout.enabled | ternary "Rollout" "Deployment" }}
    name: {{ .name }}
  minReplicas: {{ $scale.min }}
  maxReplicas: {{ $scale.max }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ $scale.cpu }} }
    {{- if $scale.customMetrics }}
    {{- range $scale.metrics }}
    - type: Pods
      pods:
        metric: { name: {{ .name }} }
        target: { type: AverageValue, averageValue: {{ .average | toString | quote }} }
    {{- end }}
    {{- end }}
  behavior:
    # Up at once and by doubling: load is shed meanwhile. Down slowly: a lull is no trend.
    scaleUp:
      stabilizationWindowSeconds: 0
      selectPolicy: Max
      policies:
        - { type: Percent, value: 100, periodSeconds: 30 }
        - { type: Pods, value: 2, periodSeconds: 30 }
    scaleDown:
      stabilizationWindowSeconds: 300
      policies:
        - { type: Percent, value: 25, periodSeconds: 60 }
{{- end }}
{{- end -}}
