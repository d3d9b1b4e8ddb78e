"""Recording rules and dashboards, generated from ``charts/observability/slo.yaml`` and ``panels.py``."""
