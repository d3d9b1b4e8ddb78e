{{- /* What a JSON schema cannot say: values that contradict one another. */ -}}
{{- define "common.validate" -}}
{{- $v := .values -}}
{{- if gt (int $v.autoscaling.min) (int $v.autoscaling.max) -}}
{{- fail (printf "%s: autoscaling.min=%v is above autoscaling.max=%v; raise the second or lower the first." .name $v.autoscaling.min $v.autoscaling.max) -}}
{{- end -}}
{{- if and $v.terminationGracePeriodSeconds (lt (int $v.terminationGracePeriodSeconds) (int (include "common.endSeconds" .))) -}}
{{- fail (printf "%s: terminationGracePeriodSeconds=%v would kill pods before they are drained; give at least %s, or none to have it computed." .name $v.terminationGracePeriodSeconds (include "common.endSeconds" .)) -}}
{{- end -}}
{{- if and (eq (dig "NOTIFIER" "" $v.config) "log") (ne (toString (dig "DEVELOPMENT" false $v.config)) "true") -}}
{{- fail (printf "%s: config.NOTIFIER=log writes one-time tokens to the log; set NOTIFIER=smtp and SMTP_URL in the Secret, or config.DEVELOPMENT=true on a developer's cluster." .name) -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.host) -}}
{{- fail (printf "%s: ingress.enabled needs ingress.host, such as castor.example.org." .name) -}}
{{- end -}}
{{- if and $v.ingress.enabled (eq $v.ingress.kind "gateway") $v.ingress.tlsSecretName -}}
{{- fail (printf "%s: ingress.tlsSecretName belongs to Ingress objects; the certificate that users see is a listener's of the Gateway. Leave it out, or set ingress.kind=nginx." .name) -}}
{{- end -}}
{{- if and $v.ingress.enabled (eq $v.ingress.kind "gateway") (eq $v.ingress.gateway.authorities.kind "ConfigMap") (not $v.ingress.gateway.authorities.name) -}}
{{- fail (printf "%s: ingress.gateway.authorities.name is empty; name the ConfigMap with the key ca.crt, or give kind=Secret for that of the certificate." .name) -}}
{{- end -}}
{{- if and $v.ingress.enabled (eq $v.ingress.kind "nginx") (not $v.certificate.enabled) -}}
{{- fail (printf "%s: ingress.kind=nginx needs certificate.enabled: the ingress proves itself to the service by a certificate of its own." .name) -}}
{{- end -}}
{{- if and $v.rollout.enabled (not $v.serviceMonitor.enabled) -}}
{{- fail (printf "%s: rollout.enabled needs serviceMonitor.enabled: the analysis finds the canary's metrics by a label that the ServiceMonitor adds." .name) -}}
{{- end -}}
{{- if $v.rollout.enabled -}}
{{- $pods := int ($v.autoscaling.enabled | ternary $v.autoscaling.min $v.replicas) -}}
{{- $share := int (ceil (divf 100 $pods)) -}}
{{- $first := int (first $v.rollout.weights) -}}
{{- if lt $first $share -}}
{{- fail (printf "%s: rollout.weights begins with %d %%, but one of %d pods is %d %%: weights are shares of pods. Begin with at least %d, or run more pods." .name $first $pods $share $share) -}}
{{- end -}}
{{- end -}}
{{- if and $v.caBundle.configMap $v.caBundle.secret -}}
{{- fail (printf "%s: caBundle names a ConfigMap and a Secret; give one of them." .name) -}}
{{- end -}}
{{- if and $v.migration.enabled (not (has "DATABASE_URL" $v.secrets.required)) -}}
{{- fail (printf "%s: migration.enabled needs DATABASE_URL in secrets.required." .name) -}}
{{- end -}}
{{- if has .service $v.peers -}}
{{- fail (printf "%s: peers names the service itself; list only the services that it calls." .name) -}}
{{- end -}}
{{- range $name := concat $v.secrets.required $v.secrets.optional -}}
{{- if hasKey $v.config $name -}}
{{- fail (printf "%s: config.%s is secret; put it into the Secret %q and leave it out of config." $.name $name (include "common.secretName" $)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
