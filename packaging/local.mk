# Units and samples for other programs.
EXTRA_DIST += packaging/proxies/Caddyfile packaging/proxies/README.md \
	packaging/proxies/haproxy.cfg packaging/proxies/nginx.conf
