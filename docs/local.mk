EXTRA_DIST += docs/BENCHMARKS.md docs/DECISIONS.md docs/TESTING.md docs/CONTROL-HEADERS.md \
	docs/LOGGING.md docs/POLICY-PROTOCOL.md docs/STORE.md
dist_man_MANS += docs/man/bulkhead.1 docs/man/bulkhead-preview.1 \
	docs/man/bulkhead-milter.8 docs/man/bulkhead-log.5
dist_man_MANS += docs/man/bulkhead-config.1 docs/man/bulkhead.conf.5
dist_man_MANS += docs/man/bulkhead-key.1 docs/man/bulkhead-token.1
dist_man_MANS += docs/man/bulkhead-limit.1
dist_man_MANS += docs/man/bulkhead-policyd.8
dist_man_MANS += docs/man/bulkhead-suppress.1
dist_man_MANS += docs/man/bulkhead-status.1
dist_man_MANS += docs/man/bulkhead-events.1
dist_man_MANS += docs/man/bulkhead-robots.5
dist_man_MANS += docs/man/bulkhead-report.1
dist_man_MANS += docs/man/bulkhead-trackd.8
