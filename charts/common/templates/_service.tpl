{{- define "common.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "common.metadata" . | nindent 2 }}
spec:
  type: ClusterIP
  selector:
    {{- include "common.selector" . | nindent 4 }}
  ports:
    - name: api
      port: {{ .values.ports.api }}
      targetPort: api
      appProtocol: https
    - name: management
      port: {{ .values.ports.management }}
      targetPort: management
{{- end -}}
