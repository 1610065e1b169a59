# Units and samples for other programs.
EXTRA_DIST += packaging/proxies/Caddyfile packaging/proxies/README.md \
	packaging/proxies/haproxy.cfg packaging/proxies/nginx.conf
EXTRA_DIST += packaging/webhook/README.md packaging/webhook/bulkhead-webhook \
	packaging/webhook/bulkhead-webhook.service
EXTRA_DIST += packaging/grafana/bulkhead.json \
	packaging/prometheus/bulkhead.yml \
	packaging/prometheus/bulkhead.rules.yml
