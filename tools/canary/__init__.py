"""The canary analysis, proved without a cluster: recorded releases, a real Prometheus, Argo's own rules."""
